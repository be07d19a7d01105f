import type {
  Clock,
  Constants,
  Kill,
  Link,
  LinkEnd,
  Message,
  Peer,
  Renew,
  Request,
  Response,
  Timer,
} from '@muster/rexi';
import { chance, Channel, CloseCode, constants as tableOf, ProtocolError } from '@muster/rexi';
import type { Executors } from '../executor/executor.ts';
import type { Log } from '../log/log.ts';
import { noLog } from '../log/log.ts';
import { Jobs } from './jobs.ts';
import type { Lanes } from './lanes.ts';
import type { Objects } from './objects.ts';
import { recordEvent } from './record.ts';
import type { Requests } from './requests.ts';
import { answer } from './requests.ts';
import type { LinkId, Session, SessionEffect } from './sessions.ts';
import { Sessions } from './sessions.ts';
import type { Shell } from './shell.ts';

export interface AgentOptions {
  readonly id: string;
  /** The node's life, as its links have proved it. */
  readonly incarnation: string;
  readonly clock: Clock;
  readonly constants?: Constants;
  readonly executors: Executors;
  readonly lanes: Lanes;
  readonly objects: Objects;
  /** What operators reach of the node around the agent. Default: the agent's own drain, constants, and no log. */
  readonly shell?: Shell;
  /** Takes one line of the node's history. Default: nowhere. */
  readonly note?: (event: string, facts: Record<string, unknown>) => void;
  /** Takes the node's lines and those of its jobs. Default: nowhere. */
  readonly log?: Log;
  /** Told of each renewal of an open session's lease, and when that ends now. Default: nobody. */
  readonly renewed?: (session: Session, leaseEnd: number) => void;
}

interface Conversation {
  readonly id: LinkId;
  readonly channel: Channel;
  readonly incarnation: string;
  /** Requests that wait for their answer: one is answered a turn, whatever it costs, while the link has room. */
  readonly requests: Request[];
  /** Requests whose answer takes its time. */
  answering: number;
  /** The next one waits until the link has drained. */
  held: boolean;
  /** Kills that are not confirmed yet. */
  kills: number;
  /** A session has been opened over it. */
  accepted: boolean;
  /** Something other than heartbeats has been said. */
  spoken: boolean;
}

/** What has a meaning in a session only. */
const ofSessions: ReadonlySet<string> = new Set(['cast', 'stream-start', 'stream-cancel', 'ack', 'kill']);

/** What the node answers with more than it was asked with. */
const answered: ReadonlySet<string> = new Set(['cast', 'request', 'object-get']);

/**
 * The agent of a worker node: it owns links, sessions, leases, the job table and kills, and runs no user code, so that a
 * kill is always heard. Decisions are made in Sessions and Jobs; this is the shell that carries them out.
 */
export class Agent {
  readonly id: string;
  readonly incarnation: string;
  readonly jobs: Jobs;
  readonly log: Log;
  readonly #clock: Clock;
  readonly #constants: Constants;
  readonly #sessions: Sessions;
  readonly #objects: Objects;
  readonly #note: NonNullable<AgentOptions['note']>;
  readonly #renewed: NonNullable<AgentOptions['renewed']>;
  readonly #requests: Requests;
  readonly #links: Map<LinkId, Conversation> = new Map();
  #nextLink = 1;
  readonly #fences: Set<string> = new Set();
  #expiry: { readonly at: number; readonly timer: Timer } | undefined;

