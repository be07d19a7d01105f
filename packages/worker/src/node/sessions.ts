import type { Constants, Message } from '@muster/rexi';
import { CloseCode, mostListed } from '@muster/rexi';
import { Agenda } from './agenda.ts';

/**
 * Names a link within the agent; and the conversation that it began, which may go on over other links. A session's is the
 * conversation.
 */
export type LinkId = number;

/** Why a session is over, as its jobs' exits tell it. */
export type SessionEndCode = 'lease_lost' | 'fenced' | 'down';

/** What the agent has to do for a decision made here. */
export type SessionEffect =
  | { readonly do: 'send'; readonly link: LinkId; readonly message: Message }
  | { readonly do: 'close'; readonly link: LinkId; readonly code: number; readonly reason: string }
  /** Kill its jobs without grace, release its objects; then say `jobsGone`. */
  | { readonly do: 'end'; readonly session: Session; readonly code: SessionEndCode; readonly by: EndedBy }
  | { readonly do: 'opened'; readonly session: Session }
  /** The session goes on over this link, the one before it destroyed first. The peer has read so many frames of it. */
  | { readonly do: 'move'; readonly session: Session; readonly link: LinkId; readonly read: number };

/** Who ended a session. */
export type EndedBy = 'lease' | 'guardian' | 'fence' | 'newer session' | 'closed links';

/** One coordinator incarnation's conversation with this node, as long as it may run jobs. */
export interface Session {
  readonly incarnation: string;
  readonly number: number;
  link: LinkId | undefined;
  /** The newest link that has carried it. */
  via: LinkId;
  /** The peer has closed its link, which did not merely fall silent. */
  closed: boolean;
  /** The newest stamp of this node that was echoed for it. */
  newest: number;
  state: 'waiting' | 'open' | 'ended';
}

/** What a coordinator says on a new link of the session that it had. */
export interface Resuming {
  readonly incarnation: string;
  readonly link: LinkId;
  readonly session: number;
  /** The last frame of it that the coordinator has read. */
  readonly read: number;
}

interface Guardian {
  readonly number: number;
  link: LinkId | undefined;
  /** The peer has closed its link, which did not merely fall silent. */
  closed: boolean;
}

/** All that is known of one incarnation. */
interface Incarnation {
  readonly id: string;
  /** The highest session number read. */
  highest: number;
  guardian: Guardian | undefined;
  /** The session that may run jobs, or waits until it may. */
  session: Session | undefined;
  /** Ended sessions whose jobs are not all dead yet. */
  readonly dying: Set<Session>;
  fenced: { readonly until: number } | undefined;
  /** Links on which a fence waits for its answer. */
  readonly fencers: Set<LinkId>;
  killed: number;
  /** Since when the peer has closed both its links. */
  closedSince: number | undefined;
  /** When it was last heard of. */
  seen: number;
}

export interface SessionsOptions {
  readonly constants: Constants;
  readonly jobs: () => readonly { readonly name: string; readonly stream: boolean }[];
}

/**
 * Who may run jobs on this node: sessions, their leases, fences, guardians. Pure: time and events come in, effects come
 * out. Every event that brings the time first ends what has run out, so that a node that was stopped judges leases
 * before it believes what waited in its sockets.
 *
 *     session-open ──> waiting ──(older sessions' jobs dead)──> open ──(lease, end, newer, fence, links closed)──> ended
 *                                                              ^__│  session-resume
 */
export class Sessions {
  readonly #constants: Constants;
  readonly #jobs: SessionsOptions['jobs'];
  readonly #incarnations: Map<string, Incarnation> = new Map();
  /** When sessions end by themselves; and when what is known of an incarnation can be forgotten. */
  readonly #endings: Agenda<Incarnation> = new Agenda();
  readonly #forgettings: Agenda<Incarnation> = new Agenda();

  constructor({ constants, jobs }: SessionsOptions) {
    this.#constants = constants;
    this.#jobs = jobs;
  }

  /** The open session of an incarnation whose casts, acks and kills come over this link. */
  current(incarnation: string, link: LinkId): Session | undefined {
    const session = this.#incarnations.get(incarnation)?.session;
    return session?.state === 'open' && session.link === link ? session : undefined;
  }

  /** The open session, whoever asks: for its guardian. */
  open(incarnation: string): Session | undefined {
    const session = this.#incarnations.get(incarnation)?.session;
    return session?.state === 'open' ? session : undefined;
  }

