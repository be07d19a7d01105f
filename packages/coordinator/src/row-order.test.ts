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

  describe('whose rows the consumer changes', () => {
    interface Changed {
      n: number;
      at: Date;
    }
    const compare = (a: Changed, b: Changed): number => a.n - b.n;
    const said = (...keys: number[]): Changed[] => keys.map((n) => ({ n, at: new Date(n) }));
    const change = (row: Changed): number => {
      const { n } = row;
      row.n = 1_000 - n;
      row.at.setTime(1_000 - n);
      return n;
    };
    const orders: [string, MergeBy<Changed>][] = [
      ['by a field', { by: 'n' }],
      ['by a date', { by: 'at' }],
      ['by an order of its own', { compare }],
    ];

    it.each(orders)('%s, comes whole: they are his from the moment he has them', async (_which, merge) => {
      // Windows of two rows: each batch is asked for when the one before it was consumed, and changed.
      const { world, cluster } = await up(['w1', 'w2'], { world: { constants: { windowRows: 2 } } });
      const read: number[] = [];
      const reading = (async () => {
        for await (const row of cluster.scatter<Changed>('says', said(1, 2, 3, 4, 5, 6, 7), { merge }))
          read.push(change(row));
      })();
      expect(await world.failure(reading)).toBe('done: undefined');
      expect(read).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5, 6, 6, 7, 7]);
    });

    it.each(orders)('%s, is still refused where the job breaks the order', async (_which, merge) => {
      const { world, cluster } = await up(['w1'], { world: { constants: { windowRows: 2 } } });
      for (const keys of [
        [1, 2, 7, 3],
        [1, 7, 3, 9],
      ]) {
        const read: number[] = [];
        const reading = (async () => {
          for await (const row of cluster.scatter<Changed>('says', said(...keys), { merge })) read.push(change(row));
        })();
        const failed = await world.run(reading.catch((error: unknown) => error));
        expect(failed).toMatchObject({ code: 'bad_options', detail: 'order' });
        if (merge.by === 'n') expect((failed as Error).message).toMatch(/after 7 came 3/);
        expect(read).toEqual(keys.slice(0, keys.indexOf(7) + 1));
      }
    });
  });
});
