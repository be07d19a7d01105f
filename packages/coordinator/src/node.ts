import type {
  Clock,
  Constants,
  Entropy,
  Identity,
  Link,
  LinkEnd,
  Message,
  Peer,
  ProtocolError,
  ResumeAnswer,
  Timer,
  Transport,
} from '@muster/rexi';
import { Channel, CloseCode, ClusterError, formatRef, surelyDeadAfter } from '@muster/rexi';
import { failpoint } from '#failpoint';
import type { CastHandler, CastOrder } from './casts.ts';
import { castMessage, Casts } from './casts.ts';
import { Dialler } from './dialler.ts';
import type { Guardianship } from './guardianship.ts';
import { Kills } from './kills.ts';
import type { Note } from './options.ts';
import { Rejoin } from './rejoin.ts';
import { cutWhenSilent } from './silence.ts';
import { SurelyDead } from './surely-dead.ts';
import { endedProcess, isLasting, lostSession, refusedSession } from './trouble.ts';

/**
 * Where a node stands. Casts go to nodes that are up; a suspect one, which is silent or whose link broke, keeps its
 * streams, but gets nothing new.
 *
 *     dialling ──> opening ──> up <──> suspect
 *         ^____________________│__________│      (session lost: every reference in it is down)
 */
export type NodeState = 'dialling' | 'opening' | 'up' | 'suspect' | 'draining' | 'closed';

export interface NodeOptions {
  /** Where it is reached, at least one, dialled in turn; the first is its name as long as its id is not known. */
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly constants: Constants;
  readonly transport: Transport;
  readonly identity: Identity;
  readonly secret: Uint8Array;
  readonly guardian: Guardianship;
  /** The node's state has changed. */
  readonly changed: (node: ClusterNode) => void;
  /** Something else than before keeps the node from being up. */
  readonly troubled?: (node: ClusterNode) => void;
  /** Why the node may not be who it has proved to be; undefined: it may. */
  readonly refused?: (node: ClusterNode, peer: Peer) => ClusterError | undefined;
  /** Messages that belong to no cast: answers to requests, and objects. */
  readonly other: (node: ClusterNode, message: Message) => void;
  readonly note?: Note;
}