  /** Every session that may run jobs, or waits until it may. */
  get all(): Session[] {
    return [...this.#incarnations.values()].flatMap(({ session }) => session ?? []);
  }

  /** A coordinator opens a session. */
  opening(incarnation: string, link: LinkId, number: number, now: number): SessionEffect[] {
    const effects = this.expire(now);
    const one = this.#know(incarnation, now);
    if (one.fenced !== undefined) return [...effects, ...refuse(link, number, 'fenced', 'the incarnation was fenced')];
    if (number <= one.highest) {
      return [...effects, ...refuse(link, number, 'stale', `session ${one.highest} has been seen`)];
    }
    one.highest = number;
    one.closedSince = undefined;
    const older = one.session;
    const session: Session = {
      incarnation,
      number,
      link,
      via: link,
      closed: false,
      newest: Math.floor(now),
      state: 'waiting',
    };
    one.session = session;
    if (older !== undefined) effects.push(...this.#end(one, older, 'down', 'newer session'));
    return this.#planned(one, [...effects, ...this.#accept(one, now)]);
  }

  /** A coordinator carries a session on over a new link: only one that may still run jobs. */
  resuming({ incarnation, link, session: number, read }: Resuming, now: number): SessionEffect[] {
    const effects = this.expire(now);
    const one = this.#know(incarnation, now);
    if (one.fenced !== undefined) return [...effects, ...refuse(link, number, 'fenced', 'the incarnation was fenced')];
    const { session } = one;
    if (session?.number !== number || session.state !== 'open' || session.link === undefined) {
      return [...effects, ...refuse(link, number, 'session_unknown', `session ${number} is over`)];
    }
    // Sockets are read in any order: what was said on a link that its coordinator has left may be read last.
    if (link < session.via) return [...effects, close(link, CloseCode.replaced, 'a newer link carries the session on')];
    session.via = link;
    session.closed = false;
    one.closedSince = undefined;
    return this.#planned(one, [...effects, { do: 'move', session, link, read }]);
  }

  /** When the lease of a session ends, as it stands now. */
  leaseEnd(session: Session): number {
    return session.newest + this.#constants.lease;
  }

  /** Somebody who holds the incarnation's key echoes a stamp of this node. */
  renew(incarnation: string, number: number, stamp: number, now: number): SessionEffect[] {
    const effects = this.expire(now);
    const one = this.#incarnations.get(incarnation);
    if (one?.session?.number !== number || stamp > now) return effects;
    one.session.newest = Math.max(one.session.newest, stamp);
    return this.#planned(one, effects);
  }

  /** A guardian introduces itself. */
  guard(incarnation: string, link: LinkId, number: number, now: number): SessionEffect[] {
    const one = this.#know(incarnation, now);
    const seen = one.guardian;
    if (seen !== undefined && number < seen.number) {
      return [close(link, CloseCode.staleGuardian, `guardian ${seen.number} has been seen`)];
    }
    one.guardian = { number, link, closed: false };
    one.closedSince = undefined;
    this.#plan(one);
    if (seen?.link === undefined || seen.link === link) return [];
    return [close(seen.link, CloseCode.replaced, `guardian ${number} has taken over`)];
  }

  /** Whether this link is the one of the incarnation's newest guardian. */
  isGuardian(incarnation: string, link: LinkId): boolean {
    return this.#incarnations.get(incarnation)?.guardian?.link === link;
  }

  /** The guardian says that the incarnation is dead. */
  fence(incarnation: string, link: LinkId, now: number): SessionEffect[] {
    const one = this.#know(incarnation, now);
    one.fenced = { until: now + this.#constants.fence };
    one.fencers.add(link);
    const effects = one.session === undefined ? [] : this.#end(one, one.session, 'fenced', 'fence');
    return this.#planned(one, [...effects, ...this.#answerFence(one, [])]);
  }

  /** K has passed since a fence: it is answered with what is still alive. */
  fenceOverdue(incarnation: string, left: readonly number[]): SessionEffect[] {
    const one = this.#incarnations.get(incarnation);
    return one === undefined || one.fencers.size === 0 ? [] : this.#sayFenced(one, left);
  }

  /** The guardian says that the coordinator has given this session up. */
  endedByGuardian(incarnation: string, link: LinkId, number: number, now: number): SessionEffect[] {
    const one = this.#know(incarnation, now);
    // A session that was given up before it was even seen must not open any more.
    one.highest = Math.max(one.highest, number);
    const session = one.session;
    const effects = session?.number === number ? this.#end(one, session, 'down', 'guardian') : [];
    return this.#planned(one, [...effects, { do: 'send', link, message: { type: 'ended', session: number } }]);
  }

  /** A session's link broke; its conversation waits for another. `byPeer`: it was closed, and did not merely fall silent. */
  linkBroke(incarnation: string, link: LinkId, byPeer: boolean, now: number): SessionEffect[] {
    return this.#unlinked(incarnation, link, byPeer, now, link);
  }

  /** A conversation is over, and its link. `byPeer`: it was closed, and did not merely fall silent. */
  linkEnded(incarnation: string, link: LinkId, byPeer: boolean, now: number): SessionEffect[] {
    this.#incarnations.get(incarnation)?.fencers.delete(link);
    return this.#unlinked(incarnation, link, byPeer, now, undefined);
  }

  #unlinked(
    incarnation: string,
    link: LinkId,
    byPeer: boolean,
    now: number,
    left: LinkId | undefined,
  ): SessionEffect[] {
    const one = this.#incarnations.get(incarnation);
    if (one === undefined) return [];
    one.seen = now;
    for (const end of [one.session, one.guardian]) {
      if (end?.link !== link) continue;
      end.link = left;
      end.closed = byPeer;
    }
    const both = one.session?.closed === true && one.guardian?.closed !== false;
    one.closedSince = both ? (one.closedSince ?? now) : undefined;
    return this.#planned(one, []);
  }

  /** The last job of an ended session is dead. */
  jobsGone(session: Session, killed: number, now: number): SessionEffect[] {
    const one = this.#know(session.incarnation, now);
    one.dying.delete(session);
    one.killed += killed;
    return this.#planned(one, [...this.#accept(one, now), ...this.#answerFence(one, [])]);
  }

  /** Ends what has run out by `now`. */
  expire(now: number): SessionEffect[] {
    const effects: SessionEffect[] = [];
    for (let { first } = this.#endings; first !== undefined && first.at <= now; { first } = this.#endings) {
      effects.push(...this.#runOut(first.key, now));
    }
    for (let { first } = this.#forgettings; first !== undefined && first.at <= now; { first } = this.#forgettings) {
      this.#forgettings.delete(first.key);
      this.#incarnations.delete(first.key.id);
    }
    return effects;
  }

  /** When `expire` has a session to end next; Infinity: never. */
  get nextExpiry(): number {
    return this.#endings.first?.at ?? Infinity;
  }

  #runOut(one: Incarnation, now: number): SessionEffect[] {
    const { session } = one;
    if (session === undefined) return this.#planned(one, []);
    const lost = now >= this.leaseEnd(session);
    return this.#planned(
      one,
      lost ? this.#end(one, session, 'lease_lost', 'lease') : this.#end(one, session, 'down', 'closed links'),
    );
  }

  #planned(one: Incarnation, effects: SessionEffect[]): SessionEffect[] {
    this.#plan(one);
    return effects;
  }

