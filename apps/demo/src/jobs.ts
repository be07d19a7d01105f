/** The jobs of the demo: what the worker nodes are started with. Each runs beside the data, in an executor of its node. */
import { setTimeout as sleep } from 'node:timers/promises';
import type { JobContext, ObjectRef } from 'muster';
import { job } from 'muster';
import type { Grouping, Prefix } from './data/data-set.ts';
import type { Group } from './data/groups.ts';
import { groupRows } from './data/groups.ts';
import type { Measure, Row } from './data/row.ts';
import { distanceOf, textIn } from './data/row.ts';
import { keepBatch, readShard } from './data/shard-files.ts';
import type { Batch } from './data/shards.ts';
import { startBeating } from './kill/beat.ts';

/** Keeps a batch of rows on this node; answers how many it has kept. */
export const ingest = job({
  isolation: 'shared',
  run: async (batch: Batch, ctx: JobContext): Promise<number> => {
    await keepBatch(ctx.dataDir, batch);
    return batch.rows.length;
  },
});

/** All rows of a shard by their distance. The coordinator takes as many as it likes. */
export async function* nearest({ measure }: { readonly measure: Measure }, ctx: JobContext) {
  const rows = await shardRows(ctx);
  const ranked = rows.flatMap((row) => {
    const distance = distanceOf(row, measure);
    return distance === undefined ? [] : [{ distance, row, node: ctx.node }];
  });
  ranked.sort((a, b) => a.distance - b.distance);
  for (const one of ranked) yield one;
}

/** The groups of a shard. Shared, so that it finds the rows where another job has loaded them. */
export const groups = job({
  isolation: 'shared',
  run: async (grouping: Grouping, ctx: JobContext): Promise<Group[]> => groupRows(await shardRows(ctx), grouping),
});

/** Rows of a shard with a field that starts with a text, as they are found. */
export async function* startingWith({ field, text }: Prefix, ctx: JobContext) {
  for (const row of await shardRows(ctx)) if (textIn(row, field).startsWith(text)) yield { row, node: ctx.node };
}

/** Rows of a shard with this text in a field, as an object that stays here. */
export const collect = job({
  isolation: 'shared',
  run: async ({ field, text }: Prefix, ctx: JobContext): Promise<ObjectRef<Row[]>> => {
    const rows = (await shardRows(ctx)).filter((row) => textIn(row, field) === text);
    return ctx.store.put(rows);
  },
});

/** Fetches objects from the nodes that hold them, and makes one of them. */
export async function join(
  { parts }: { readonly parts: readonly ObjectRef<Row[]>[] },
  ctx: JobContext,
): Promise<ObjectRef<Row[]>> {
  const rows = await Promise.all(parts.map((part) => part.get()));
  return ctx.store.put(rows.flat());
}

/** Reads an object wherever it is, and says what it took. */
export async function examine({ object }: { readonly object: ObjectRef<Row[]> }, ctx: JobContext) {
  const began = performance.now();
  const rows = await object.get();
  return { node: ctx.node, rows: rows.length, ms: performance.now() - began };
}

/** A loop that never awaits: no signal reaches it. */
export async function spin(_args: undefined, ctx: JobContext): Promise<void> {
  const beat = startBeating(ctx, 'spin');
  for (let n = 1; n > 0; n = (n % 1_000) + 1) {
    for (let i = 0; i < 10_000; i += 1) Math.sqrt(i * n);
    beat();
  }
}

/** A stream without an end. */
export async function* tick(_args: undefined, ctx: JobContext) {
  const beat = startBeating(ctx, 'tick');
  for (let n = 0; ; n += 1) {
    beat();
    yield { n, node: ctx.node };
    await sleep(10, undefined, { signal: ctx.signal });
  }
}

/** Loaded once per executor. */
function shardRows({ shard, dataDir, local }: JobContext): Promise<Row[]> {
  if (shard === undefined) throw new Error('This job works on a shard: cast it with { shard }, or scatter it.');
  return local(`shard ${shard.id}`, () => readShard(dataDir, shard.id));
}
