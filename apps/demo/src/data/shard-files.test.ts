import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { keepBatch, readShard } from './shard-files.ts';

let dir = '';
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'muster-shards-'))));
afterEach(() => rm(dir, { recursive: true }));

it('a shard has the rows of all its batches', async () => {
  await keepBatch(dir, { shard: 3, number: 0, rows: [{ id: 1 }, { id: 2 }] });
  await keepBatch(dir, { shard: 3, number: 1, rows: [{ id: 3 }] });
  expect(await readShard(dir, 3)).toEqual([{ id: 1 }, { id: 2 }, { id: 3 }]);
});

it('a batch that comes twice is there once, and leaves nothing beside it', async () => {
  const batch = { shard: 0, number: 0, rows: [{ id: 1, text: 'two\nlines' }] };
  await Promise.all([keepBatch(dir, batch), keepBatch(dir, batch), keepBatch(dir, batch)]);
  expect(await readShard(dir, 0)).toEqual(batch.rows);
  expect(await readdir(join(dir, 'shards', '0'))).toEqual(['0.ndjson']);
});

it('an empty shard has no rows, and one that is not held here is an error', async () => {
  await keepBatch(dir, { shard: 1, number: 0, rows: [] });
  expect(await readShard(dir, 1)).toEqual([]);
  await expect(readShard(dir, 2)).rejects.toThrow('ENOENT');
});
