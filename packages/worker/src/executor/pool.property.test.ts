import * as fc from 'fast-check';
import { expect, it } from 'vitest';
import type { FakeExecutor } from '../../test/pool-bench.ts';
import { PoolBench } from '../../test/pool-bench.ts';
import type { Isolation } from './executor.ts';

const limits = { executors: 5, shared: 2 };
const spares = 2;

/** Somebody who wants an executor for one task, has got it, or has been told why not. */
interface User {
  readonly task: number;
  readonly isolation: Isolation;
  readonly incarnation: string;
  readonly parks: boolean;
  readonly withdrawal: AbortController;
  executor: FakeExecutor | undefined;
  told: string | undefined;
}

type Step =
  | { readonly do: 'acquire'; readonly isolation: Isolation; readonly incarnation: string; readonly parks: boolean }
  /** `which` picks one of those to whom it can happen. */
  | { readonly do: 'withdraw' | 'finish' | 'leave' | 'abort' | 'kill' | 'die'; readonly which: number }
  | { readonly do: 'retire'; readonly incarnation: string }
  | { readonly do: 'habits'; readonly launches: number; readonly loads: number; readonly dies: number }
  | { readonly do: 'pass'; readonly ms: number };

const incarnation = fc.constantFrom('a', 'b');
const which = fc.nat(20);
const acquire: fc.Arbitrary<Step> = fc.record({
  do: fc.constant('acquire' as const),
  isolation: fc.constantFrom<Isolation>('exclusive', 'shared'),
  incarnation,
  parks: fc.boolean(),
});
const happening: fc.Arbitrary<Step> = fc.record({
  do: fc.constantFrom('withdraw', 'finish', 'leave', 'abort', 'kill', 'die'),
  which,
});
const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 8, arbitrary: acquire },
  { weight: 10, arbitrary: happening },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('retire' as const), incarnation }) },
  {
    weight: 1,
    arbitrary: fc.record({
      do: fc.constant('habits' as const),
      launches: fc.constantFrom(-5, 0, 10),
      loads: fc.constantFrom(-20, 5, 90, 900),
      dies: fc.constantFrom(0, 5, 300),
    }),
  },
  { weight: 6, arbitrary: fc.record({ do: fc.constant('pass' as const), ms: fc.constantFrom(0, 1, 10, 100, 2_000) }) },
);

/** A pool, those who use it, and what must hold whatever they do. */
class World {
  readonly bench: PoolBench;
  readonly users: User[] = [];
  /** What should have held, and has not. */
  readonly broken: Set<string> = new Set();

  constructor(bench: PoolBench) {
    this.bench = bench;
    bench.lent = ({ ending, condemned }) => {
      this.must('no executor is given that is ending', !ending);
      this.must('none is given that may have to be killed for another job', condemned === 0);
    };
  }

  async take(it: Step): Promise<void> {
    switch (it.do) {
      case 'acquire':
        this.#acquire(it);
        break;
      case 'retire':
        this.bench.pool.retire(it.incarnation);
        break;
      case 'habits':
        Object.assign(this.bench.habits, it);
        break;
      case 'pass':
        await this.bench.clock.pass(it.ms);
        this.must('a wish that was taken back is over', !this.users.some(isWithdrawnInVain));
        this.must('nobody waits for what others may keep', !this.users.some(isUndecided) || this.#comes());
        break;
      default:
        this.#happen(it.do, it.which);
    }
    // Who was given an executor hears of it before anything else happens to it, as between two events of a process.
    await this.bench.clock.settle();
    this.check();
  }

  must(hold: string, holds: boolean): void {
    if (!holds) this.broken.add(hold);
  }

  check(): void {
    const { bench } = this;
    this.must('no more executors than there may be', bench.pool.size <= limits.executors);
    for (const executor of bench.all) {
      const here = this.users.filter((user) => user.executor === executor);
      const alone = here.length <= 1 || here.every(({ isolation }) => isolation === 'shared');
      this.must('an exclusive executor has one task', alone);
      this.must('a shared one has one incarnation', new Set(here.map((user) => user.incarnation)).size <= 1);
    }
  }

  /** Whether there will be an executor for somebody, whatever those do who may park. */
  #comes(): boolean {
    const { bench, users } = this;
    const back = users.some(({ executor, isolation, parks }) => executor && isolation === 'exclusive' && !parks);
    const kept = bench.all.filter((one) => !one.ending && users.some(({ executor }) => executor === one));
    return back || kept.length < limits.executors || kept.some(({ condemned }) => condemned > 0);
  }

