import type { Constants, Message } from '@muster/rexi';
import { ClusterError, constants as tableOf, newIdentity, parseRef, ValueCodec } from '@muster/rexi';
import { refHook } from '@muster/store';
import { EventEmitter } from 'node:events';
import type { GatherOrder } from './gather-order.ts';
import { Gather } from './gather.ts';
import { Incarnation } from './incarnation.ts';
import type { ClusterNode, NodeState } from './node.ts';
import { NodeRequests } from './node-requests.ts';
import { ClusterObjects } from './objects.ts';
import type { ConnectOptions, Seams } from './options.ts';
import { checkNodes, secretBytes, shardMap } from './options.ts';
import { Parts } from './parts.ts';
import { checkCall, checkName, checkReduce, checkScatter, checkStream } from './request-options.ts';
import type {
  CallOptions,
  NodeQuestion,
  ReduceOptions,
  RequestOptions,
  ScatterOptions,
  Shard,
  ShardMap,
  StreamOptions,
} from './request.ts';
import { RowOrder } from './row-order.ts';
import { RowStream } from './row-stream.ts';
import type { ClusterJobs } from './typed.ts';
import { tooFewUp } from './trouble.ts';
import { verbsOf } from './verbs.ts';

/** A node as its coordinator sees it. */
export interface NodeInfo {
  readonly id: string | undefined;
  readonly address: string;
  readonly state: NodeState;
  /** Casts under way. */
  readonly load: number;
  readonly jobs: readonly string[];
  /** Why it is not up, where it is not. */
  readonly trouble: ClusterError | undefined;
}

interface ClusterEvents {
  /** A node's state has changed. */
  node: [NodeInfo];
  /** A node is not up for another reason than before: `trouble` says what to do about it. It is dialled on. */
  trouble: [NodeInfo];
  /** This coordinator was declared dead, for the reason given; what it did is over, and the next request begins anew. */
  fenced: [string];
}

/**
 * A coordinator's handle on its cluster. The end of its `await using` scope, or `close()`, kills what is left and waits
 * until that is confirmed; what does not answer is left to the guardian, which outlives the process if it must. Requests
 * under way keep the process alive, the handle alone does not.
 */
export class Cluster<Jobs = Record<string, never>> extends EventEmitter<ClusterEvents> implements AsyncDisposable {
  /** The jobs of `typeof jobs`, by name: call, stream, scatter, reduce. */
  readonly jobs: ClusterJobs<Jobs>;
  readonly #options: ConnectOptions;
  readonly #addresses: readonly (readonly string[])[];
  readonly #seams: Seams;
  readonly #constants: Constants;
  readonly #secret: Uint8Array;
  #shards: ShardMap;
  #parts: Parts;
  readonly #codec: ValueCodec;
  /** Objects arrive in chunks and may be larger than any message. */
  readonly #objectCodec: ValueCodec;
  readonly #objects: ClusterObjects;
  readonly #requests: NodeRequests;
  readonly #hold: () => () => void;
  #incarnation: Incarnation | undefined;
  #closing: Promise<void> | undefined;