  constructor(options: AgentOptions) {
    const { id, clock, constants = tableOf(), executors, lanes, objects, note, log = noLog } = options;
    this.id = id;
    this.incarnation = options.incarnation;
    this.#renewed = options.renewed ?? (() => undefined);
    this.#clock = clock;
    this.#constants = constants;
    this.#objects = objects;
    this.log = log;
    this.#note = (event, facts) => {
      note?.(event, facts);
      recordEvent(log, event, facts);
    };
    this.#sessions = new Sessions({
      constants,
      jobs: () => [...executors.jobs.values()].map(({ name, stream }) => ({ name, stream })),
    });
    this.jobs = new Jobs({ clock, constants, executors, lanes, port: this.#port(), log });
    const { shell = this.#bareShell() } = options;
    const sessions = this.#sessions;
    const about = { agent: this, sessions, lanes, executors, objects, shell };
    this.#requests = { ...about, clock, constants, note: this.#note, began: clock.now() };
  }

  /** Takes an authenticated link. */
  accept(link: Link): void {
    const id = (this.#nextLink += 1);
    const { incarnation } = link.peer;
    const channel = new Channel(link, {
      clock: this.#clock,
      constants: this.#constants,
      // A session that is renewed may belong to a coordinator that is stalled: its lease decides, not its socket.
      vouched: () => this.#sessions.current(incarnation, id) !== undefined,
      handler: {
        message: (message) => this.#message(conversation, message),
        drained: () => this.#drained(conversation),
        ...(link.peer.role === 'coordinator' && { broken: (end: LinkEnd) => this.#broken(conversation, end) }),
        ended: (end) => this.#ended(conversation, end),
      },
    });
    const conversation: Conversation = {
      id,
      channel,
      incarnation,
      requests: [],
      answering: 0,
      held: false,
      kills: 0,
      accepted: false,
      spoken: false,
    };
    this.#links.set(id, conversation);
    this.#objects.linked(id, (message) => channel.send(message));
  }

  /** Stops taking casts; what runs has `ms` milliseconds. Resolves when nothing runs any more. */
  async drain(ms: number): Promise<void> {
    for (const { channel } of this.#links.values()) {
      if (channel.peer.role === 'coordinator') channel.send({ type: 'go-away', reason: 'the node is draining' });
    }
    this.jobs.drain(ms);
    await this.jobs.idle();
    // What the last jobs said may still wait for a slow link; a peer that does not read has no more than its write deadline.
    const flushed = Promise.all([...this.#links.values()].map(({ channel }) => channel.flushed()));
    await Promise.race([flushed, new Promise<void>((resolve) => this.#clock.after(this.#constants.write, resolve))]);
  }

  /** Ends every link. */
  close(reason: string): void {
    for (const { channel } of this.#links.values()) channel.close(CloseCode.goAway, reason);
    this.#objects.close();
    this.#expiry?.timer.cancel();
  }

  /** Links that are open, by role. */
  get links(): Record<string, number> {
    const counts: Record<string, number> = {};
    for (const { channel } of this.#links.values()) {
      if (channel.linked) counts[channel.peer.role] = (counts[channel.peer.role] ?? 0) + 1;
    }
    return counts;
  }

  /** Who is at the other ends of the links that are open. */
  get peers(): Peer[] {
    return [...this.#links.values()].flatMap(({ channel }) => (channel.linked ? channel.peer : []));
  }

  #message(from: Conversation, message: Message): void {
    const now = this.#clock.now();
    this.#refuseDeaf(from, message);
    // Leases first: what waited in the socket of a node that was stopped comes after what has run out meanwhile.
    if (now >= this.#sessions.nextExpiry) this.#perform(this.#sessions.expire(now));
    if (from.channel.peer.role === 'guardian') this.#guardian(from, message, now);
    else if (from.channel.peer.role === 'coordinator') this.#coordinator(from, message, now);
    else this.#other(from, message);
    from.spoken ||= message.type !== 'heartbeat';
    this.#arm();
  }

  #coordinator(from: Conversation, message: Message, now: number): void {
    if (message.type === 'session-open') {
      return this.#perform(this.#sessions.opening(from.incarnation, from.id, message.session, now));
    }
    if (message.type === 'session-resume') {
      // What was said before it would belong to no session, or to another.
      if (from.spoken) throw new ProtocolError(CloseCode.badState, 'A session is resumed by the first word on a link.');
      const { id: link, incarnation } = from;
      const { session, read } = message;
      return this.#perform(this.#sessions.resuming({ incarnation, link, session, read }, now));
    }
    if (message.type === 'renew') {
      return this.#renew(from, message, now);
    }
    if (!ofSessions.has(message.type)) return this.#other(from, message);
    const session = this.#sessions.current(from.incarnation, from.id);
    if (session !== undefined) return this.#inSession(from, session, message);
    // Of a session that has ended it may have been under way; before one was accepted nothing can be.
    if (!from.accepted) {
      throw new ProtocolError(CloseCode.badState, `The peer sent "${message.type}" before a session was accepted.`);
    }
  }

  #renew({ incarnation }: Conversation, { session, stamp }: Renew, now: number): void {
    this.#perform(this.#sessions.renew(incarnation, session, stamp, now));
    const open = this.#sessions.open(incarnation);
    if (open?.number === session) this.#renewed(open, this.#sessions.leaseEnd(open));
  }

  #inSession(from: Conversation, session: Session, message: Message): void {
    switch (message.type) {
      case 'cast':
        return this.jobs.cast(session, message);
      case 'stream-start':
        return this.jobs.start(session, message);
      case 'ack':
        return this.jobs.ack(session, message);
      case 'stream-cancel':
        return this.jobs.cancel(session, message.counter);
      case 'kill':
        return this.#kill(from, session, message);
    }
  }

  /**
   * A peer that asks for more and reads nothing: nothing can be kept for it without end. One that is merely slow goes on;
   * but twice as much is too much of anybody.
   */
  #refuseDeaf({ channel }: Conversation, { type }: Message): void {
    const { bodyQueue, write } = this.#constants;
    if (!answered.has(type) || channel.bodyWaiting <= bodyQueue) return;
    if (channel.unreadFor < write && channel.bodyWaiting <= 2 * bodyQueue) return;
    throw new ProtocolError(CloseCode.overflow, `The peer asks, and leaves ${bodyQueue} bytes of answers unread.`);
  }

  /** Kills in the session, and answers over this link when that is wanted and done. */
  #kill(from: Conversation, session: Session | undefined, message: Kill, by?: 'guardian'): void {
    const { confirm } = message;
    if (confirm !== 0) this.#checkOpen((from.kills += 1));
    const gone = session === undefined ? Promise.resolve() : this.jobs.kill(session, message, by);
    if (confirm === 0) return;
    void gone.then(() => {
      from.kills -= 1;
      from.channel.send({ type: 'killed', confirm });
    });
  }

  #checkOpen(questions: number): void {
    if (questions <= this.#constants.questions) return;
    throw new ProtocolError(CloseCode.badState, `The peer has more than ${this.#constants.questions} questions open.`);
  }

  #guardian(from: Conversation, message: Message, now: number): void {
    const { incarnation, id } = from;
    if (message.type === 'guard') return this.#perform(this.#sessions.guard(incarnation, id, message.number, now));
    if (message.type === 'heartbeat') return;
    if (!this.#sessions.isGuardian(incarnation, id)) {
      throw new ProtocolError(CloseCode.badState, 'A guardian must say its number first.');
    }
    if (message.type === 'renew') this.#renew(from, message, now);
    else if (message.type === 'end')
      this.#perform(this.#sessions.endedByGuardian(incarnation, id, message.session, now));
    else if (message.type === 'fence') this.#fence(from, now);
    else if (message.type === 'kill') this.#kill(from, this.#sessions.open(incarnation), message, 'guardian');
  }

  #fence({ incarnation, id }: Conversation, now: number): void {
    this.#note('fence', { incarnation });
    this.#perform(this.#sessions.fence(incarnation, id, now));
    // However often it is said: what is left is told once in K.
    if (this.#fences.has(incarnation)) return;
    this.#fences.add(incarnation);
    this.#clock.after(this.#constants.kill, () => {
      this.#fences.delete(incarnation);
      this.#perform(this.#sessions.fenceOverdue(incarnation, this.jobs.left(incarnation)));
    });
  }

  #other(from: Conversation, message: Message): void {
    if (message.type !== 'request') return this.#objects.message(from.id, message);
    this.#checkOpen(from.requests.push(message) + from.answering);
    if (from.requests.length === 1) this.#answerNext(from);
  }

  /** One in a turn: an answer may be about tens of thousands of jobs, and one frame may ask for thousands of answers. */
  #answerNext(from: Conversation): void {
    const { inFlight, inFlightMax } = this.#constants;
    this.#clock.soon(() => {
      from.held = from.channel.bodyWaiting >= Math.max(inFlight, inFlightMax);
      if (from.held) return;
      const request = from.requests.shift();
      if (request === undefined || from.channel.ended) return;
      void this.#answer(from, request);
      if (from.requests.length > 0) this.#answerNext(from);
    });
  }

  async #answer(from: Conversation, request: Request): Promise<void> {
    const { channel } = from;
    let open = 1;
    from.answering += open;
    // Before it is sent: the peer may ask the next as soon as it has this one.
    const send = (response: Response): void => {
      from.answering -= open;
      open = 0;
      channel.send(response);
    };
    try {
      await answer(this.#requests, { peer: channel.peer, send }, request);
    } catch (error) {
      if (!(error instanceof ProtocolError)) throw error;
      channel.close(error.closeCode, error.message);
    }
  }

  #drained(from: Conversation): void {
    if (from.held) this.#answerNext(from);
    from.held = false;
    const session = this.#sessions.current(from.incarnation, from.id);
    if (session !== undefined) this.jobs.drained(session);
  }

  /** A session outlives its link; whatever else was said over it does not. */
  #broken(from: Conversation, end: LinkEnd): boolean {
    const { incarnation, id } = from;
    if (this.#sessions.current(incarnation, id) === undefined) return false;
    this.#note('link-broke', { incarnation, role: from.channel.peer.role, ...end });
    this.#perform(this.#sessions.linkBroke(incarnation, id, end.by === 'peer', this.#clock.now()));
    return true;
  }

  /** The conversation of the session takes the link over from the one that it has begun. */
  #move({ session, link: id, read }: Extract<SessionEffect, { do: 'move' }>): void {
    const known = session.link === undefined ? undefined : this.#links.get(session.link);
    const opening = this.#links.get(id);
    if (known === undefined || opening === undefined) return;
    // First: of a link that is read on, more could come than is said here.
    known.channel.leave('a newer link carries the session on');
    opening.channel.send({ type: 'session-resumed', session: session.number, read: known.channel.read });
    const link = opening.channel.release();
    this.#links.delete(id);
    this.#objects.unlinked(id);
    if (link === undefined) return;
    this.#note('session-resumed', { incarnation: session.incarnation, session: session.number });
    known.channel.move(link, read);
  }

  #ended(from: Conversation, end: LinkEnd): void {
    this.#links.delete(from.id);
    this.#objects.unlinked(from.id);
    this.#note('link-ended', { incarnation: from.incarnation, role: from.channel.peer.role, ...end });
    const session = this.#sessions.current(from.incarnation, from.id);
    this.#perform(this.#sessions.linkEnded(from.incarnation, from.id, end.by === 'peer', this.#clock.now()));
    // Nobody reads its rows any more, but an executor that is not read would not hear its kill's end either.
    if (session !== undefined) this.jobs.drained(session);
    this.#arm();
  }

  #perform(effects: readonly SessionEffect[]): void {
    for (const effect of effects) {
      switch (effect.do) {
        case 'send':
          this.#links.get(effect.link)?.channel.send(effect.message);
          break;
        case 'close':
          this.#links.get(effect.link)?.channel.close(effect.code, effect.reason);
          break;
        case 'opened':
          this.#accepted(effect.session);
          if (effect.session.link !== undefined) this.#objects.opened(effect.session.link, effect.session);
          this.#note('session-opened', { incarnation: effect.session.incarnation, session: effect.session.number });
          break;
        case 'move':
          this.#move(effect);
          break;
        case 'end':
          this.#objects.endSession(effect.session);
          this.jobs.endSession(effect.session, effect.code, effect.by);
          break;
      }
    }
    this.#arm();
  }

  #accepted({ link }: Session): void {
    const conversation = link === undefined ? undefined : this.#links.get(link);
    if (conversation !== undefined) conversation.accepted = true;
  }

  /** One timer, for the next thing that runs out. */
  #arm(): void {
    const at = this.#sessions.nextExpiry;
    if (this.#expiry !== undefined && this.#expiry.at <= at) return;
    this.#expiry?.timer.cancel();
    if (at === Infinity) return void (this.#expiry = undefined);
    const late = chance(this.#clock, 'late-expiry', 0.05) ? 20 : 0;
    const timer = this.#clock.after(Math.max(0, at - this.#clock.now()) + late, () => {
      this.#expiry = undefined;
      this.#perform(this.#sessions.expire(this.#clock.now()));
    });
    this.#expiry = { at, timer };
  }

  #send(session: Session, message: Message, left?: () => void): void {
    const channel = session.link === undefined ? undefined : this.#links.get(session.link)?.channel;
    channel?.send(message, left && (() => (left(), message)));
  }

  #bareShell(): Shell {
    return {
      drain: (ms) => void this.drain(ms).then(() => this.close('the node has drained')),
      config: () => ({ id: this.id, constants: this.#constants }),
      log: this.log,
    };
  }

  #port(): ConstructorParameters<typeof Jobs>[0]['port'] {
    return {
      send: (session, message, left) => this.#send(session, message, left),
      waiting: (session) =>
        session.link === undefined ? 0 : (this.#links.get(session.link)?.channel.bodyWaiting ?? 0),
      gone: (session, killed) => this.#perform(this.#sessions.jobsGone(session, killed, this.#clock.now())),
      adopt: (session, keys) => this.#objects.adopt(session, keys),
      release: (task) => this.#objects.endJob(task),
      operate: (job, operation, payload) => this.#objects.operate(job, operation, payload),
      note: (event, facts) => this.#note(event, facts),
    };
  }
}