  /** Everybody goes, and enough time passes for what has failed to be tried again. */
  async end(): Promise<void> {
    const { bench } = this;
    await bench.clock.settle();
    this.check();
    Object.assign(bench.habits, { launches: 10, loads: 90, dies: 5 });
    for (let round = 0; round < 20 && this.users.some(isUndecided); round += 1) {
      await bench.clock.pass(15_000);
      for (const user of this.#holding) this.#finish(user);
      await bench.clock.pass(10);
    }
    this.must('every wish is met or refused', !this.users.some(isUndecided));
    for (const user of this.#holding) this.#finish(user);
    for (const name of ['a', 'b']) bench.pool.retire(name);
    await bench.clock.pass(60_000);
    this.must('the spares are left, and nothing else', bench.alive.length === spares && bench.pool.size === spares);
    await bench.during(bench.pool.close());
    this.must('nothing is left after the close', bench.alive.length === 0);
  }

  get #holding(): User[] {
    return this.users.filter(({ executor }) => executor !== undefined);
  }

  #acquire({ isolation, incarnation: owner, parks }: Extract<Step, { do: 'acquire' }>): void {
    const withdrawal = new AbortController();
    const user: User = {
      task: this.users.length,
      isolation,
      incarnation: owner,
      parks,
      withdrawal,
      executor: undefined,
      told: undefined,
    };
    this.users.push(user);
    void this.#use(user);
  }

  /** As Placing does: what has begun to end before it is used is given back, and another one asked for. */
  async #use(user: User): Promise<void> {
    const { task, isolation, incarnation: owner, parks, withdrawal } = user;
    try {
      for (;;) {
        const executor = await this.bench.acquire(isolation, owner, { left: () => withdrawal.signal, parks });
        if (withdrawal.signal.aborted) {
          user.told = 'withdrawn';
          return this.bench.pool.release(executor);
        }
        if (executor.ending && this.broken.size === 0) continue;
        executor.put(task);
        user.executor = executor;
        return;
      }
    } catch (error) {
      user.told = (error as { code?: string }).code ?? String(error);
    }
  }

  #happen(what: Extract<Step, { which: number }>['do'], index: number): void {
    const able = this.users.filter((user) => (what === 'withdraw' ? isUndecided(user) : isLive(user)));
    const user = able[index % Math.max(1, able.length)];
    if (user === undefined) return;
    const executor = user.executor as FakeExecutor;
    if (what === 'withdraw') user.withdrawal.abort(new Error('withdrawn'));
    else if (what === 'finish') this.#finish(user);
    else if (what === 'leave') this.#leave(user);
    else if (what === 'abort') executor.abort(user.task);
    else if (what === 'kill') void executor.kill('its grace is over');
    else void executor.die();
  }

  #finish(user: User): void {
    const executor = user.executor as FakeExecutor;
    user.executor = undefined;
    user.told = 'done';
    this.bench.finish(executor, user.task);
  }

  /** Ends, and something of it stays. */
  #leave(user: User): void {
    const executor = user.executor as FakeExecutor;
    executor.company = true;
    executor.finish(user.task);
    user.executor = undefined;
    user.told = 'done';
    this.bench.pool.release(executor);
    executor.keeper.fit(user.isolation === 'exclusive' ? 'forked' : 'spoiled', 'a job left a process behind');
  }
}

const isUndecided = (user: User): boolean => user.executor === undefined && user.told === undefined;
const isWithdrawnInVain = (user: User): boolean => isUndecided(user) && user.withdrawal.signal.aborted;
const isLive = ({ executor }: User): boolean => executor !== undefined && !executor.ending;

it('No task is put where something ends, no wish is lost, and there are never too many executors', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80, size: 'max' }), async (steps) => {
      const world = new World(await PoolBench.open({ limits, spares }));
      for (const each of steps) await world.take(each);
      await world.end();
      expect([...world.broken]).toEqual([]);
    }),
    { numRuns: 1_000 },
  );
}, 120_000);
