// @ts-check
import { connectTo } from './connect.mjs';
import { nameOf, serve } from './node.mjs';

export { serve };

/** @param {{ addresses: string[], secret: string }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client(options) {
  const cluster = await connectTo(options);
  return { verbs: { measure: (order) => measure(cluster, order) }, close: () => cluster.close() };
}

/**
 * @param {import('@muster/coordinator').Cluster} cluster
 * @param {{ nodes: number, count: number, size: number, by: 'row' | 'batch' }} order
 */
async function measure(cluster, { nodes, count, size, by }) {
  const args = { count: count / nodes, size };
  const began = performance.now();
  /** @type {import('@muster/coordinator').RowStream<{ id: number }>} */
  const stream =
    nodes === 1 ? cluster.stream('rows', args, { node: nameOf(0) }) : cluster.scatter('rows', args, { over: 'nodes' });
  const got = by === 'row' ? await byRow(stream) : await byBatch(stream);
  const seconds = (performance.now() - began) / 1000;
  if (got.rows !== count) throw new Error(`${got.rows} rows came instead of ${count}.`);
  return { rows: count / seconds, megabytes: (count * size) / seconds / 1e6 };
}

/** @param {AsyncIterable<{ id: number }>} stream */
async function byRow(stream) {
  const got = { rows: 0, sum: 0 };
  for await (const { id } of stream) {
    got.rows += 1;
    got.sum += id;
  }
  return got;
}

/** @param {import('@muster/coordinator').RowStream<{ id: number }>} stream */
async function byBatch(stream) {
  const got = { rows: 0, sum: 0 };
  for await (const rows of stream.batches()) {
    got.rows += rows.length;
    for (const { id } of rows) got.sum += id;
  }
  return got;
}
