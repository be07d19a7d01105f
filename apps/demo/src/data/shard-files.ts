import { randomUUID } from 'node:crypto';
import { mkdir, readdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Row } from './row.ts';
import type { Batch } from './shards.ts';

/** Where a node keeps a shard: one file of NDJSON for each batch. */
function shardDir(dataDir: string, shard: number | string): string {
  return join(dataDir, 'shards', String(shard));
}

/**
 * Keeps a batch in a node's own directory. It appears whole or not at all, and one that comes again takes the place of
 * itself: what was acknowledged is there once, however often it was sent.
 */
export async function keepBatch(dataDir: string, { shard, number, rows }: Batch): Promise<void> {
  const dir = shardDir(dataDir, shard);
  await mkdir(dir, { recursive: true });
  const unfinished = join(dir, `${number}.${randomUUID()}.tmp`);
  await writeFile(unfinished, rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
  await rename(unfinished, join(dir, `${number}.ndjson`));
}

/** All rows of a shard. @throws where the node holds no copy of it. */
export async function readShard(dataDir: string, shard: number | string): Promise<Row[]> {
  const dir = shardDir(dataDir, shard);
  const files = (await readdir(dir)).filter((name) => name.endsWith('.ndjson')).sort();
  const texts = await Promise.all(files.map((name) => readFile(join(dir, name), 'utf8')));
  return texts.flatMap((text) => text.split('\n').flatMap((line) => (line === '' ? [] : [JSON.parse(line) as Row])));
}
