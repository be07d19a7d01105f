import type { Clock, Constants, Identity, Timer, TlsOptions } from '@muster/rexi';
import { ClusterError } from '@muster/rexi';
import { failpoint } from '#failpoint';
import type { FromGuardian, ToGuardian } from './guardian/pipe.ts';
import { judging } from './judge.ts';

/** One guardian process, as its coordinator holds it. */
export interface GuardianProcess {
  send(message: ToGuardian): void;
  /** SIGKILL; resolves when it has exited and its pipe has been read to its end. May be called twice. */
  kill(): Promise<void>;
}

export interface GuardianEvents {
  said(message: FromGuardian): void;
  /** It has exited, and everything that it has said was read; or it never was, for the reason given. Once, last. */
  exited(why?: ClusterError): void;
}

/** Starts a guardian: a process in production, the same core in one process under simulation. */
export type SpawnGuardian = (events: GuardianEvents) => GuardianProcess;

export interface GuardianshipOptions {
  readonly clock: Clock;
  readonly constants: Constants;
  readonly identity: Identity;
  readonly secret: Uint8Array;
  /** Paths in it are absolute. */
  readonly tls?: TlsOptions | undefined;
  readonly spawn: SpawnGuardian;
  /** The guardian has declared this coordinator dead, or none can be had: everything of this incarnation is over. */
  readonly fenced: (why: string, error: ClusterError) => void;
}

/** So many deaths of guardians within a minute, and requests fail. */
const mostFailures = 3;
const failureWindow = 60_000;

/** A promise with its handles outside. */
interface Waiting<T> {
  resolve(value: T): void;
  reject(error: unknown): void;
}

/**
 * The guardian of one incarnation, replaced when it dies. Nothing is cast while there is none that knows the nodes, the
 * block of counters and the sessions.
 */
export class Guardianship {
  readonly #options: GuardianshipOptions;
  readonly #nodes: Map<string, { readonly node: string; readonly addresses: readonly string[]; linked: boolean }> =
    new Map();
  readonly #sessions: Map<string, { readonly session: number; readonly bound: number }> = new Map();
  /** Sessions for which a guardian that is gone may have echoed stamps. */
  readonly #echoed: Set<string> = new Set();
  readonly #linking: Map<string, Waiting<void>[]> = new Map();
  readonly #ending: Map<string, Waiting<number>[]> = new Map();
  readonly #reserving: Waiting<void>[] = [];
  readonly #failures: number[] = [];
  #process: GuardianProcess | undefined;
  #number = 0;
  #next = 1;
  /** The last counter of the block that was asked for, and of the one that is registered. */
  #asked: number;
  #registered = 0;
  #patience: Timer | undefined;
  readonly #leaving: (() => void)[] = [];
  #beat: Timer | undefined;
  #state: 'alive' | 'released' | 'over' = 'alive';
  #fencing: string | undefined;

  constructor(options: GuardianshipOptions) {
    this.#options = options;
    this.#asked = options.constants.block;
    this.#start();
    this.#beats();
  }

  /** Whether so many counters can be taken at once. */
  has(count: number): boolean {
    return this.#next + count - 1 <= this.#registered;
  }

  /** The next counter. Only after `has` or `reserve`. */
  take(): number {
    const counter = this.#next;
    this.#next += 1;
    if (this.#asked - this.#next < this.#options.constants.block / 2) this.#extend(this.#options.constants.block);
    return counter;
  }

  /**
   * Waits until so many counters are registered.
   * @throws ClusterError `unavailable` when no guardian can be kept alive, `fenced` when this incarnation is over.
   */
  async reserve(count: number): Promise<void> {
    while (!this.has(count)) {
      this.#assertAlive();
      if (this.#asked < this.#next + count) this.#extend(count);
      await new Promise<void>((resolve, reject) => this.#reserving.push({ resolve, reject }));
    }
  }

  /** Resolves when the guardian is linked to the node. */
  async guard(address: string, node: string, addresses: readonly string[] = [address]): Promise<void> {
    this.#assertAlive();
    const known = this.#nodes.get(address);
    if (known?.linked === true) return;
    this.#nodes.set(address, { node, addresses, linked: false });
    this.#process?.send(nodeLine(address, node, addresses));
    await new Promise<void>((resolve, reject) => this.#add(this.#linking, address, { resolve, reject }));
  }

  /** This session of the node at `address` counts as live from now on; without renewals its jobs are dead after `bound`. */
  vouch(address: string, session: number, bound: number): void {
    this.#sessions.set(address, { session, bound });
    this.#process?.send({ do: 'session', address, session, bound });
  }

  /** The session is given up. Resolves with the newest stamp that a guardian may have echoed for it; 0: none, Infinity: any. */
  async giveUp(address: string, session: number): Promise<number> {
    if (this.#sessions.get(address)?.session !== session) return 0;
    if (this.#state === 'over') return Number.POSITIVE_INFINITY;
    this.#sessions.delete(address);
    const isCertain = !this.#echoed.delete(keyOf(address, session));
    this.#process?.send({ do: 'end', address, session });
    const stamp = await new Promise<number>((resolve, reject) =>
      this.#add(this.#ending, keyOf(address, session), { resolve, reject }),
    );
    // What a guardian before this one echoed is not known, and may be newer.
    return isCertain ? stamp : Number.POSITIVE_INFINITY;
  }

  /** Lets the guardian fence what is left and go. It outlives this process if it must. */
  release(): void {
    if (this.#state !== 'alive') return;
    failpoint('before-release');
    this.#state = 'released';
    this.#process?.send({ do: 'release' });
    this.#beat?.cancel();
    this.#patience?.cancel();
    this.#fail(new ClusterError('closed', 'The cluster handle was closed.'));
  }

  /**
   * After the release, of a guardian that has nothing left to do: resolves when it has gone. One that has not within K
   * was stopped, and would be left behind: it is killed.
   */
  async gone(): Promise<void> {
    const guardian = this.#process;
    if (guardian === undefined) return;
    const { clock, constants } = this.#options;
    await new Promise<void>((resolve) => {
      this.#leaving.push(resolve);
      this.#patience = judging.after(clock, constants.kill, () => {
        void guardian.kill();
        resolve();
      });
    });
  }

  #start(): void {
    const { identity, secret, tls, constants } = this.#options;
    this.#number += 1;
    this.#registered = 0;
    const guardian = this.#options.spawn({
      said: (message) => this.#said(message),
      exited: (why) => this.#exited(why),
    });
    this.#process = guardian;
    guardian.send({
      do: 'begin',
      number: this.#number,
      id: identity.id,
      incarnation: identity.incarnation,
      seed: Buffer.from(identity.seed).toString('base64'),
      secret: Buffer.from(secret).toString('base64'),
      ...(tls && { tls }),
      constants,
    });
    for (const [address, node] of this.#nodes) {
      node.linked = false;
      guardian.send(nodeLine(address, node.node, node.addresses));
    }
    for (const [address, live] of this.#sessions) guardian.send({ do: 'session', address, ...live });
    this.#ask();
    this.#bePatient();
  }

  #beats(): void {
    this.#beat = this.#options.clock.after(this.#options.constants.heartbeat, () => {
      this.#process?.send({ do: 'beat' });
      this.#beats();
    });
  }