/** A coordinator's conversation with one node: it dials, opens sessions, casts, and tells every reference its end. */
export class ClusterNode {
  readonly address: string;
  /** Known after the first handshake; pinned from then on. */
  id: string | undefined;
  /** The life of the node that is linked, or was last. */
  incarnation: string | undefined;
  /** The jobs that the node runs; known once it is up. */
  jobs: ReadonlyMap<string, boolean> = new Map();
  state: NodeState = 'dialling';
  /** Why it is not up, where it is not. */
  trouble: ClusterError | undefined;
  readonly #options: NodeOptions;
  readonly #casts: Casts = new Casts((counter, how, code) =>
    this.#note('ended', () => ({ ref: this.#ref(counter), how, code })),
  );
  readonly #kills: Kills;
  #channel: Channel | undefined;
  #session = 0;
  #accepted = false;
  /** After so much silence a job of the session is surely dead: from the node's own lease. */
  #bound = 0;
  #heardStamp = 0;
  #stampAt = 0;
  /** The message of the trouble that was told last. */
  #told = '';
  readonly #dialler: Dialler;
  readonly #rejoin: Rejoin;
  readonly #dead: SurelyDead;
  /** The counters that were cast in the session. */
  #span = { first: 1, last: 0 };
  #watch: Timer | undefined;

  constructor(options: NodeOptions) {
    this.#options = options;
    this.address = options.addresses[0] ?? '';
    this.#kills = new Kills(options.constants.questions, (kill) => this.send(kill));
    this.#dialler = new Dialler({
      ...options,
      id: () => this.id,
      linked: (link) => this.#linked(link),
      failed: (error) => this.#dialFailed(error),
    });
    this.#rejoin = new Rejoin(options);
    this.#dead = new SurelyDead(options.clock);
    void this.#dialler.dial();
  }

  get name(): string {
    return this.id ?? this.address;
  }

  /** Whether it may be up by itself before long, or is. */
  get mayBeUp(): boolean {
    return this.state !== 'draining' && this.state !== 'closed' && !isLasting(this.trouble);
  }

  /** Whether its session can be spoken to, which has all that may run there; or there never was one. */
  get hasLostNone(): boolean {
    return this.state === 'up' || this.state === 'draining' || this.#session === 0;
  }

  /** Casts that have not ended. */
  get load(): number {
    return this.#casts.size;
  }

  /** Messages of references that had ended or were given up. */
  get late(): number {
    return this.#casts.late;
  }

  /** The number of the session that is open, or was last. */
  get session(): number {
    return this.#session;
  }

  /**
   * Casts under consecutive counters that the guardian knows; the node must be up.
   * Returns the counters, in the order of the parts.
   * @throws ClusterError `limit` for a cast that no message can carry.
   */
  cast(order: CastOrder, parts: readonly { readonly shard: Uint8Array; readonly handler: CastHandler }[]): number[] {
    const { clock, guardian } = this.#options;
    failpoint('before-cast');
    const counted = parts.map(({ shard }) => ({ counter: guardian.take(), shard }));
    const counters = counted.map(({ counter }) => counter);
    const make = (): Message => castMessage(order, counted, clock.now());
    // Throws what is too large to be sent, and then nothing was cast.
    this.#channel?.send(make(), () => {
      this.#kills.left(counters);
      return make();
    });
    parts.forEach(({ handler }, i) => this.#casts.add(counters[i] ?? 0, handler));
    const { first, last } = this.#span;
    this.#span = { first: last < first ? (counters[0] ?? 0) : first, last: counters.at(-1) ?? last };
    this.#note('cast', () => ({
      job: order.job,
      timed: order.deadline !== Infinity,
      refs: counters.map((counter) => this.#ref(counter)),
    }));
    failpoint('after-cast');
    return counters;
  }

  /** `atHandOver` as the channel takes it. */
  send(message: Message, atHandOver?: () => Message): void {
    this.#channel?.send(message, atHandOver);
  }

  /** Whether the reference is still in a session that can be spoken to. Checked before every start. */
  holds(counter: number): boolean {
    return this.#casts.has(counter) && (this.state === 'up' || this.state === 'draining') && this.#isLinked;
  }

  /** A stream that is ready was not chosen: it ends without a word. */
  cancel(counter: number): void {
    if (!this.#casts.forget(counter)) return;
    this.#note('cancel', () => ({ ref: this.#ref(counter) }));
    this.send({ type: 'stream-cancel', counter });
  }

  /** Kills over the session's own link. With `confirm` it resolves when the processes are gone, or the session is. */
  async kill(counters: readonly number[], grace: number, confirm: boolean): Promise<void> {
    const live = counters.filter((counter) => this.#casts.forget(counter));
    if (live.length === 0 || this.#channel === undefined) return;
    failpoint('before-kill');
    this.#note('kill', () => ({ refs: live.map((counter) => this.#ref(counter)), grace }));
    const killed = this.#kills.kill(live, grace, confirm);
    failpoint('after-kill');
    await killed;
  }

  /**
   * Resolves when a job that was cast here cannot run any more: it has ended and its node has confirmed that nothing of it
   * is left, or its session is lost and the coordinator's own bound has passed. Kills nothing that has not ended.
   */
  async whenSurelyDead(counter: number): Promise<void> {
    await this.#casts.whenOver(counter);
    const { first, last } = this.#span;
    // An end is said before the last process is gone; whoever asks is answered when it is, or the session is over.
    if (this.#accepted && counter >= first && counter <= last) await this.#kills.kill([counter], 0, true);
    await this.#dead.when(counter);
  }

  /** Kills everything in the session; resolves when it is confirmed. */
  killAll(): Promise<void> {
    return this.kill(this.#casts.counters, 0, true);
  }

  /** What the node sent cannot be read: its link is closed with the code, and its references are down. */
  violated(error: ProtocolError): void {
    this.#channel?.close(error.closeCode, error.message);
  }

  /** Ends the conversation for good. What still runs is the guardian's. */
  close(reason: string): void {
    this.#dialler.stop();
    this.#watch?.cancel();
    const channel = this.#channel;
    channel?.close(CloseCode.normal, reason);
    this.#down(new ClusterError('closed', reason, { node: this.name }), 'closed');
  }

  /** This incarnation is over: every reference hears `error`, and nothing is dialled again. */
  abandon(error: ClusterError): void {
    this.#dialler.stop();
    this.#watch?.cancel();
    const channel = this.#channel;
    this.#down(error, 'closed');
    channel?.abort(error.message);
  }

  get #isLinked(): boolean {
    return this.#channel?.linked === true;
  }

  async #linked(link: Link): Promise<void> {
    const { guardian, refused } = this.#options;
    const error = refused?.(this, link.peer);
    if (error !== undefined) {
      link.abort(error.text);
      throw error;
    }
    link.unref?.();
    if (this.#accepted && this.#channel !== undefined) {
      if (link.peer.incarnation === this.incarnation) return this.#resume(this.#channel, link);
      this.#giveUp(endedProcess(this.name));
      this.#dialler.rest(); // This link is what would be dialled for.
    }
    this.id = link.peer.id;
    this.incarnation = link.peer.incarnation;
    const channel = this.#converse(link);
    // The guardian is there before the first cast is: otherwise a crash between the two would leave an orphan.
    await guardian.guard(this.address, link.peer.id, this.#options.addresses);
    if (!this.#dialler.stopped && this.#channel === channel) this.#open(channel);
  }

  #converse(link: Link): Channel {
    const { clock, constants } = this.#options;
    const channel: Channel = new Channel(link, {
      clock,
      constants,
      // An open session has a bound of its own for a node that is silent.
      vouched: () => this.#accepted,
      handler: {
        message: (message) => this.#message(message),
        suspect: (silent) => this.#suspect(silent),
        broken: (end) => channel === this.#channel && this.#broken(end),
        ended: (end) => {
          if (this.#channel !== channel) return;
          this.#channel = undefined;
          this.#lost(lostSession(this.name, end));
        },
      },
    });
    this.#channel = channel;
    return channel;
  }

  #open(channel: Channel): void {
    this.#become('opening');
    this.#session += 1;
    this.#accepted = false;
    channel.send({ type: 'session-open', session: this.#session });
  }

  #message(message: Message): void {
    switch (message.type) {
      case 'heartbeat':
        return this.#heartbeat(message.stamp);
      case 'session-accepted':
        return this.#accept(message);
      case 'session-refused':
        return this.#refused(message);
      case 'killed':
        return this.#kills.confirmed(message.confirm);
      case 'go-away':
        return this.#become('draining');
      case 'stream-init':
      case 'rows':
      case 'reply':
      case 'last':
      case 'exit':
      case 'ping':
      case 'progress':
      case 'log':
        return this.#casts.pass(message);
      default:
        return this.#options.other(this, message);
    }
  }

  /** Echoes the newest stamp at once: the lease counts from when the node wrote it, not from when it reads it back. */
  #heartbeat(stamp: number): void {
    if (!this.#accepted) return;
    this.#heardStamp = stamp;
    this.#stampAt = this.#options.clock.now();
    this.#channel?.send({ type: 'renew', session: this.#session, stamp });
  }

  #accept(message: Extract<Message, { type: 'session-accepted' }>): void {
    if (message.session !== this.#session) return;
    this.#accepted = true;
    this.#dialler.succeeded();
    this.trouble = undefined;
    this.jobs = new Map(message.jobs.map(({ name, stream }) => [name, stream]));
    this.#bound = surelyDeadAfter(message);
    this.#options.guardian.vouch(this.address, this.#session, this.#bound);
    this.#note('session-up', () => ({ bound: this.#bound }));
    this.#heartbeat(message.stamp);
    this.#become('up');
    this.#watch?.cancel();
    if (this.#channel !== undefined) this.#watch = cutWhenSilent(this.#channel, this.#bound, this.#options);
  }

  /** Why it was refused is what counts, and not that its link, of no use any more, goes as well. */
  #refused(refusal: Extract<Message, { type: 'session-refused' }>): void {
    const channel = this.#channel;
    this.#channel = undefined;
    this.#lost(refusedSession(this.name, refusal));
    channel?.abort('the session was refused');
  }

  #suspect(silent: boolean): void {
    if (silent && this.state === 'up') this.#become('suspect');
    else if (!silent && this.state === 'suspect') this.#become('up');
    if (!this.#accepted) return;
    if (silent) this.#dialler.again();
    else this.#dialler.rest();
  }

  /** A session outlives its link: its node is suspect until another link carries it on, or it is given up. */
  #broken(end: LinkEnd): boolean {
    if (!this.#accepted) return false;
    this.#note('link-broke', () => ({ by: end.by }));
    this.#isTroubledBy(lostSession(this.name, end));
    if (this.state === 'up') this.#become('suspect');
    this.#dialler.again();
    return true;
  }

  #resume(channel: Channel, link: Link): void {
    if (channel.linked && !channel.isSuspect) return link.abort('the link before it is back');
    this.#rejoin.ask(channel, link, this.#session, (answer) => this.#answered(channel, link, answer));
  }

  #answered(channel: Channel, link: Link, answer: ResumeAnswer): void {
    if (answer.is === 'unanswered') return this.#dialler.again();
    this.#rejoin.stop();
    this.#dialler.rest();
    if (answer.is === 'refused') return this.#giveUp(refusedSession(this.name, answer.refusal));
    this.trouble = undefined;
    channel.move(link, answer.read);
    this.#note('session-resumed', () => ({}));
    if (this.state === 'suspect') this.#become('up');
  }

  #dialFailed(error: ClusterError): void {
    if (!this.#accepted) {
      this.#isTroubledBy(error);
      return this.#redial();
    }
    if (this.#isLinked && this.#channel?.isSuspect === false) return; // It is back by itself.
    this.#isTroubledBy(error);
    const left = this.#rejoin.failed(error);
    if (left === 0 && !this.#isLinked) this.#giveUp(endedProcess(this.name, error));
    else this.#dialler.again(left === 0 ? Infinity : left); // Its link is silent, and decides: no hurry.
  }

  /** Nobody will carry the session on. */
  #giveUp(error: ClusterError): void {
    const channel = this.#channel;
    this.#channel = undefined;
    channel?.abort(error.text);
    this.#lost(error);
  }

  #lost(error: ClusterError): void {
    this.#watch?.cancel();
    this.#down(error, 'dialling');
    if (!this.#dialler.stopped) this.#redial();
  }

  /** Every reference of the session hears of its end once, in the order of submission. */
  #down(error: ClusterError, next: 'dialling' | 'closed'): void {
    if (this.#accepted) {
      this.#note('session-down', () => ({ why: error.message }));
      const guardians = this.#options.guardian.giveUp(this.address, this.#session);
      this.#dead.givenUp({ ...this.#span, bound: this.#bound, own: this.newestStamp, guardians });
      this.#span = { first: 1, last: 0 };
    }
    this.#accepted = false;
    this.#channel = undefined;
    this.#rejoin.stop();
    this.#kills.over();
    if (next === 'closed') this.trouble = error;
    else this.#isTroubledBy(error);
    this.#become(next);
    this.#casts.down(error);
  }

  #isTroubledBy(error: ClusterError): void {
    const { trouble } = this;
    this.trouble = error;
    // What follows from a trouble that was told is no other.
    if (trouble !== undefined && (error.message === this.#told || error.cause === trouble)) return;
    this.#told = error.message;
    this.#options.troubled?.(this);
  }

  #redial(): void {
    this.#become('dialling');
    this.#channel?.abort('dialling again');
    this.#channel = undefined;
    this.#dialler.again();
  }

  #ref(counter: number): string {
    return formatRef({ incarnation: this.#options.identity.incarnation, counter });
  }

  /** Costs nothing where nobody listens. */
  #note(event: string, facts: () => Record<string, unknown>): void {
    const { note, identity } = this.#options;
    note?.(event, { incarnation: identity.incarnation, node: this.name, session: this.#session, ...facts() });
  }

  #become(state: NodeState): void {
    if (this.state === state || this.state === 'closed') return;
    this.state = state;
    this.#options.changed(this);
  }

  /** The newest stamp that this coordinator has read itself, and when. */
  get newestStamp(): { readonly stamp: number; readonly at: number } {
    return { stamp: this.#heardStamp, at: this.#stampAt };
  }
}
