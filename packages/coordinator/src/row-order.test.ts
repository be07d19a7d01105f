import { describe, expect, it } from 'vitest';
import { up } from '../test/up.ts';
import type { MergeBy } from './row-order.ts';
import type { RowStream } from './row-stream.ts';

interface Row {
  readonly n?: unknown;
}

const by: MergeBy<Row> = { by: 'n' };
const rows = (...keys: unknown[]): Row[] => keys.map((n) => ({ n }));

describe('an ordered merge', () => {
  it.each<[string, unknown[], MergeBy<never>, RegExp]>([
    ['whose rows come back to front', rows(1, 7, 3), by, /in ascending order of "n".*after 7 came 3/],
    ['whose rows go back at the end of a batch', rows(1, 7, 7, 3), by, /after 7 came 3/],
    ['downwards, whose rows go up', rows(7, 8), { by: 'n', direction: 'desc' }, /in descending order.*after 7 came 8/],
    ['of keys that are no keys', [2, 1], {}, /in ascending order.*after 2 came 1/],
    ['of texts', rows('b', 'a'), by, /after "b" came "a"/],
    [
      'by an order of its own',
      ['b', 'a'],
      { compare: (a: string, b: string) => (a < b ? -1 : 1) },
      /after "b" came "a"/,
    ],
    ['of a row without the field', [{ n: 1 }, { m: 2 }], by, /a row without "n"/],
    ['of rows that are no objects', [1, 2], by, /a row without "n"/],
    ['of a field that is null', rows(null), by, /"n" is null/],
    ['of numbers and texts', rows(1, '2'), by, /"n" is "2".*a number before/],
    ['of a field that is no number', rows(Number.NaN), by, /"n" is NaN/],
    ['of a field that has no order', rows({ a: 1 }), by, /"n" is an object/],
  ])('%s ends in an error that names the job, the shard and what came', async (_which, said, merge, says) => {
    const { world, cluster } = await up(['w1'], { shards: [{ id: 's', nodes: ['w1'] }] });
    const read = cluster.scatter('says', said, { merge: merge as MergeBy<unknown> }).toArray();
    const failed = await world.run(read.catch((error: unknown) => error));
    expect(failed).toMatchObject({ code: 'bad_options', job: 'says', shard: 's', detail: 'order' });
    expect((failed as Error).message).toMatch(says);
  });

  it('hands on what came in order before', async () => {
    const { world, cluster } = await up(['w1'], { shards: [{ id: 's', nodes: ['w1'] }] });
    const read: Row[] = [];
    const stream: RowStream<Row> = cluster.scatter<Row>('says', rows(1, 1, 7, 3, 9), { merge: by });
    const reading = (async () => {
      for await (const row of stream) read.push(row);
    })();
    expect(await world.failure(reading)).toBe('bad_options order');
    expect(read).toEqual(rows(1, 1, 7));
  });

  it('takes dates, big integers and equal keys', async () => {
    const { world, cluster } = await up(['w1', 'w2']);
    const keys = [new Date(1), new Date(1), new Date(5)];
    for (const said of [rows(...keys), rows(1n, 2n, 2n), rows(1, 2n, 3)]) {
      const merged = await world.run(cluster.scatter<Row>('says', said, { merge: by }).toArray());
      expect(merged).toEqual(said.flatMap((row) => [row, row]));
    }
  });

  it('refuses parts whose keys cannot be compared with each other', async () => {
    const { world, cluster } = await up(['w1'], {
      shards: [
        { id: 1, nodes: ['w1'] },
        { id: 'two', nodes: ['w1'] },
      ],
    });
    const read = cluster.scatter('shard', undefined, { merge: {} }).toArray();
    expect(await world.failure(read)).toBe('bad_options order');
  });
});
