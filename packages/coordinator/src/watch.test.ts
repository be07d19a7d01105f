import { describe, expect, it } from 'vitest';
import { InProcess, jobsOf } from '../test/in-process.ts';
import { up } from '../test/up.ts';

describe('the timeout between messages', () => {
  /** After how many milliseconds the promise fails, to the millisecond, and with what. */
  async function failsAfter(world: InProcess, promise: Promise<unknown>): Promise<[number, string]> {
    const began = world.clock.now();
    return world.run(
      promise.then(
        () => expect.unreachable(),
        (error: { code: string }) => [world.clock.now() - began, error.code] as [number, string],
      ),
    );
  }

  it.each([1, 10, 99, 250, 999, 1_000, 1_001, 3_333, 20_000])('of %s ms is kept to the millisecond', async (ms) => {
    const { world, cluster } = await up(['w1']);
    await world.clock.pass(137);
    expect(await failsAfter(world, cluster.call('hang', undefined, { messageTimeout: ms }))).toEqual([ms, 'timeout']);
  });

  it.each([
    ['a ping', 'pinging', 399, 399],
    ['a row', 'slowly', 99, 99],
    ['rows that were read, and then none', 'endless', 1_500, 1_500],
  ])('counts from the last sign of life: %s', async (_what, job, messageTimeout, after) => {
    const { world, cluster } = await up(['w1']);
    const options = { messageTimeout };
    const asked =
      job === 'pinging' ? cluster.call(job, undefined, options) : cluster.stream(job, undefined, options).toArray();
    expect(await failsAfter(world, asked)).toEqual([after, 'timeout']);
  });

  it('begins anew when a consumer who was away comes back, to the millisecond', async () => {
    const { world, cluster } = await up(['w1']);
    const stream = cluster.stream<number>('endless', undefined, { messageTimeout: 700 });
    for (let row = 0; row < 3; row += 1) await world.run(stream.next());
    await world.clock.pass(5_123);
    expect(await failsAfter(world, stream.next())).toEqual([700, 'timeout']);
  });

  it('counts only while a part is waited for, not while its rows wait for others', async () => {
    const world = new InProcess({ constants: { windowRows: 2 } });
    const late = [
      { do: 'rows', rows: [1_000, 1_001] },
      { do: 'wait', ms: 3_900 },
      { do: 'rows', rows: [1_002] },
    ] as const;
    await world.node('w1', { ...jobsOf('w1'), part: jobsOf('w1')['slowly'] ?? { steps: [] } });
    await world.node('w2', { ...jobsOf('w2'), part: { stream: true, steps: [...late] } });
    const cluster = await world.connect();
    const options = { over: 'nodes', merge: {}, messageTimeout: 1_000 } as const;
    const rows = await world.run(cluster.scatter<number>('part', { count: 34 }, options).toArray());
    expect(rows.slice(-3)).toEqual([1_000, 1_001, 1_002]);
    await world.run(cluster.close());
  });
});
