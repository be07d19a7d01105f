import type { Batch } from '../data/shards.ts';
import { cutBatches } from '../data/shards.ts';
import { many, say, title } from '../screen/screen.ts';
import { count, time } from '../screen/words.ts';
import type { Scene } from './scene.ts';

/** Batches that are under way at a time. */
const abreast = 8;

/** Brings the rows to the nodes that hold their shards: every batch to every copy, through a job that keeps it there. */
export async function ingest(scene: Scene): Promise<void> {
  const { cluster, data, nodes } = scene;
  const { shards } = cluster;
  const copies = shards[0]?.nodes.length ?? 0;
  title('Ingest');
  say(
    `${count(data.rows.length)} ${data.what} into ${many(shards.length, 'shard')}, ${many(copies, 'copy', 'copies')} each, on ${many(nodes.length, 'node')} …`,
  );
  const began = performance.now();
  const batches = cutBatches(data.rows, data.key, shards.length);
  const orders = batches.flatMap((batch) => (shards[batch.shard]?.nodes ?? []).map((node) => ({ batch, node })));
  const kept = await deliver(scene, orders);
  const ms = performance.now() - began;
  if (kept !== data.rows.length * copies)
    throw new Error(`The nodes acknowledged ${kept} rows of ${data.rows.length * copies}.`);
  say(
    `${many(kept, 'row')} acknowledged in ${many(orders.length, 'batch', 'batches')}: ${time(ms)}, ${count(kept / (ms / 1_000))} rows a second.`,
  );
}

/** Sends them, a few at a time; resolves with the rows that were acknowledged. */
async function deliver({ cluster }: Scene, orders: readonly { batch: Batch; node: string }[]): Promise<number> {
  const queue = orders.values();
  let kept = 0;
  const carry = async (): Promise<void> => {
    for (const { batch, node } of queue) {
      const acknowledged = await cluster.jobs.ingest(batch, { node, timeout: 30_000 });
      kept += acknowledged;
    }
  };
  await Promise.all(Array.from({ length: abreast }, carry));
  return kept;
}