  #extend(count: number): void {
    this.#asked = Math.max(this.#asked, this.#next - 1) + Math.max(count, this.#options.constants.block);
    this.#ask();
  }

  #ask(): void {
    this.#process?.send({ do: 'block', to: this.#asked });
  }

  /** From when it was last heard. It answers each beat: one that is silent for C (and for a whole beat) is replaced. */
  #bePatient(): void {
    const { clock, constants } = this.#options;
    const guardian = this.#process;
    const patience = Math.max(constants.connect, 2 * constants.heartbeat);
    const due = clock.now() + patience;
    this.#patience?.cancel();
    this.#patience = judging.after(clock, patience, () => {
      // A timer that fires late says that we were stopped: the answer may wait in the pipe.
      if (judging.isLate(clock.now(), due, constants)) this.#bePatient();
      else if (guardian !== undefined && this.#process === guardian && this.#state === 'alive') void guardian.kill();
    });
  }

  #said(message: FromGuardian): void {
    if (this.#state === 'alive') this.#bePatient();
    switch (message.is) {
      case 'registered':
        this.#registered = Math.max(this.#registered, message.to);
        failpoint('block-registered');
        settle(this.#reserving.splice(0));
        break;
      case 'linked': {
        const node = this.#nodes.get(message.address);
        if (node !== undefined) node.linked = true;
        settle(this.#linking.get(message.address) ?? []);
        this.#linking.delete(message.address);
        break;
      }
      case 'ended': {
        const key = keyOf(message.address, message.session);
        for (const { resolve } of this.#ending.get(key) ?? []) resolve(message.stamp);
        this.#ending.delete(key);
        break;
      }
      case 'fencing':
        this.#fencing = message.why;
        break;
    }
  }

  /** Only now, with its pipe read to the end, is it known whether it has fenced us. */
  #exited(why?: ClusterError): void {
    this.#patience?.cancel();
    this.#process = undefined;
    for (const left of this.#leaving.splice(0)) left();
    // A guardian that is gone echoes no stamps any more; what it last echoed is not known, only that it was before now.
    for (const waiting of this.#ending.values()) for (const { resolve } of waiting) resolve(Number.POSITIVE_INFINITY);
    this.#ending.clear();
    for (const [address, { session }] of this.#sessions) this.#echoed.add(keyOf(address, session));
    if (this.#state !== 'alive') return;
    if (this.#fencing !== undefined)
      return this.#over(
        new ClusterError('fenced', `The guardian fenced this coordinator: ${this.#fencing}.`),
        this.#fencing,
      );
    const now = this.#options.clock.now();
    this.#failures.push(now);
    while (now - (this.#failures[0] ?? now) > failureWindow) this.#failures.shift();
    if (this.#failures.length >= mostFailures) {
      return this.#over(
        why ??
          new ClusterError(
            'unavailable',
            `${mostFailures} guardians have died within a minute. Look at what ends them, then connect again.`,
          ),
        'no guardian can be kept alive',
      );
    }
    this.#start();
  }

  #over(error: ClusterError, why: string): void {
    this.#state = 'over';
    this.#beat?.cancel();
    this.#fail(error);
    this.#options.fenced(why, error);
  }

  #fail(error: ClusterError): void {
    const waiting = [...this.#reserving.splice(0), ...[...this.#linking.values()].flat()];
    this.#linking.clear();
    for (const { reject } of waiting) reject(error);
  }

  #assertAlive(): void {
    if (this.#state !== 'alive')
      throw new ClusterError('closed', 'This incarnation of the coordinator is over; connect again.');
  }

  #add<T>(map: Map<string, Waiting<T>[]>, key: string, waiting: Waiting<T>): void {
    map.set(key, [...(map.get(key) ?? []), waiting]);
  }
}

function keyOf(address: string, session: number): string {
  return `${address} ${session}`;
}

function nodeLine(address: string, node: string, addresses: readonly string[]): ToGuardian {
  return { do: 'node', address, node, ...(addresses.length > 1 && { addresses }) };
}

function settle(waiting: readonly Waiting<void>[]): void {
  for (const { resolve } of waiting) resolve();
}
