import type { Clock } from '@muster/rexi';
import { virtualClock } from '../../rexi/src/testing/virtual-clock.ts';
import type { VirtualClock } from '../../rexi/src/testing/virtual-clock.ts';
import type { Isolation, Waiting } from '../src/executor/executor.ts';
import { Pool } from '../src/executor/pool.ts';
import type { PoolSettings } from '../src/executor/pool.ts';
import type { Keeper, Launching, Lent } from '../src/executor/pool-slot.ts';

/** How the processes of a bench behave. Times are milliseconds; Infinity: never. */
export interface Habits {
  /** Until there is a process; negative: there is none to be had. */
  launches: number;
  /** Until the reaper answers. */
  watched: number;
  /** Until the jobs module is loaded; negative: it cannot be. */
  loads: number;
  /** From a kill until the process is gone. */
  dies: number;
}

/** An executor without a process, in which tasks are numbers. It breaks a test that runs one in it once it ends. */
export class FakeExecutor implements Lent {
  readonly id: number;
  readonly pid: undefined = undefined;
  isolation: Isolation = 'shared';
  used = false;
  ending = false;
  company = false;
  readonly tasks: Set<number> = new Set();
  readonly aborted: Set<number> = new Set();
  /** Tasks that were in it when it died, or that were put there afterwards. */
  readonly lost: number[] = [];
  readonly keeper: Keeper;
  readonly #clock: Clock;
  readonly #habits: Habits;
  #gone: Promise<void> | undefined;

  constructor(id: number, keeper: Keeper, clock: Clock, habits: Habits) {
    this.id = id;
    this.keeper = keeper;
    this.#clock = clock;
    this.#habits = habits;
  }

  get condemned(): number {
    return this.aborted.size;
  }

  lend(isolation: Isolation): void {
    this.isolation = isolation;
    this.used = false;
  }

  /** A task is put there. */
  put(task: number): void {
    if (this.ending) this.lost.push(task);
    this.used = true;
    this.tasks.add(task);
  }

  abort(task: number): void {
    this.aborted.add(task);
  }

  /** A task has ended by itself, or has heeded its abort. */
  finish(task: number): void {
    this.tasks.delete(task);
    this.aborted.delete(task);
  }

  kill(why: string): Promise<void> {
    return this.#end(why, true);
  }

  /** It ends by itself. */
  die(why: string = 'it exited'): Promise<void> {
    return this.#end(why, false);
  }

  run(): void {}
  start(): void {}
  credit(): void {}
  answer(): void {}
  noted(): void {}
  pause(): void {}
  resume(): void {}

  #end(why: string, killed: boolean): Promise<void> {
    return (this.#gone ??= new Promise((resolve) => {
      this.ending = true;
      this.keeper.ending(why, killed);
      this.#clock.after(this.#habits.dies, () => {
        this.lost.push(...this.tasks);
        this.tasks.clear();
        this.aborted.clear();
        this.keeper.gone(why);
        resolve();
      });
    }));
  }
}

class FakeLauncher implements Launching<FakeExecutor> {
  readonly executors: FakeExecutor[] = [];
  readonly #clock: Clock;
  readonly #habits: Habits;

  constructor(clock: Clock, habits: Habits) {
    this.#clock = clock;
    this.#habits = habits;
  }

  async launch(keeper: Keeper): Promise<FakeExecutor> {
    const { launches } = this.#habits;
    await this.#pause(Math.abs(launches));
    if (launches < 0) throw new Error('spawn EAGAIN');
    const executor = new FakeExecutor(this.executors.length + 1, keeper, this.#clock, this.#habits);
    this.executors.push(executor);
    return executor;
  }

  async introduce(executor: FakeExecutor): Promise<void> {
    await this.#pause(this.#habits.watched);
    const { loads } = this.#habits;
    this.#clock.after(Math.abs(loads), () => {
      if (executor.ending) return;
      if (loads >= 0) return executor.keeper.loaded([]);
      executor.keeper.broken('it throws', '');
      void executor.die('it exited with code 1');
    });
  }

  hasCompany({ company }: FakeExecutor): boolean {
    return company;
  }

  async clear(): Promise<void> {}
  async close(): Promise<void> {}

  #pause(ms: number): Promise<void> {
    return ms === Infinity ? new Promise(() => undefined) : new Promise((resolve) => this.#clock.after(ms, resolve));
  }
}

/** A pool on virtual time whose executors are no processes. */
export class PoolBench {
  readonly clock: VirtualClock = virtualClock(1_000);
  readonly habits: Habits = { launches: 10, watched: 1, loads: 90, dies: 5 };
  readonly warnings: string[] = [];
  /** Hears of each executor that is given to somebody, before anything else happens. */
  lent: (executor: FakeExecutor) => void = () => undefined;
  readonly pool: Pool<FakeExecutor>;
  readonly #launcher: FakeLauncher;

  constructor(settings: Partial<PoolSettings> = {}) {
    const { clock, habits } = this;
    this.#launcher = new FakeLauncher(clock, habits);
    this.pool = new Pool(
      {
        jobs: 'jobs.mjs',
        node: 'n',
        limits: { executors: 4, shared: 2 },
        spares: 1,
        loadTimeout: 30_000,
        clock,
        warn: (line) => void this.warnings.push(line),
        ...settings,
      },
      this.#launcher,
    );
  }

  /** A bench whose pool is open, and has its spares. */
  static async open(settings: Partial<PoolSettings> = {}): Promise<PoolBench> {
    const bench = new PoolBench(settings);
    await bench.during(bench.pool.open());
    await bench.clock.pass(1_000);
    return bench;
  }

  /** All executors that there have ever been, in order. */
  get all(): readonly FakeExecutor[] {
    return this.#launcher.executors;
  }

  get alive(): FakeExecutor[] {
    return this.all.filter(({ ending }) => !ending);
  }

  async acquire(isolation: Isolation, incarnation: string = 'a', waiting?: Waiting): Promise<FakeExecutor> {
    const executor = (await this.pool.acquire(isolation, incarnation, waiting)) as FakeExecutor;
    this.lent(executor);
    return executor;
  }

  /** Acquires, lets time pass until it is there, and puts a task into it. */
  async run(isolation: Isolation, task: number, incarnation?: string, waiting?: Waiting): Promise<FakeExecutor> {
    const executor = await this.during(this.acquire(isolation, incarnation, waiting));
    executor.put(task);
    return executor;
  }

  /** A task ends, with its executor fit for the next one. */
  finish(executor: FakeExecutor, task: number): void {
    executor.finish(task);
    this.pool.release(executor);
    if (executor.isolation === 'exclusive') executor.keeper.fit('clean', '');
  }

  /** Waits for a promise while time passes, for at most `ms` milliseconds. */
  async during<T>(promise: Promise<T>, ms: number = 60_000): Promise<T> {
    const state = { settled: false };
    const seen = promise.finally(() => (state.settled = true));
    seen.catch(() => undefined);
    await this.clock.settle();
    for (let passed = 0; !state.settled && passed < ms; passed += 10) await this.clock.pass(10);
    if (!state.settled) throw new Error(`It has not settled after ${ms} ms.`);
    return seen;
  }
}
