import { availableParallelism } from 'node:os';
import type { Clock } from '@muster/rexi';
import { ClusterError, systemClock } from '@muster/rexi';
import type { Executor, Executors, Isolation, JobEntry, Waiting } from './executor.ts';
import type { LaunchOptions } from './launcher.ts';
import { Launcher } from './launcher.ts';
import { oneLine } from './one-line.ts';
import type { Keeper, Launching, Lent, PoolSlot } from './pool-slot.ts';
import type { Limits, Wish } from './slots.ts';
import { choose, comesBack, demand, nextOf, tasksOf } from './slots.ts';
import { Starts } from './starts.ts';
import { Trim } from './trim.ts';
import { Waiters } from './waiters.ts';
import type { Verdict } from './words.ts';

export interface PoolOptions extends LaunchOptions {
  /** Executors in all (default 64), and shared ones of one incarnation (default: one per core). */
  readonly limits?: Partial<Limits>;
  /** Executors kept warm for the next job; default 2. More are ended when they have been idle for 30 s. */
  readonly spares?: number;
  /** Milliseconds that the jobs module may take to load; default 30,000. */
  readonly loadTimeout?: number;
  readonly clock?: Clock;
  /** Takes a line about what went wrong; default: the error stream. */
  readonly warn?: (line: string) => void;
}

/** What a pool decides by, with nothing left to default. */
export interface PoolSettings {
  readonly jobs: string;
  readonly node: string;
  readonly limits: Limits;
  readonly spares: number;
  readonly loadTimeout: number;
  readonly clock: Clock;
  readonly warn: (line: string) => void;
}

/** Milliseconds that an executor has after its job to show that it is quiet; then it is replaced. */
const settleTime = 1_000;

/** Milliseconds after which a jobs module that is still loading is worth a word. */
const hintTime = 5_000;

const defaultLimits: Limits = { executors: 64, shared: availableParallelism() };

/**
 * Starts a pool of executors with its reaper; resolves when the first one has loaded the jobs module, and with it the
 * table of jobs.
 * @throws ClusterError `unavailable` when the module cannot be loaded; its `cause` is the executor's own error.
 * `bad_options` when the data directory belongs to a node that is running.
 */
export async function startPool(options: PoolOptions): Promise<Executors> {
  const { jobs, node, clock = systemClock } = options;
  const { limits, spares, loadTimeout } = poolSettings(options);
  const tell = options.warn ?? toErrorStream();
  const warn = (line: string): void => tell(oneLine(line));
  const launcher = await Launcher.open(options, { clock, warn });
  const pool = new Pool({ jobs, node, limits, spares, loadTimeout, clock, warn }, launcher);
  try {
    await pool.open();
    return pool;
  } catch (error) {
    await pool.close();
    throw error;
  }
}

/** What holds for a pool, defaults included. */
export function poolSettings({
  limits,
  spares = 2,
  loadTimeout = 30_000,
}: Pick<PoolOptions, 'limits' | 'spares' | 'loadTimeout'>): Pick<PoolSettings, 'limits' | 'spares' | 'loadTimeout'> {
  return { limits: { ...defaultLimits, ...limits }, spares, loadTimeout };
}

/** Whoever reads the error stream may go: then a line is lost, and not the node. */
export function toErrorStream(): (line: string) => void {
  if (!process.stderr.listeners('error').includes(unheard)) process.stderr.on('error', unheard);
  return (line) => void process.stderr.write(`${line}\n`);
}

const unheard = (): void => undefined;

/** Who gets which executor, and when one is started, used again, or ended. */
export class Pool<E extends Lent = Lent> implements Executors {
  readonly #settings: PoolSettings;
  readonly #launcher: Launching<E>;
  readonly #starts: Starts<E>;
  readonly #slots: Set<PoolSlot> = new Set();
  readonly #bySlot: Map<Executor, PoolSlot> = new Map();
  readonly #waiters: Waiters = new Waiters();
  readonly #trim: Trim;
  #jobs: ReadonlyMap<string, JobEntry> = new Map();
  #opening: { resolve(): void; reject(error: Error): void } | undefined;
  #closing: Promise<void> | undefined;

