// @ts-check
// The coordinator that is killed, and the one that looks on.
import { connectTo } from './connect.mjs';

export { serve } from './node.mjs';

/** @typedef {{ addresses: string[], secret: string }} Options */

/** @param {Options} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function victim(options) {
  const cluster = await connectTo(options);
  const names = cluster.nodes().map(({ id = '' }) => id);
  return {
    verbs: {
      /** Starts endless loops, evenly; resolves with their processes. @param {{ count: number, gate: string }} order */
      spin: ({ count, gate }) =>
        new Promise((resolve, reject) => {
          /** @type {number[]} */
          const pids = [];
          const onLog = (/** @type {any} */ line) => {
            pids.push(line.pid ?? line.fields?.pid);
            if (pids.length === count) resolve(pids);
          };
          for (let i = 0; i < count; i += 1)
            cluster.call('spin', { gate }, { node: names[i % names.length] ?? '', onLog }).catch(reject);
        }),
      /** Starts endless streams and reads them; resolves when each has sent. @param {{ count: number }} order */
      stream: async ({ count }) => {
        await Promise.all(
          Array.from({ length: count }, (_, i) =>
            read(cluster.stream('stream', {}, { node: names[i % names.length] ?? '' }).batches()),
          ),
        );
      },
    },
    close: () => cluster.close(),
  };
}

/** Goes on reading after its first batch, by which it resolves. @param {AsyncGenerator<readonly unknown[]>} batches */
async function read(batches) {
  await batches.next();
  void (async () => {
    for await (const rows of batches) void rows;
  })();
}

/** @param {Options} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function observer(options) {
  const cluster = await connectTo(options);
  const names = cluster.nodes().map(({ id = '' }) => id);
  return {
    verbs: {
      /** How many jobs run, on all nodes and for anybody. */
      jobs: async () => {
        const all = /** @type {{ jobs: number }[]} */ (
          await Promise.all(names.map((name) => cluster.request(name, 'stats')))
        );
        return all.reduce((sum, { jobs }) => sum + jobs, 0);
      },
    },
    close: () => cluster.close(),
  };
}
