// @ts-check
import { repeat } from '../harness/figures.mjs';
import { connectTo } from './connect.mjs';
import { nameOf } from './node.mjs';

export { serve } from './node.mjs';

/** Shards enough for the widest scatter, dealt out to the nodes. */
const most = 512;

/** @param {{ addresses: string[], secret: string }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client({ addresses, secret }) {
  const shards = Array.from({ length: most }, (_, id) => ({ id, nodes: [nameOf(id % addresses.length)] }));
  const cluster = await connectTo({ addresses, secret, shards });
  return { verbs: { measure: (order) => measure(cluster, order) }, close: () => cluster.close() };
}

/**
 * @param {import('@muster/coordinator').Cluster} cluster
 * @param {{ width: number, ms: number, args: unknown }} order
 */
function measure(cluster, { width, ms, args }) {
  const over = Array.from({ length: width }, (_, id) => id);
  return repeat(ms, 1, async () => {
    const replies = await cluster.scatter('shared', args, { over }).toArray();
    if (replies.length !== width) throw new Error(`${replies.length} replies came instead of ${width}.`);
  });
}
