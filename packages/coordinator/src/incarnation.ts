import type {
  Clock,
  Constants,
  Entropy,
  ErrorCode,
  Identity,
  Message,
  TlsOptions,
  Transport,
  ValueCodec,
} from '@muster/rexi';
import { ClusterError, formatRef } from '@muster/rexi';
import type { GuardianshipOptions } from './guardianship.ts';
import { Guardianship } from './guardianship.ts';
import type { NodeState } from './node.ts';
import type { Note } from './options.ts';
import { ClusterNode } from './node.ts';
import { doubled } from './trouble.ts';

export interface IncarnationOptions {
  /** Of each node, in the order in which they are dialled. */
  readonly addresses: readonly (readonly string[])[];
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly constants: Constants;
  readonly transport: Transport;
  readonly identity: Identity;
  readonly secret: Uint8Array;
  /** For the guardian, which dials by itself. */
  readonly tls?: TlsOptions | undefined;
  readonly codec: ValueCodec;
  readonly spawn: GuardianshipOptions['spawn'];
  readonly note?: Note;
  /** Keeps the process alive until what it returns is called. */
  readonly hold: () => () => void;
  readonly changed: (node: ClusterNode) => void;
  /** A node is not up, for a reason that was not told yet. */
  readonly troubled: (node: ClusterNode) => void;
  /** This incarnation is over, the coordinator is not: the next request begins a new one. */
  readonly fenced: (why: string) => void;
  readonly other: (node: ClusterNode, message: Message) => void;
}

/** A request that is under way. */
export interface OpenRequest {
  readonly stats: { readonly parts: number };
  fail(code: ErrorCode, message: string): void;
}

/** Everything that one incarnation of a coordinator has: its guardian, its sessions, its requests. */
export class Incarnation {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly constants: Constants;
  readonly codec: ValueCodec;
  readonly guardian: Guardianship;
  readonly nodes: readonly ClusterNode[];
  /** Why this incarnation is over; undefined: it is not. */
  over: ClusterError | undefined;
  readonly #identity: Identity;
  readonly #hold: () => () => void;
  /** Open requests, each with what releases its hold on the process. */
  readonly #requests: Map<OpenRequest, () => void> = new Map();
  readonly #waiting: Set<() => void> = new Set();
  #streams = 0;

