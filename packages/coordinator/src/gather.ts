import type { CastTrace, ErrorCode, Timer } from '@muster/rexi';
import { castTrace, chance, ClusterError, onAbort, traceOf } from '@muster/rexi';
import type { Wanted } from './casting.ts';
import { Casting } from './casting.ts';
import type { MissingPart } from './exit-error.ts';
import { retold, ScatterError } from './exit-error.ts';
import type { GatherOrder, GatherStats } from './gather-order.ts';
import type { Incarnation } from './incarnation.ts';
import { Intake } from './intake.ts';
import { Lane } from './lane.ts';
import type { ClusterNode } from './node.ts';
import type { PartEffect } from './part.ts';
import { Source } from './source.ts';
import { Watch } from './watch.ts';

/**
 * One request, scattered over parts and gathered again: a fold over what the parts' copies say. Whatever way it ends,
 * everything that it has cast has ended, or has been killed, when it is over.
 */
export class Gather<T> {
  readonly stats: GatherStats;
  readonly missing: MissingPart[] = [];
  readonly #in: Incarnation;
  readonly #order: GatherOrder<T>;
  readonly #lanes: readonly Lane[];
  readonly #intake: Intake<T>;
  readonly #casting: Casting;
  readonly #watch: Watch;
  readonly #deadline: number;
  readonly #trace: CastTrace | undefined;
  readonly #ending: (() => void)[] = [];
  /** Copies to be killed at the end of this step, one message a node. */
  readonly #doomed: Source[] = [];
  #wakers: (() => void)[] = [];
  #timer: Timer | undefined;
  #error: ClusterError | undefined;
  #over = false;

