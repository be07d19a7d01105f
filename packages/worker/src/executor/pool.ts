import { availableParallelism } from 'node:os';
import type { Clock } from '@muster/rexi';
import { ClusterError, systemClock } from '@muster/rexi';
import { companyOf } from '../reaper/hunter.ts';
import type { Executor, Executors, Isolation, JobEntry } from './executor.ts';
import type { ExecutorProcess, Keeper } from './executor-process.ts';
import type { LaunchOptions } from './launcher.ts';
import { Launcher } from './launcher.ts';
import { Restarts } from './restarts.ts';
import type { Limits, Slot, Wish } from './slots.ts';
import { choose, demand, nextOf, tasksOf } from './slots.ts';
import type { Verdict } from './words.ts';

export interface PoolOptions extends LaunchOptions {
  /** Executors in all (default 64), and shared ones of one incarnation (default: one per core). */
  readonly limits?: Partial<Limits>;
  /** Executors kept warm for the next job; default 2. */
  readonly spares?: number;
  /** Milliseconds that the jobs module may take to load; default 30,000. */
  readonly loadTimeout?: number;
  readonly clock?: Clock;
  /** Takes a line about what went wrong; default: the error stream. */
  readonly warn?: (line: string) => void;
}

interface ProcessSlot extends Slot {
  executor: ExecutorProcess | undefined;
}

interface Waiter extends Wish {
  resolve(executor: Executor): void;
  reject(error: Error): void;
}

/** Milliseconds that an executor has after its job to show that it is quiet; then it is replaced. */
const settleTime = 1_000;

const defaultLimits: Limits = { executors: 64, shared: availableParallelism() };

/**
 * Starts a pool of executors with its reaper; resolves when the first one has loaded the jobs module, and with it the
 * table of jobs.
 * @throws ClusterError `unavailable` when the module cannot be loaded; its `cause` is the executor's own error.
 */
export async function startPool(options: PoolOptions): Promise<Executors> {
  const clock = options.clock ?? systemClock;
  const warn = options.warn ?? ((line: string): void => void process.stderr.write(`${line}\n`));
  const pool = new Pool({ ...options, clock, warn }, await Launcher.open(options, { clock, warn }));
  try {
    await pool.open();
    return pool;
  } catch (error) {
    await pool.close();
    throw error;
  }
}

class Pool implements Executors {
  readonly #options: PoolOptions;
  readonly #limits: Limits;
  readonly #spares: number;
  readonly #clock: Clock;
  readonly #launcher: Launcher;
  readonly #restarts: Restarts = new Restarts();
  readonly #slots: Set<ProcessSlot> = new Set();
  readonly #bySlot: Map<Executor, ProcessSlot> = new Map();
  readonly #starts: Set<Promise<void>> = new Set();
  #waiters: Waiter[] = [];
  #jobs: ReadonlyMap<string, JobEntry> = new Map();
  #opening: { resolve(): void; reject(error: Error): void } | undefined;
  #closing: Promise<void> | undefined;
  #retrying = false;

  constructor(options: PoolOptions, launcher: Launcher) {
    this.#options = options;
    this.#launcher = launcher;
    this.#limits = { ...defaultLimits, ...options.limits };
    this.#spares = options.spares ?? 2;
    this.#clock = options.clock ?? systemClock;
  }

  get jobs(): ReadonlyMap<string, JobEntry> {
    return this.#jobs;
  }

  /** Starts the first executor; the others follow when it has shown that the module loads. */
  open(): Promise<void> {
    return new Promise((resolve, reject) => {
      this.#opening = { resolve, reject };
      this.#start();
    });
  }