  constructor(settings: PoolSettings, launcher: Launching<E>) {
    this.#settings = settings;
    this.#launcher = launcher;
    this.#trim = new Trim({ ...settings, slots: this.#slots, end: (slot, why) => this.#end(slot, why) });
    this.#starts = new Starts<E>({
      ...settings,
      launcher,
      slots: this.#slots,
      most: settings.limits.executors,
      wanted: () => settings.spares + demand(this.#waiters.wishes),
      keeper: (slot) => this.#keeperOf(slot),
      launched: (slot, executor) => this.#launched(slot, executor),
      unlaunched: (error) => this.#failed(this.#unavailable('An executor cannot be started.', error)),
      overdue: (slot, why) => this.#end(slot, why),
    });
  }

  get jobs(): ReadonlyMap<string, JobEntry> {
    return this.#jobs;
  }

  /** Executors that there are, those included that start and end. */
  get size(): number {
    return this.#slots.size;
  }

  /** Starts the first executor; the others follow when it has shown that the module loads. */
  open(): Promise<void> {
    const { clock, loadTimeout, jobs, warn } = this.#settings;
    const hint = clock.after(hintTime, () =>
      warn(`The jobs module ${jobs} is still loading after ${hintTime / 1_000} s; it has ${loadTimeout / 1_000} s.`),
    );
    return new Promise<void>((resolve, reject) => {
      this.#opening = { resolve, reject };
      this.#starts.start();
    }).finally(() => hint.cancel());
  }

  acquire(isolation: Isolation, incarnation: string, { left, parks = true }: Waiting = {}): Promise<Executor> {
    const wish: Wish = { isolation, incarnation, parks };
    if (this.#closing !== undefined) return Promise.reject(this.#unavailable('The node is closing.'));
    const choice = choose(this.#slots, this.#waiters.wishes, wish, this.#settings.limits);
    if (choice.do === 'refuse') return Promise.reject(this.#overloaded());
    if (choice.do === 'take') {
      const taken = this.#take(choice.slot, wish);
      this.#fill();
      return Promise.resolve(taken);
    }
    if (choice.do === 'evict') this.#end(choice.slot, 'its place is needed');
    if (this.#starts.hopeless) return Promise.reject(this.#unavailable('No executor can be started.'));
    const executor = this.#waiters.add(wish, left?.());
    this.#fill();
    return executor;
  }

  release(executor: Executor): void {
    const slot = this.#bySlot.get(executor);
    if (slot === undefined) return;
    const used = slot.executor?.used === true;
    if (used) this.#starts.succeeded();
    const { state } = slot;
    if (state.is === 'exclusive') return used ? this.#settle(slot) : this.#rest(slot);
    if (state.is !== 'shared') return;
    if (state.tasks === 1 && !used && !state.retired) return this.#rest(slot);
    slot.state = { ...state, tasks: state.tasks - 1 };
    if (tasksOf(slot) === 0) this.#trim.idle(slot);
    this.#endIfDone(slot);
    // Where a job was asked to end, the others' wishes have waited for what becomes of it.
    this.#serve();
  }

  retire(incarnation: string): void {
    const error = this.#unavailable('The incarnation has ended.');
    this.#waiters.refuse(error, (wish) => wish.isolation === 'shared' && wish.incarnation === incarnation);
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
    this.#waiters.refuse(this.#unavailable('The node is closing.'));
    this.#trim.stop();
    await this.#starts.stop();
    await Promise.all(Array.from(this.#slots, async (slot) => slot.executor?.kill('the node is closing')));
    await this.#launcher.close();
  }

  #take(slot: PoolSlot, { isolation, incarnation, parks }: Wish): Executor {
    const executor = slot.executor as Lent;
    const { state } = slot;
    if (state.is === 'spare') executor.lend(isolation);
    slot.verdict = undefined;
    if (isolation === 'exclusive') slot.state = { is: 'exclusive', parks };
    else if (state.is === 'shared') slot.state = { ...state, tasks: state.tasks + 1 };
    else slot.state = { is: 'shared', incarnation, tasks: 1, retired: false };
    return executor;
  }

  /** Gives those who wait what there is, in their order. */
  #serve(): void {
    this.#waiters.serve((wish) => {
      const slot = nextOf([...this.#slots], wish, this.#settings.limits);
      return slot && this.#take(slot, wish);
    });
    this.#refuseVain();
    this.#fill();
  }

  /** Who waited for a task to give its executor back, and a task has taken that which may keep it, is told so. */
  #refuseVain(): void {
    if (this.#waiters.wishes.length === 0 || [...this.#slots].some(comesBack)) return;
    const left: Wish[] = [];
    this.#waiters.refuse(this.#overloaded(), (wish) => {
      const choice = choose(this.#slots, left, wish, this.#settings.limits);
      if (choice.do === 'refuse') return true;
      if (choice.do === 'evict') this.#end(choice.slot, 'its place is needed');
      left.push(wish);
      return false;
    });
  }

  #fill(): void {
    if (this.#opening === undefined) this.#starts.fill();
  }

  #launched(slot: PoolSlot, executor: E): void {
    slot.executor = executor;
    this.#bySlot.set(executor, slot);
    // It was given up, or the node has begun to close, while there was no process to kill.
    if (slot.state.is === 'ending') void executor.kill('it came too late');
  }

  #keeperOf(slot: PoolSlot): Keeper {
    return {
      loaded: (table) => this.#loaded(slot, table),
      broken: (message, stack) => this.#broken(slot, message, stack),
      fit: (verdict, why) => this.#fit(slot, verdict, why),
      ending: (cause, killed) => this.#ending(slot, cause, killed),
      gone: () => this.#gone(slot),
    };
  }

  #loaded(slot: PoolSlot, entries: readonly JobEntry[]): void {
    if (slot.state.is !== 'starting') return;
    if (this.#opening !== undefined) {
      this.#jobs = new Map(entries.map((entry) => [entry.name, entry]));
      this.#opening.resolve();
      this.#opening = undefined;
    }
    this.#rest(slot);
  }

  /** The user's code shares the socket: only of one that loads it is believed. */
  #broken(slot: PoolSlot, message: string, stack: string): void {
    if (slot.state.is !== 'starting') return;
    const cause = Object.assign(new Error(message), { stack });
    slot.state = { is: 'ending' };
    void slot.executor?.kill('the jobs module cannot be loaded');
    this.#failed(this.#unavailable(`The jobs module ${this.#settings.jobs} cannot be loaded: ${message}`, cause));
  }

  /** A start has failed; those who wait are told when there is no hope left. */
  #failed(error: Error): void {
    this.#starts.failed(error);
    this.#opening?.reject(error);
    if (this.#closing === undefined && this.#opening === undefined) this.#settings.warn(error.message);
    if (this.#starts.hopeless) this.#waiters.refuse(error);
    this.#fill();
  }

  #fit(slot: PoolSlot, verdict: Verdict, why: string): void {
    slot.verdict = verdict;
    if (verdict === 'spoiled') {
      slot.spoiled = true;
      this.#settings.warn(`An executor is replaced: ${why}.`);
    }
    if (slot.state.is === 'settling') this.#settled(slot);
    else if (slot.spoiled) this.#endIfDone(slot);
  }

  /** Its job is over: it is used again if nothing of the job is left in it. */
  #settle(slot: PoolSlot): void {
    const settling = { is: 'settling' } as const;
    slot.state = settling;
    if (slot.verdict !== undefined || slot.spoiled) return this.#settled(slot);
    this.#settings.clock.after(settleTime, () => {
      // By its identity: it may have run, and settle after, another job.
      if (slot.state === settling) this.#end(slot, 'it did not come to rest after its job');
    });
  }

  #settled(slot: PoolSlot): void {
    const { executor, verdict, spoiled } = slot;
    if (spoiled) return this.#end(slot, 'a job has left something behind');
    if (verdict === 'forked' && this.#launcher.hasCompany(executor as E))
      return this.#end(slot, 'a job has left processes behind');
    this.#rest(slot);
  }

  /** It can be used by anybody. */
  #rest(slot: PoolSlot): void {
    slot.state = { is: 'spare' };
    this.#trim.idle(slot);
    this.#endIfDone(slot);
    this.#serve();
  }

  /** Ends a spare that is spoiled, and a shared one without tasks that is spoiled or retired. */
  #endIfDone(slot: PoolSlot): void {
    const { state, spoiled } = slot;
    const retired = state.is === 'shared' && state.retired;
    const free = state.is === 'spare' || (state.is === 'shared' && tasksOf(slot) === 0);
    if (free && (spoiled || retired)) this.#end(slot, 'it is not used again');
  }

  /** Ends one that nobody uses. */
  #end(slot: PoolSlot, why: string): void {
    const unfinished = slot.state.is === 'starting';
    slot.state = { is: 'ending' };
    void slot.executor?.kill(why);
    if (unfinished) this.#failed(this.#unavailable(`An executor was given up: ${why}.`));
    else this.#fill();
  }

  /** From now on it takes no task, whoever has killed it; where nobody had a use for it yet, it is a start that failed. */
  #ending(slot: PoolSlot, cause: string, killed: boolean): void {
    const { state } = slot;
    if (state.is === 'ending') return;
    slot.state = { is: 'ending' };
    const failed = state.is === 'starting' || (state.is === 'spare' && !killed);
    if (failed && this.#closing === undefined)
      this.#failed(this.#unavailable(`An executor died before it had a job: ${cause}.`));
    else this.#fill();
  }

  #gone(slot: PoolSlot): void {
    this.#slots.delete(slot);
    const executor = slot.executor as E;
    this.#bySlot.delete(executor);
    this.#launcher.clear(executor).catch((error: unknown) => this.#settings.warn(String(error)));
    this.#fill();
  }

  #unavailable(message: string, cause: unknown = this.#starts.cause): ClusterError {
    return new ClusterError('unavailable', message, { node: this.#settings.node, cause });
  }

  #overloaded(): ClusterError {
    const { executors } = this.#settings.limits;
    return new ClusterError('overloaded', `All ${executors} executors are in use.`, {
      node: this.#settings.node,
      detail: 'executors',
    });
  }
}