  /** Something about it has changed: so may have when it has to be looked at. */
  #plan(one: Incarnation): void {
    const { session, closedSince } = one;
    if (session === undefined) this.#endings.delete(one);
    else {
      const closed = (closedSince ?? Infinity) + this.#constants.closedGrace;
      this.#endings.set(one, Math.min(this.leaseEnd(session), closed));
    }
    if (this.#busy(one)) this.#forgettings.delete(one);
    else this.#forgettings.set(one, Math.max(one.fenced?.until ?? 0, one.seen + this.#constants.fence));
  }

  #know(id: string, now: number): Incarnation {
    const known = this.#incarnations.get(id);
    if (known !== undefined) {
      known.seen = now;
      this.#plan(known);
      return known;
    }
    const fresh: Incarnation = {
      id,
      highest: 0,
      guardian: undefined,
      session: undefined,
      dying: new Set(),
      fenced: undefined,
      fencers: new Set(),
      killed: 0,
      closedSince: undefined,
      seen: now,
    };
    this.#incarnations.set(id, fresh);
    this.#plan(fresh);
    return fresh;
  }

  /** What is known of one that is not, its fence above all, is kept until nothing of it can arrive any more. */
  #busy({ session, guardian, dying }: Incarnation): boolean {
    return session !== undefined || guardian?.link !== undefined || dying.size > 0;
  }

  #end(one: Incarnation, session: Session, code: SessionEndCode, by: EndedBy): SessionEffect[] {
    const wasOpen = session.state === 'open';
    session.state = 'ended';
    if (one.session === session) one.session = undefined;
    const effects: SessionEffect[] = [];
    if (wasOpen) {
      one.dying.add(session);
      effects.push({ do: 'end', session, code, by });
    }
    if (session.link !== undefined)
      effects.push(close(session.link, closeCodes[code], `the session was ended by ${by}`));
    return effects;
  }

  #accept(one: Incarnation, now: number): SessionEffect[] {
    const session = one.session;
    if (session?.state !== 'waiting' || one.dying.size > 0 || session.link === undefined) return [];
    session.state = 'open';
    const stamp = Math.floor(now);
    session.newest = stamp;
    const { lease, kill } = this.#constants;
    const message: Message = {
      type: 'session-accepted',
      session: session.number,
      stamp,
      lease,
      kill,
      jobs: this.#jobs(),
    };
    return [
      { do: 'opened', session },
      { do: 'send', link: session.link, message },
    ];
  }

  #answerFence(one: Incarnation, left: readonly number[]): SessionEffect[] {
    return one.fenced === undefined || one.dying.size > 0 ? [] : this.#sayFenced(one, left);
  }

  #sayFenced(one: Incarnation, left: readonly number[]): SessionEffect[] {
    const links = [...one.fencers];
    one.fencers.clear();
    return links.map((link) => ({
      do: 'send',
      link,
      message: { type: 'fenced', killed: one.killed, left: left.slice(0, mostListed) },
    }));
  }
}

const closeCodes: Record<SessionEndCode, number> = {
  lease_lost: CloseCode.leaseLost,
  fenced: CloseCode.fenced,
  down: CloseCode.replaced,
};

function close(link: LinkId, code: number, reason: string): SessionEffect {
  return { do: 'close', link, code, reason };
}

function refuse(link: LinkId, session: number, code: string, reason: string): SessionEffect[] {
  return [{ do: 'send', link, message: { type: 'session-refused', session, code, reason } }];
}
