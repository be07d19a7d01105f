import { describe, expect, it } from 'vitest';
import { up } from '../test/up.ts';
import type { Gather } from './gather.ts';
import { RowStream } from './row-stream.ts';

type Numbers = RowStream<number>;

async function loop(stream: AsyncIterable<number>, most = Infinity): Promise<number[]> {
  const rows: number[] = [];
  for await (const row of stream) if (rows.push(row) >= most) break;
  return rows;
}
const batches = async (stream: Numbers): Promise<number[]> => {
  const rows: number[] = [];
  for await (const batch of stream.batches()) rows.push(...batch);
  return rows;
};
const toArray = (stream: Numbers): Promise<number[]> => stream.toArray();
const leave = (stream: Numbers): Promise<unknown> => stream.return();
const exhaust = async (stream: Numbers): Promise<void> => {
  while ((await stream.next()).done !== true);
};

describe('a stream is read once', () => {
  it.each<[string, string, (stream: Numbers) => Promise<unknown>, (stream: Numbers) => Promise<unknown>]>([
    ['a loop', 'a loop', loop, loop],
    ['a loop that was left', 'a loop', (stream) => loop(stream, 1), loop],
    ['a loop', 'batches', loop, batches],
    ['batches', 'a loop', batches, loop],
    ['batches', 'batches', batches, batches],
    ['toArray', 'toArray', toArray, toArray],
    ['toArray', 'a loop', toArray, loop],
    ['toArray', 'a row', toArray, (stream) => stream.next()],
    ['rows to the end', 'a loop', exhaust, loop],
    ['its end', 'toArray', leave, toArray],
    ['its end', 'a loop', leave, loop],
  ])('after %s, %s throws and says why', async (_first, _second, read, again) => {
    const { world, cluster } = await up(['w1']);
    const stream = cluster.stream<number>('count', { count: 7 });
    await world.run(read(stream));
    const refused = await world.run(again(stream).catch((error: unknown) => error));
    expect(refused).toMatchObject({ code: 'bad_options', job: 'count' });
    expect((refused as Error).message).toMatch(/rows can be read once.*toArray\(\)/);
  });

  it('also while it is being read', async () => {
    const { world, cluster } = await up(['w1']);
    const stream = cluster.stream<number>('slowly', { count: 2 });
    const first = toArray(stream);
    await world.clock.pass(50);
    expect(await world.failure(loop(stream))).toBe('bad_options');
    expect(await world.run(first)).toEqual([0, 1]);
  });

  it('but may be begun row by row, and nothing is lost at the change', async () => {
    const { world, cluster } = await up(['w1']);
    for (const rest of [loop, batches, toArray]) {
      const stream = cluster.stream<number>('count', { count: 7 });
      expect((await world.run(stream.next())).value).toBe(0);
      expect(await world.run(rest(stream))).toEqual([1, 2, 3, 4, 5, 6]);
    }
  });

  it('and by its iterator, from which a first row may be taken before the loop over the rest', async () => {
    const { world, cluster } = await up(['w1']);
    const stream = cluster.stream<number>('count', { count: 7 });
    const rows = stream[Symbol.asyncIterator]();
    expect((await world.run(rows.next())).value).toBe(0);
    expect(() => stream[Symbol.asyncIterator]()).toThrow(/rows can be read once/);
    expect(() => stream.batches()).toThrow(/rows can be read once/);
    expect(await world.run(loop(rows))).toEqual([1, 2, 3, 4, 5, 6]);
    expect(await world.run(rows.next())).toEqual({ done: true, value: undefined });
  });

  it('and is ended by whoever leaves the loop over its iterator', async () => {
    const { world, cluster } = await up(['w1']);
    const rows = cluster.stream<number>('slowly', { count: 7 })[Symbol.asyncIterator]();
    await world.run(rows.next());
    expect(await world.run(loop(rows, 1))).toEqual([1]);
    await world.clock.pass(1_000);
    expect(world.jobs).toEqual([]);
  });

  it('and goes on saying that it is done to who asks for rows', async () => {
    const { world, cluster } = await up(['w1']);
    const stream = cluster.stream<number>('count', { count: 1 });
    await world.run(exhaust(stream));
    expect(await world.run(stream.next())).toEqual({ done: true, value: undefined });
    expect(await world.run(stream.return())).toEqual({ done: true, value: undefined });
  });
});

/** A request whose batches are there already. */
function streamOf(...batches: number[][]): RowStream<number> {
  const gather = { pull: () => Promise.resolve(batches.shift()), end: () => undefined };
  return new RowStream(gather as unknown as Gather<number>);
}

describe('rows read one by one', () => {
  it('come in order, to the end and beyond it', async () => {
    const stream = streamOf([1, 2], [3]);
    const read: unknown[] = [];
    for await (const row of stream) read.push(row);
    expect([read, await stream.next()]).toEqual([[1, 2, 3], { done: true, value: undefined }]);
  });

  it('come in order to those who do not wait for the row before', async () => {
    const stream = streamOf([1, 2], [3]);
    const rows = await Promise.all(Array.from({ length: 5 }, () => stream.next()));
    expect(rows.map(({ value }) => value)).toEqual([1, 2, 3, undefined, undefined]);
  });

  it('cost one turn of the microtask queue each, but for the first of a batch', async () => {
    const stream = streamOf([1, 2, 3, 4]);
    await stream.next();
    for (const row of [2, 3, 4]) {
      let got: unknown;
      void stream.next().then(({ value }) => (got = value));
      await Promise.resolve();
      expect(got).toBe(row);
    }
  });
});
