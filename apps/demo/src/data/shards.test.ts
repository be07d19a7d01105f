import { describe, expect, it } from 'vitest';
import { cutBatches, placeShards, shardOf } from './shards.ts';

describe('shards', () => {
  it('get about the same number of keys each, also where keys are alike', () => {
    const counts = Array.from({ length: 16 }, () => 0);
    for (let key = 0; key < 16_000; key += 1) counts[shardOf(String(key), 16)]! += 1;
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1_150);
  });

  it('are each on as many different nodes as there are copies', () => {
    const map = placeShards(16, ['n1', 'n2', 'n3', 'n4'], 2);
    expect(map).toHaveLength(16);
    expect(map.every(({ nodes }) => new Set(nodes).size === 2)).toBe(true);
  });

  it('are spread evenly over the nodes', () => {
    const held = placeShards(16, ['n1', 'n2', 'n3', 'n4'], 2).flatMap(({ nodes }) => nodes);
    expect(held.filter((node) => node === 'n3')).toHaveLength(8);
  });
});

describe('batches', () => {
  const rows = Array.from({ length: 9_000 }, (_, id) => ({ id }));

  it('hold every row once, in the shard of its key', () => {
    const batches = cutBatches(rows, 'id', 4);
    const ids = batches.flatMap((batch) => batch.rows.map(({ id }) => id as number));
    expect(ids.sort((a, b) => a - b)).toEqual(rows.map(({ id }) => id));
    for (const { shard, rows: some } of batches)
      expect(some.every(({ id }) => shardOf(String(id), 4) === shard)).toBe(true);
  });

  it('are numbered within their shard', () => {
    const numbers = cutBatches(rows, 'id', 1).map(({ number }) => number);
    expect(numbers).toEqual([0, 1, 2, 3, 4]);
  });

  it('stay small where rows are large', () => {
    const large = Array.from({ length: 5 }, (_, id) => ({ id, text: 'x'.repeat(900_000) }));
    expect(cutBatches(large, 'id', 1).map(({ rows: some }) => some.length)).toEqual([2, 2, 1]);
  });

  it('tell the holders of an empty shard that it is empty', () => {
    const [row] = rows;
    const sizes = cutBatches([row!], 'id', 3).map(({ rows: some }) => some.length);
    expect(sizes.sort((a, b) => a - b)).toEqual([0, 0, 1]);
  });
});