  acquire(isolation: Isolation, incarnation: string): Promise<Executor> {
    const wish: Wish = { isolation, incarnation };
    if (this.#closing !== undefined) return Promise.reject(this.#unavailable('The node is closing.'));
    const choice = choose(this.#slots, this.#waiters, wish, this.#limits);
    if (choice.do === 'refuse') return Promise.reject(this.#overloaded());
    if (choice.do === 'take') return Promise.resolve(this.#take(choice.slot, wish));
    if (choice.do === 'evict') this.#end(choice.slot, 'its place is needed');
    return this.#wait(wish);
  }

  release(executor: Executor): void {
    const slot = this.#bySlot.get(executor);
    if (slot === undefined) return;
    this.#restarts.succeeded();
    const { state } = slot;
    if (state.is === 'exclusive') this.#settle(slot);
    if (state.is !== 'shared') return;
    slot.state = { ...state, tasks: state.tasks - 1 };
    this.#endIfDone(slot);
  }

  retire(incarnation: string): void {
    const waiting = this.#waiters.filter(
      (waiter) => waiter.isolation === 'shared' && waiter.incarnation === incarnation,
    );
    this.#waiters = this.#waiters.filter((waiter) => !waiting.includes(waiter));
    for (const waiter of waiting) waiter.reject(this.#unavailable('The incarnation has ended.'));
    for (const slot of this.#slots) {
      const { state } = slot;
      if (state.is !== 'shared' || state.incarnation !== incarnation) continue;
      slot.state = { ...state, retired: true };
      this.#endIfDone(slot);
    }
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    for (const waiter of this.#waiters.splice(0)) waiter.reject(this.#unavailable('The node is closing.'));
    await Promise.all(this.#starts);
    await Promise.all(Array.from(this.#slots, async (slot) => slot.executor?.kill('the node is closing')));
    await this.#launcher.close();
  }

  #wait(wish: Wish): Promise<Executor> {
    if (this.#hopeless) return Promise.reject(this.#unavailable('No executor can be started.'));
    return new Promise((resolve, reject) => {
      this.#waiters.push({ ...wish, resolve, reject });
      this.#fill();
    });
  }

  #take(slot: ProcessSlot, { isolation, incarnation }: Wish): Executor {
    const executor = slot.executor as ExecutorProcess;
    const { state } = slot;
    executor.isolation = isolation;
    slot.verdict = undefined;
    if (isolation === 'exclusive') slot.state = { is: 'exclusive' };
    else if (state.is === 'shared') slot.state = { ...state, tasks: state.tasks + 1 };
    else slot.state = { is: 'shared', incarnation, tasks: 1, retired: false };
    this.#fill();
    return executor;
  }

  /** Gives those who wait what there is, in their order. */
  #serve(): void {
    const left: Waiter[] = [];
    for (const waiter of this.#waiters) {
      const slot = nextOf([...this.#slots], waiter, this.#limits);
      if (slot === undefined) left.push(waiter);
      else waiter.resolve(this.#take(slot, waiter));
    }
    this.#waiters = left;
  }

  /** Starts executors until there are enough: one for everybody who waits, and the spares. */
  #fill(): void {
    if (this.#closing !== undefined || this.#opening !== undefined || this.#retrying) return;
    const wait = this.#restarts.wait(this.#clock.now());
    if (wait > 0) return this.#retryIn(wait);
    const coming = (): number =>
      [...this.#slots].filter(({ state }) => ['starting', 'spare', 'settling'].includes(state.is)).length;
    const wanted = this.#spares + demand(this.#waiters);
    while (this.#slots.size < this.#limits.executors && coming() < wanted) this.#start();
  }

  #retryIn(wait: number): void {
    this.#retrying = true;
    this.#clock.after(wait, () => {
      this.#retrying = false;
      this.#fill();
    });
  }

  #start(): void {
    const starting = this.#tryStart().finally(() => this.#starts.delete(starting));
    this.#starts.add(starting);
  }

  async #tryStart(): Promise<void> {
    const slot: ProcessSlot = {
      state: { is: 'starting' },
      spoiled: false,
      verdict: undefined,
      executor: undefined,
      get condemned() {
        return this.executor?.condemned ?? 0;
      },
    };
    this.#slots.add(slot);
    try {
      const executor = await this.#launcher.launch(this.#keeperOf(slot));
      slot.executor = executor;
      this.#bySlot.set(executor, slot);
      if (this.#closing === undefined) void this.#load(slot, executor);
    } catch (error) {
      this.#slots.delete(slot);
      this.#failed(this.#unavailable('An executor cannot be started.', error));
    }
  }

  async #load(slot: ProcessSlot, executor: ExecutorProcess): Promise<void> {
    await this.#launcher.introduce(executor);
    this.#clock.after(this.#options.loadTimeout ?? 30_000, () => {
      if (slot.state.is === 'starting') this.#end(slot, 'the jobs module took too long to load');
    });
  }

  #keeperOf(slot: ProcessSlot): Keeper {
    return {
      loaded: (table) => this.#loaded(slot, table),
      broken: (message, stack) => this.#broken(slot, message, stack),
      fit: (verdict, why) => this.#fit(slot, verdict, why),
      gone: (cause) => this.#gone(slot, cause),
    };
  }

  #loaded(slot: ProcessSlot, table: string): void {
    if (slot.state.is !== 'starting') return;
    const entries = JSON.parse(table) as JobEntry[];
    slot.state = { is: 'spare' };
    if (this.#opening !== undefined) {
      this.#jobs = new Map(entries.map((entry) => [entry.name, entry]));
      this.#opening.resolve();
      this.#opening = undefined;
    }
    this.#serve();
    this.#fill();
  }

  #broken(slot: ProcessSlot, message: string, stack: string): void {
    const cause = Object.assign(new Error(message), { stack });
    slot.state = { is: 'ending' };
    this.#failed(this.#unavailable(`The jobs module ${this.#options.jobs} cannot be loaded: ${message}`, cause));
  }

  /** A start has failed; those who wait are told when there is no hope left. */
  #failed(error: Error): void {
    this.#restarts.failed(error, this.#clock.now());
    this.#opening?.reject(error);
    if (this.#closing === undefined && this.#opening === undefined) this.#warn(error.message);
    if (this.#hopeless) for (const waiter of this.#waiters.splice(0)) waiter.reject(error);
    this.#fill();
  }

  /** Starts fail again and again, and none is under way that could still succeed. */
  get #hopeless(): boolean {
    const coming = [...this.#slots].some(({ state }) => state.is === 'starting' || state.is === 'settling');
    return !coming && this.#restarts.hopeless;
  }

  #fit(slot: ProcessSlot, verdict: Verdict, why: string): void {
    slot.verdict = verdict;
    if (verdict === 'spoiled') {
      slot.spoiled = true;
      this.#warn(`An executor is replaced: ${why}.`);
    }
    if (slot.state.is === 'settling') this.#settled(slot);
    else if (slot.spoiled) this.#endIfDone(slot);
  }

  /** Its job is over: it is used again if nothing of the job is left in it. */
  #settle(slot: ProcessSlot): void {
    slot.state = { is: 'settling' };
    if (slot.verdict !== undefined || slot.spoiled) return this.#settled(slot);
    this.#clock.after(settleTime, () => {
      if (slot.state.is === 'settling' && slot.verdict === undefined)
        this.#end(slot, 'it did not come to rest after its job');
    });
  }

  #settled(slot: ProcessSlot): void {
    const { executor, verdict, spoiled } = slot;
    if (spoiled || executor === undefined) return this.#end(slot, 'a job has left something behind');
    if (verdict === 'forked' && companyOf(executor.prey).length > 0)
      return this.#end(slot, 'a job has left processes behind');
    slot.state = { is: 'spare' };
    this.#serve();
  }

  /** Ends a spare that is spoiled, and a shared one without tasks that is spoiled or retired. */
  #endIfDone(slot: ProcessSlot): void {
    const { state, spoiled } = slot;
    const retired = state.is === 'shared' && state.retired;
    const free = state.is === 'spare' || (state.is === 'shared' && tasksOf(slot) === 0);
    if (free && (spoiled || retired)) this.#end(slot, 'it is not used again');
  }

  #end(slot: ProcessSlot, why: string): void {
    const unfinished = slot.state.is === 'starting';
    slot.state = { is: 'ending' };
    void slot.executor?.kill(why);
    if (unfinished) this.#failed(this.#unavailable(`An executor was given up: ${why}.`));
    else this.#fill();
  }

  #gone(slot: ProcessSlot, cause: string): void {
    const { state, executor } = slot;
    this.#slots.delete(slot);
    if (executor !== undefined) {
      this.#bySlot.delete(executor);
      this.#launcher.clear(executor).catch((error: unknown) => this.#warn(String(error)));
    }
    const idle = state.is === 'starting' || state.is === 'spare';
    if (idle && this.#closing === undefined)
      this.#failed(this.#unavailable(`An executor died before it had a job: ${cause}.`));
    else this.#fill();
  }

  readonly #warn = (line: string): void => {
    if (this.#options.warn === undefined) process.stderr.write(`${line}\n`);
    else this.#options.warn(line);
  };

  #unavailable(message: string, cause: unknown = this.#restarts.cause): ClusterError {
    return new ClusterError('unavailable', message, { node: this.#options.node, cause });
  }

  #overloaded(): ClusterError {
    const { executors } = this.#limits;
    return new ClusterError('overloaded', `All ${executors} executors are in use.`, {
      node: this.#options.node,
      detail: 'executors',
    });
  }
}