  constructor(incarnation: Incarnation, order: GatherOrder<T>) {
    const { clock, guardian } = incarnation;
    this.#in = incarnation;
    this.#order = order;
    this.stats = { parts: order.parts.length, delivered: 0, received: 0, replaced: 0, cancelled: 0 };
    this.#lanes = order.parts.map((part, rank) => new Lane(part, rank, order.race));
    this.#intake = new Intake<T>({
      lanes: this.#lanes,
      merge: order.merge,
      exhausted: (lane, source) => this.#complete(lane, source),
    });
    this.#casting = new Casting(guardian, (node, casts) => this.#castAt(node, casts));
    this.#watch = new Watch({
      clock,
      constants: incarnation.constants,
      lanes: this.#lanes,
      messageTimeout: order.messageTimeout,
      silent: (lane, source) => this.#fellSilent(lane, source),
    });
    this.#trace = castTrace(order.trace, incarnation.entropy);
    this.#deadline = clock.now() + order.timeout;
    if (order.timeout !== Infinity) this.#timer = clock.after(order.timeout, () => this.#expired());
    incarnation.opened(this);
    void this.#begin();
  }

  get job(): string {
    return this.#order.job;
  }

  /** The next rows, at least one; undefined at the end. What was handed out before counts as consumed. */
  async pull(): Promise<T[] | undefined> {
    try {
      this.#intake.settle();
      this.#watch.asked();
      for (;;) {
        this.#assertGood();
        if (this.#isDone()) break;
        const rows = this.#intake.take(this.#order.limit - this.stats.delivered);
        this.#assertGood();
        if (rows.length > 0) return this.#hand(rows);
        if (!this.#isDone()) await this.#news();
      }
      this.end();
      return undefined;
    } catch (error) {
      this.end(); // Whatever failed, the caller's own comparison included: nobody will pull again.
      throw error;
    }
  }

  /** Ends the request for a reason of the caller's. */
  fail(code: ErrorCode, message: string, cause?: unknown): void {
    this.#throw(new ClusterError(code, message, { job: this.#order.job, cause }));
  }

  /** An abort of the signal ends the request, as long as that is open. */
  endWith(signal: AbortSignal): void {
    if (this.#over) return;
    this.#ending.push(onAbort(signal, () => this.fail('cancelled', 'The caller cancelled.', signal.reason)));
  }

  /** Ends the request: what is left of it is killed. May be called twice. */
  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    this.#watch.end();
    for (const lane of this.#lanes) {
      lane.hedge?.cancel();
      lane.over = true;
      this.#perform(lane, lane.part.end());
    }
    this.#killDoomed();
    for (const told of this.#ending.splice(0)) told();
    this.#in.closed(this);
    this.#stir();
  }

  async #begin(): Promise<void> {
    const { parts, timeout, job } = this.#order;
    const wait = Math.min(timeout, this.#in.constants.connect);
    await this.#in.whenReachable(
      parts.map(({ nodes }) => nodes),
      wait,
    );
    if (this.#over) return;
    // Only now is it known what kind the job is: before, no node may have been up.
    const known = this.#in.isStream(job);
    const stream = this.#order.stream ?? known ?? false;
    if (known !== undefined && known !== stream) return this.#refuse(known);
    for (const lane of this.#lanes) this.#perform(lane, lane.part.begin(stream));
  }

  #perform(lane: Lane, effects: readonly PartEffect[]): void {
    for (const effect of effects) {
      if (effect.do === 'cast') this.#want(lane, effect);
      else if (effect.do === 'start') this.#start(lane, effect.copy);
      else if (effect.do === 'cancel') this.#cancel(lane, effect.copy);
      else if (effect.do === 'arm') this.#arm(lane);
      else this.#partFailed(lane, effect.error);
    }
    if (!this.#over) this.#killDoomed();
  }

  /** Casts of one turn go together: those of a fan-out share a message. */
  #want(lane: Lane, { copy, node }: { readonly copy: number; readonly node: string }): void {
    if (!this.#casting.want({ lane, copy, node })) return;
    Promise.resolve()
      .then(() => this.#casting.flush())
      .catch((error: unknown) => this.#throw(asClusterError(error, this.#order.job)));
  }

  #castAt(name: string, casts: readonly Wanted[]): void {
    if (this.#over) return;
    const node = this.#in.node(name);
    if (node?.state !== 'up') {
      for (const { lane, copy } of casts) {
        const error = this.#in.unreachable(name, this.#order.job, lane.order.nodes);
        this.#perform(lane, lane.part.notCast(copy, error));
      }
      return;
    }
    const parts = casts.map(({ lane, copy }) => ({
      shard: lane.order.value,
      handler: this.#newSource(lane, copy, node),
    }));
    const { job, args, inlineUpTo, priority } = this.#order;
    const order = { job, args, inlineUpTo, trace: this.#trace, priority, deadline: this.#deadline };
    const counters = node.cast(order, parts);
    parts.forEach(({ handler }, i) => {
      handler.counter = counters[i] ?? 0;
      casts[i]?.lane.sources.set(handler.copy, handler);
    });
  }

  #newSource(lane: Lane, copy: number, node: ClusterNode): Source {
    const { codec, constants, clock } = this.#in;
    const { job, onProgress, onLog } = this.#order;
    const { shard } = lane.order;
    return new Source({
      node,
      copy,
      job,
      shard,
      codec,
      constants,
      now: () => clock.now(),
      ref: (counter) => this.#in.ref(counter),
      trace: (counter) => this.#trace && traceOf(this.#trace, counter),
      events: {
        ready: (source) => this.#ready(lane, source),
        changed: (source) => this.#changed(lane, source),
        failed: (source, error) => this.#copyFailed(lane, source, error),
        progress: (source, value) => this.#callBack(() => onProgress?.(value, shard, source.origin)),
        log: (source, value) => this.#callBack(() => onLog?.(value, shard, source.origin)),
      },
    });
  }

  #ready(lane: Lane, source: Source): void {
    const isStream = source.state === 'ready';
    if (this.#order.stream !== undefined && this.#order.stream !== isStream) return this.#refuse(isStream);
    this.#perform(lane, lane.part.ready(source.copy));
  }

  #refuse(isStream: boolean): void {
    const what = isStream ? 'a generator: it is streamed, not called' : 'a function: it is called, not streamed';
    this.fail('bad_options', `The job "${this.#order.job}" is ${what}.`);
  }

  /** A callback of the caller's that throws ends its own request, and nothing else. */
  #callBack(call: () => void): void {
    try {
      call();
    } catch (error) {
      this.fail('cancelled', 'A callback of the caller has thrown.', error);
    }
  }

  /** The chosen copy may compute rows now; if its session has gone meanwhile, it is not the chosen one any more. */
  #start(lane: Lane, copy: number): void {
    const source = lane.sources.get(copy);
    if (source === undefined) return;
    if (!source.node.holds(source.counter)) {
      this.#kill(source);
      return this.#copyFailed(lane, source, this.#in.unreachable(source.node.name, this.#order.job));
    }
    lane.source = source;
    source.start(this.#in.window());
  }

  #changed(lane: Lane, source: Source): void {
    if (lane.part.chosen !== source.copy) return;
    lane.source = source;
    this.#stir();
  }

  #copyFailed(lane: Lane, source: Source, error: ClusterError): void {
    if (lane.sources.get(source.copy) !== source) return;
    lane.sources.delete(source.copy);
    if (lane.source === source) this.#intake.forget(lane);
    this.#perform(lane, lane.part.failed(source.copy, error));
    this.#stir();
  }

  #complete(lane: Lane, { copy }: Source): void {
    lane.over = true;
    lane.hedge?.cancel();
    this.#perform(lane, lane.part.complete(copy));
  }

  #partFailed(lane: Lane, error: ClusterError): void {
    lane.over = true;
    lane.hedge?.cancel();
    this.missing.push({ shard: lane.order.shard, error });
    // The end of the whole coordinator is no matter of one part.
    if (error.code === 'fenced') return this.#throw(error);
    if (this.#order.partial) return this.#stir();
    this.#throw(this.#order.single ? error : new ScatterError(this.#order.job, this.missing, this.#order.trace));
  }

  #throw(error: ClusterError): void {
    if (this.#over) return;
    this.#error = this.#traced(error);
    this.end();
  }

  /** An error that is about no cast of its own is about the request's. */
  #traced(error: ClusterError): ClusterError {
    const { trace } = this.#order;
    return trace === undefined || error.trace !== undefined ? error : retold(error, error.text, { trace });
  }

  #cancel(lane: Lane, copy: number): void {
    const source = lane.sources.get(copy);
    if (source === undefined) return;
    lane.sources.delete(copy);
    if (source.state !== 'complete' && source.state !== 'over') this.#kill(source);
  }

  /** Its end is not waited for: a session that is lost meanwhile takes it along. */
  #kill(source: Source): void {
    this.stats.cancelled += 1;
    const waits = source.state === 'ready';
    source.discard();
    if (waits) source.node.cancel(source.counter);
    else this.#doomed.push(source);
  }

  #killDoomed(): void {
    const byNode = new Map<ClusterNode, number[]>();
    for (const { node, counter } of this.#doomed.splice(0)) {
      const counters = byNode.get(node);
      if (counters === undefined) byNode.set(node, [counter]);
      else counters.push(counter);
    }
    for (const [node, counters] of byNode) void node.kill(counters, this.#in.constants.killGrace, false);
  }

  #arm(lane: Lane): void {
    lane.hedge?.cancel();
    const { clock, constants } = this.#in;
    const wait = chance(clock, 'hedge-at-once', 0.1) ? 0 : constants.hedgeInit;
    lane.hedge = clock.after(wait, () => this.#perform(lane, lane.part.late()));
  }

  #hand(rows: T[]): T[] {
    const left = this.#order.limit - this.stats.delivered;
    const some = rows.length > left ? rows.slice(0, left) : rows;
    this.stats.delivered += some.length;
    this.#watch.answered();
    this.stats.received = this.#intake.received;
    this.stats.replaced = this.#lanes.reduce((sum, { part }) => sum + part.replaced, 0);
    if (this.stats.delivered >= this.#order.limit) this.end();
    return some;
  }

  #assertGood(): void {
    if (this.#error !== undefined) throw this.#error;
  }

  #isDone(): boolean {
    return this.#over || this.stats.delivered >= this.#order.limit || this.#lanes.every(({ over }) => over);
  }

  #expired(): void {
    this.fail('deadline', `The overall timeout of ${this.#order.timeout} ms has passed.`);
  }

  #fellSilent(lane: Lane, source: Source): void {
    const { job, messageTimeout } = this.#order;
    this.#kill(source);
    const node = source.node.name;
    const context = {
      job,
      node,
      shard: lane.order.shard,
      ref: this.#in.ref(source.counter),
      trace: source.origin.trace,
      detail: 'message',
    };
    const error = new ClusterError('timeout', `Nothing was heard for ${messageTimeout} ms.`, context);
    this.#copyFailed(lane, source, error);
  }

  /** Resolves when something has changed. */
  async #news(): Promise<void> {
    await new Promise<void>((resolve) => this.#wakers.push(resolve));
  }

  #stir(): void {
    const wakers = this.#wakers;
    this.#wakers = [];
    for (const wake of wakers) wake();
  }
}

function asClusterError(error: unknown, job: string): ClusterError {
  if (error instanceof ClusterError) return error;
  return new ClusterError('protocol_error', `The request failed inside the coordinator: ${String(error)}`, {
    job,
    cause: error,
  });
}