  /** Made by `connect`. */
  constructor(options: ConnectOptions, seams: Seams, hold: () => () => void) {
    super();
    (this as EventEmitter).on('newListener', checkEvent);
    this.#addresses = checkNodes(options.nodes);
    this.#options = options;
    this.#seams = seams;
    this.#hold = hold;
    this.#constants = tableOf(options.constants);
    this.#secret = secretBytes(options.secret);
    this.#shards = shardMap(options.shards);
    this.#objects = new ClusterObjects({
      clock: seams.clock,
      codec: () => this.#objectCodec,
      find: (name) => this.#incarnation?.node(name),
      held: (work) => this.#held(work),
      isClosed: () => this.#closing !== undefined,
    });
    const refs = refHook(this.#objects);
    this.#codec = new ValueCodec({ refs });
    this.#objectCodec = new ValueCodec({ refs, limits: objectLimits });
    const { connect: timeout, questions: most } = this.#constants;
    this.#requests = new NodeRequests({ clock: seams.clock, codec: this.#codec, timeout, most });
    this.#parts = new Parts(this.#shards, this.#codec, () => this.#current().nodes);
    this.jobs = verbsOf(this) as ClusterJobs<Jobs>;
    this.#incarnation = this.#begin();
  }

  /** The nodes, as they stand now. */
  nodes(): NodeInfo[] {
    return this.#current().nodes.map(infoOf);
  }

  /** What identifies this coordinator's present life: 16 hexadecimal digits. */
  get incarnation(): string {
    return this.#current().id;
  }

  /** The shards of the map that it has now. */
  get shards(): readonly Shard[] {
    return this.#shards.shards;
  }

  /**
   * Goes over to a newer shard map. A request that is under way keeps the map that it was laid out with, whole, and what
   * is asked from now on has the new one: nothing is answered from a mixture of both.
   * @throws ClusterError `bad_options` for a map that is none, or is not newer than the one there is.
   */
  reshard(map: ShardMap): void {
    const next = shardMap(map);
    const { version } = this.#shards;
    if (!(next.version > version))
      throw new ClusterError('bad_options', `The shard map has version ${next.version}; there is ${version} already.`);
    this.#parts = new Parts(next, this.#codec, () => this.#current().nodes);
    this.#shards = next;
  }

  /** Calls a function job for its one value. @throws ClusterError, JobError */
  async call(job: string, args?: unknown, options: CallOptions = {}): Promise<unknown> {
    checkCall(job, options);
    const parts = [this.#parts.one(options)];
    const gather = this.#gather(job, args, options, {
      parts,
      stream: false,
      single: true,
      inlineUpTo: inlineUpTo(options.result),
      limit: 1,
    });
    const [value] = (await gather.pull()) ?? [];
    gather.end();
    return value;
  }

  /** Streams a generator job's rows from one part. */
  stream<Row = unknown>(job: string, args?: unknown, options: StreamOptions = {}): RowStream<Row> {
    checkStream(job, options);
    const parts = [this.#parts.one(options)];
    return new RowStream(
      this.#gather<Row>(job, args, options, { parts, stream: true, single: true, limit: options.limit ?? Infinity }),
    );
  }

  /** Runs a job over many parts and gathers what they send. */
  scatter<Row = unknown>(job: string, args?: unknown, options: ScatterOptions<Row> = {}): RowStream<Row> {
    checkScatter(job, options);
    const { merge, race = false, partial = false, limit = Infinity } = options;
    const order = { parts: this.#parts.over(options.over), single: false, race, partial, limit };
    const copy = (row: Row): Row => this.#codec.unpack(this.#codec.pack(row)) as Row;
    return new RowStream(
      this.#gather<Row>(
        job,
        args,
        options,
        merge === undefined ? order : { ...order, merge: new RowOrder(merge, job, copy) },
      ),
    );
  }

  /** Folds all rows, or the values of all parts, into one. */
  async reduce<Row, Result>(job: string, args: unknown, options: ReduceOptions<Row, Result>): Promise<Result> {
    checkReduce(job, options);
    const { initial, reduce, ...rest } = options;
    let result = initial;
    for await (const rows of this.scatter<Row>(job, args, rest).batches()) {
      for (const row of rows) result = reduce(result, row);
    }
    return result;
  }

  /** Asks a node about itself: `stats`, `jobs`, `errors`; or for a `ping`. */
  async request(node: string, name: NodeQuestion): Promise<unknown> {
    checkName("A request's name", name);
    const incarnation = this.#current();
    const known = incarnation.node(node);
    if (known?.state !== 'up' && known?.state !== 'draining') throw incarnation.unreachable(node, `request ${name}`);
    return this.#held(() => this.#requests.ask(known, name));
  }

  /** Resolves when so many nodes are up. @throws ClusterError `unreachable` with each node's trouble after `connect` ms. */
  async whenUp(count: number): Promise<void> {
    const incarnation = this.#current();
    if (!Number.isInteger(count) || count < 0 || count > incarnation.nodes.length) {
      throw new ClusterError(
        'bad_options',
        `minNodes is 0 to ${incarnation.nodes.length}, as many as there are nodes, not ${count}.`,
      );
    }
    const { nodes, constants } = incarnation;
    const enough = (): boolean => incarnation.count('up') >= count;
    const decided = (): boolean => enough() || nodes.filter(({ mayBeUp }) => mayBeUp).length < count;
    await this.#held(() => incarnation.until(decided, constants.connect));
    if (!enough()) throw incarnation.over ?? tooFewUp(nodes, count, decided() ? undefined : constants.connect);
  }

  /**
   * Resolves when the job of this reference cannot run any more, so that another may take its place: its node has confirmed
   * that nothing of it is left, or its session is lost and the bound (1.1 leases and the time of a kill, 6 s) has passed
   * since anybody renewed that. A job that has not ended is waited for. @throws ClusterError `bad_options` for what is no
   * reference of this coordinator's present incarnation.
   */
  async whenSurelyDead(ref: string): Promise<void> {
    const { incarnation, counter } = parseRef(ref);
    const current = this.#current();
    if (incarnation !== current.id) {
      const text = `${ref} is no reference of this coordinator's incarnation, ${current.id}.`;
      throw new ClusterError('bad_options', text);
    }
    await this.#held(() => current.whenSurelyDead(counter));
  }

  /** Kills what is left, with confirmation, and lets everything go. May be called twice. */
  close(): Promise<void> {
    this.#closing ??= this.#held(async () => {
      this.#requests.close();
      try {
        await this.#incarnation?.close();
      } finally {
        await this.#seams.closed?.();
      }
    });
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  /** Keeps the process alive while the work is under way. */
  async #held<T>(work: () => Promise<T>): Promise<T> {
    const release = this.#hold();
    try {
      return await work();
    } finally {
      release();
    }
  }

  #current(): Incarnation {
    if (this.#closing !== undefined) throw new ClusterError('closed', 'The cluster handle was closed.');
    this.#incarnation ??= this.#begin();
    return this.#incarnation;
  }

  #begin(): Incarnation {
    const { clock, entropy, transport, spawn, note } = this.#seams;
    const identity = newIdentity('coordinator', this.#options.id ?? 'coordinator', entropy);
    const incarnation: Incarnation = new Incarnation({
      addresses: this.#addresses,
      clock,
      entropy,
      constants: this.#constants,
      transport,
      identity,
      secret: this.#secret,
      tls: this.#options.tls,
      codec: this.#codec,
      spawn,
      ...(note && { note }),
      hold: this.#hold,
      changed: (node) => this.#changed(node),
      troubled: (node) => this.emit('trouble', infoOf(node)),
      fenced: (why) => {
        if (this.#incarnation === incarnation) this.#incarnation = undefined;
        this.emit('fenced', why);
      },
      other: (node, message) => this.#other(node, message),
    });
    return incarnation;
  }

  #changed(node: ClusterNode): void {
    if (node.state === 'dialling' || node.state === 'closed') {
      this.#objects.over(node, `the session with ${node.name} is over`);
      this.#requests.over(node);
    }
    this.emit('node', infoOf(node));
  }

  #other(node: ClusterNode, message: Message): void {
    if (message.type === 'response') this.#requests.answered(node, message);
    else this.#objects.pass(node, message);
  }

  #gather<Row>(
    job: string,
    args: unknown,
    options: RequestOptions,
    rest: Pick<GatherOrder<Row>, 'parts' | 'single' | 'limit'> & Partial<GatherOrder<Row>>,
  ): Gather<Row> {
    const { signal, timeout = Infinity, messageTimeout = Infinity, priority = 128, trace, onProgress, onLog } = options;
    if (signal?.aborted === true)
      throw new ClusterError('cancelled', 'The caller cancelled.', { job, trace, cause: signal.reason });
    const gather = new Gather<Row>(this.#current(), {
      job,
      args: this.#codec.pack(args, 'args'),
      trace,
      race: false,
      partial: false,
      priority,
      timeout,
      messageTimeout,
      ...(onProgress && { onProgress }),
      ...(onLog && { onLog }),
      ...rest,
    });
    if (signal !== undefined) gather.endWith(signal);
    return gather;
  }
}

/** The largest packed value that comes as it is; undefined: any. */
function inlineUpTo(result: CallOptions['result']): number | undefined {
  if (result === 'key') return 0;
  return typeof result === 'object' ? result.inlineUpTo : undefined;
}

/** `once` and `on` of node:events listen for `error` too. */
const others: ReadonlySet<unknown> = new Set(['error', 'newListener', 'removeListener']);
const events: Readonly<Record<keyof ClusterEvents, true>> = { node: true, trouble: true, fenced: true };

/** @throws ClusterError `bad_options`: a listener for what never happens is a slip of the pen. */
function checkEvent(event: unknown): void {
  if (others.has(event) || Object.hasOwn(events, event as string)) return;
  throw new ClusterError(
    'bad_options',
    `There is no event "${String(event)}"; there are ${Object.keys(events).join(', ')}.`,
  );
}

/** 1 GiB, as an object transfer takes at most. */
const objectLimits = { bytes: 2 ** 30, items: 2 ** 26 };

function infoOf(node: ClusterNode): NodeInfo {
  const { id, address, state, load, jobs, trouble } = node;
  return { id, address, state, load, jobs: [...jobs.keys()], trouble };
}
