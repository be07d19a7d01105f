import { describe, expect, it } from 'vitest';
import { PoolBench } from '../../test/pool-bench.ts';

describe('a pool', () => {
  it('gives an executor that is killed to nobody, from the moment of the kill', async () => {
    const b = await PoolBench.open();
    const executor = await b.run('shared', 1);
    void executor.kill('grace of its job');
    const next = await b.run('shared', 2);
    expect(next).not.toBe(executor);
    expect(next.lost).toEqual([]);
    expect(b.warnings).toEqual([]);
  });

  it('gives an executor that dies by itself to nobody, although it is not gone yet', async () => {
    const b = await PoolBench.open();
    b.habits.dies = 200;
    const executor = await b.run('shared', 1);
    void executor.die();
    expect(await b.run('shared', 2)).not.toBe(executor);
  });

  it('counts no kill as a start that has failed', async () => {
    const b = await PoolBench.open({ spares: 0 });
    for (let task = 1; task < 10; task += 1) {
      const executor = await b.run(task % 2 === 0 ? 'shared' : 'exclusive', task);
      void executor.kill('grace of its job');
      b.pool.release(executor);
    }
    expect(b.warnings).toEqual([]);
    // Nor waits for what would follow from it.
    const since = b.clock.now();
    await b.run('exclusive', 10);
    expect(b.clock.now() - since).toBeLessThan(150);
  });

  it('waits for a new executor, or the end of the abort, rather than share one in which a job may have to be killed', async () => {
    const b = await PoolBench.open({ limits: { executors: 1, shared: 1 }, spares: 0 });
    const executor = await b.run('shared', 1);
    executor.abort(1);
    const heeded = b.acquire('shared');
    b.finish(executor, 1);
    expect(await b.during(heeded, 10)).toBe(executor);
    executor.put(2);
    executor.abort(2);
    const ignored = b.acquire('shared');
    await b.clock.pass(250);
    void executor.kill('grace of its job');
    expect(await b.during(ignored)).not.toBe(executor);
    expect(b.all).toHaveLength(2);
  });

  it('takes a wish back whose signal is aborted, and has room for another one', async () => {
    const b = await PoolBench.open({ limits: { executors: 1, shared: 1 }, spares: 0 });
    b.habits.loads = 1_000;
    void b.alive[0]?.kill('away with it');
    await expect(b.acquire('exclusive', 'a', { left: () => AbortSignal.abort(new Error('at once')) })).rejects.toThrow(
      'at once',
    );
    const wish = new AbortController();
    const given = b.acquire('exclusive', 'a', { left: () => wish.signal });
    given.catch(() => undefined);
    await expect(b.acquire('exclusive')).rejects.toMatchObject({ code: 'overloaded' });
    wish.abort(new Error('killed'));
    await expect(given).rejects.toThrow('killed');
    expect(await b.run('exclusive', 2)).toMatchObject({ ending: false });
  });

  it('lets a burst wait for tasks that never park, in its order, and refuses who would wait for one that parks', async () => {
    const b = await PoolBench.open({ limits: { executors: 2, shared: 2 } });
    const stream = await b.run('shared', 1);
    const first = await b.run('exclusive', 2, 'a', { parks: false });
    const second = b.acquire('exclusive', 'b', { parks: false });
    const third = b.acquire('exclusive', 'a');
    const fourth = b.acquire('exclusive', 'b');
    fourth.catch(() => undefined);
    b.finish(first, 2);
    const again = await b.during(second);
    again.put(3);
    b.finish(again, 3);
    (await b.during(third)).put(4);
    await expect(b.during(fourth)).rejects.toMatchObject({ code: 'overloaded', detail: 'executors' });
    expect(stream.ending).toBe(false);
  });

  it.each(['exclusive', 'shared'] as const)(
    'has a spare again at once when the %s executor was not used',
    async (kind) => {
      const b = await PoolBench.open({ limits: { executors: 1, shared: 1 } });
      const executor = await b.acquire(kind);
      b.pool.release(executor);
      expect(await b.acquire('exclusive', 'b')).toBe(executor);
      await b.clock.pass(5_000);
      expect(executor.ending).toBe(false);
    },
  );

  it('ends what a burst has left beyond its spares after 30 s without use, and keeps those', async () => {
    const b = await PoolBench.open({ limits: { executors: 20, shared: 2 }, spares: 2 });
    const executors = [];
    for (let task = 0; task < 18; task += 1) executors.push(await b.run('exclusive', task));
    executors.forEach((executor, task) => b.finish(executor, task));
    expect(b.alive.length).toBeGreaterThanOrEqual(18);
    await b.clock.pass(29_000);
    expect(b.alive.length).toBeGreaterThanOrEqual(18);
    await b.clock.pass(2_000);
    expect(b.alive).toHaveLength(2);
    await b.clock.pass(100_000);
    expect(b.alive).toHaveLength(2);
    expect(b.all.length).toBeLessThan(24);
  });

  it('ends idle shared executors beyond those that an incarnation may have', async () => {
    const b = await PoolBench.open({ limits: { executors: 8, shared: 1 }, spares: 1 });
    const held = [];
    for (let task = 0; task < 4; task += 1) {
      const executor = await b.run('shared', task);
      executor.abort(task);
      held.push(executor);
      await b.clock.pass(200);
    }
    expect(new Set(held).size).toBe(4);
    held.forEach((executor, task) => b.finish(executor, task));
    await b.clock.pass(31_000);
    expect(b.alive).toHaveLength(2);
  });

  it('gives an executor its whole second to settle, whatever it has settled after before', async () => {
    const b = await PoolBench.open({ limits: { executors: 1, shared: 1 } });
    const executor = await b.run('exclusive', 1);
    b.finish(executor, 1);
    await b.clock.pass(950);
    expect(await b.run('exclusive', 2)).toBe(executor);
    executor.finish(2);
    b.pool.release(executor);
    await b.clock.pass(100);
    executor.keeper.fit('clean', '');
    expect(executor.ending).toBe(false);
    await b.run('exclusive', 3);
    executor.finish(3);
    b.pool.release(executor);
    await b.clock.pass(1_000);
    expect(executor.ending).toBe(true);
  });

  it('replaces one in whose job processes are left', async () => {
    const b = await PoolBench.open();
    const executor = await b.run('exclusive', 1);
    executor.company = true;
    executor.finish(1);
    b.pool.release(executor);
    executor.keeper.fit('forked', '');
    expect(executor.ending).toBe(true);
  });

  it('tells those who wait when the reaper does not answer, in bounded time', async () => {
    const b = await PoolBench.open({ limits: { executors: 1, shared: 1 }, loadTimeout: 2_000 });
    b.habits.watched = Infinity;
    void b.alive[0]?.kill('away with it');
    const since = b.clock.now();
    await expect(b.during(b.acquire('exclusive'))).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('the reaper did not answer within 2 s') as string,
    });
    expect(b.clock.now() - since).toBeLessThan(3 * 2_000 + 1_000);
  });

  it('tries again after no process could be had', async () => {
    const b = await PoolBench.open({ limits: { executors: 1, shared: 1 } });
    b.habits.launches = -10;
    void b.alive[0]?.kill('away with it');
    const given = b.acquire('exclusive');
    await b.clock.pass(150);
    b.habits.launches = 10;
    expect((await b.during(given)).ending).toBe(false);
    expect(b.warnings[0]).toContain('An executor cannot be started.');
  });

  it('says that the jobs module is still loading, and gives it up with a sentence', async () => {
    const b = new PoolBench();
    b.habits.loads = Infinity;
    const opened = b.pool.open();
    opened.catch(() => undefined);
    await b.clock.pass(4_000);
    expect(b.warnings).toEqual([]);
    await b.clock.pass(2_000);
    expect(b.warnings).toEqual(['The jobs module jobs.mjs is still loading after 5 s; it has 30 s.']);
    await expect(b.during(opened)).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining(
        'the jobs module jobs.mjs was not loaded (does it await what never comes?) within 30 s',
      ) as string,
    });
    await b.during(b.pool.close());
  });
});