  constructor(options: IncarnationOptions) {
    const { clock, entropy, constants, transport, identity, secret, tls, codec, spawn, hold, fenced, other } = options;
    this.clock = clock;
    this.entropy = entropy;
    this.constants = constants;
    this.codec = codec;
    this.#identity = identity;
    this.#hold = hold;
    this.guardian = new Guardianship({
      clock,
      constants,
      identity,
      secret,
      tls,
      spawn,
      fenced: (why, error) => this.#over(error, () => fenced(why)),
    });
    const { guardian } = this;
    const notice =
      (tell: (node: ClusterNode) => void) =>
      (node: ClusterNode): void => {
        tell(node);
        for (const wake of this.#waiting) wake();
      };
    this.nodes = options.addresses.map(
      (addresses) =>
        new ClusterNode({
          addresses,
          clock,
          entropy,
          constants,
          transport,
          identity,
          secret,
          guardian,
          changed: notice(options.changed),
          troubled: notice(options.troubled),
          refused: (node, peer) =>
            doubled(
              node.address,
              peer,
              this.nodes.filter((each) => each !== node),
            ),
          other,
          ...(options.note && { note: options.note }),
        }),
    );
  }

  get id(): string {
    return this.#identity.incarnation;
  }

  ref(counter: number): string {
    return formatRef({ incarnation: this.id, counter });
  }

  /** By its id, or by its address as long as the id is not known. */
  node(name: string): ClusterNode | undefined {
    return this.nodes.find(({ id, address }) => id === name || address === name);
  }

  /** The window of one more stream: a share of the budget. */
  window(): { rows: number; bytes: number } {
    const { windowRows, windowBytes, windowBudget } = this.constants;
    return {
      rows: windowRows,
      bytes: Math.max(1, Math.min(windowBytes, Math.floor(windowBudget / Math.max(1, this.#streams)))),
    };
  }

  opened(request: OpenRequest): void {
    this.#requests.set(request, this.#hold());
    this.#streams += request.stats.parts;
  }

  closed(request: OpenRequest): void {
    const release = this.#requests.get(request);
    if (release === undefined) return;
    this.#requests.delete(request);
    this.#streams -= request.stats.parts;
    release();
  }

  /** Resolves when the job of this counter cannot run any more, wherever it was cast. */
  async whenSurelyDead(counter: number): Promise<void> {
    await Promise.all(this.nodes.map((node) => node.whenSurelyDead(counter)));
  }

  /** `copies`: the nodes that could do the same. Where there is none of them, no other time will help. */
  unreachable(name: string, job: string, copies: readonly string[] = [name]): ClusterError {
    const node = this.node(name);
    if (node === undefined) {
      const known = this.nodes.map((other) => other.name).join(', ');
      const isFinal = this.nodes.every(({ id }) => id !== undefined) && !copies.some((copy) => this.node(copy));
      return new ClusterError(
        isFinal ? 'bad_options' : 'unreachable',
        `There is no node "${name}" in the cluster; there are ${known}.`,
        {
          job,
          node: name,
        },
      );
    }
    if (node.state === 'draining')
      return new ClusterError('maintenance', 'The node is draining: it takes nothing new.', { job, node: name });
    const why = node.trouble === undefined ? '.' : `: ${node.trouble.text}`;
    return new ClusterError('down', `The node is ${node.state}${why}`, { job, node: name, cause: node.trouble });
  }

  /** Resolves when each group of nodes has one that is up or none that may be, or when the time has passed. */
  async whenReachable(groups: readonly (readonly string[])[], ms: number): Promise<void> {
    const isUp = (name: string): boolean => this.node(name)?.state === 'up';
    await this.until(() => groups.every((names) => names.some(isUp) || !names.some((name) => this.#mayBeUp(name))), ms);
  }

  /** Resolves when it is so, as far as nodes decide it, or when the time has passed. */
  async until(isSo: () => boolean, ms: number): Promise<void> {
    if (isSo()) return;
    await new Promise<void>((resolve) => {
      const done = (): void => {
        timer.cancel();
        this.#waiting.delete(look);
        resolve();
      };
      const look = (): void => {
        if (isSo()) done();
      };
      const timer = this.clock.after(ms, done);
      this.#waiting.add(look);
    });
  }

  /** A name that nobody has said may still be that of a node that was never reached. */
  #mayBeUp(name: string): boolean {
    const node = this.node(name);
    if (node !== undefined) return node.mayBeUp;
    return this.nodes.some(({ id, mayBeUp }) => id === undefined && mayBeUp);
  }

  /** Whether the job is a generator; undefined where no node says so, or they differ: then the node refuses it. */
  isStream(job: string): boolean | undefined {
    const kinds = new Set(this.nodes.flatMap(({ jobs }) => jobs.get(job) ?? []));
    return kinds.size === 1 ? kinds.has(true) : undefined;
  }

  /** Nodes in this state. */
  count(state: NodeState): number {
    return this.nodes.filter((node) => node.state === state).length;
  }

  /**
   * Kills everything with confirmation, waits K for it, and leaves what did not answer to the guardian; one that has
   * nothing left to do has gone, too.
   */
  async close(): Promise<void> {
    const killed = Promise.all(this.nodes.map((node) => node.killAll()));
    const confirmed = killed.then(() => this.nodes.every(({ hasLostNone }) => hasLostNone));
    for (const request of [...this.#requests.keys()]) request.fail('closed', 'The cluster handle was closed.');
    const late = new Promise<false>((resolve) => this.clock.after(this.constants.kill, () => resolve(false)));
    const isDone = await Promise.race([confirmed, late]);
    this.guardian.release();
    for (const node of this.nodes) node.close('the coordinator closes');
    if (isDone) await this.guardian.gone();
  }

  #over(error: ClusterError, tell: () => void): void {
    this.over = error;
    // Requests first: that everything is over is no matter of one part of them.
    for (const request of [...this.#requests.keys()]) request.fail(error.code, error.message);
    for (const node of this.nodes) node.abandon(error);
    tell();
  }
}
