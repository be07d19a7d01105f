// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { connectTo } from './connect.mjs';
import { nameOf } from './node.mjs';

export { serve } from './node.mjs';

/** @param {{ addresses: string[], secret: string }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client(options) {
  const cluster = await connectTo(options);
  return {
    verbs: {
      /** @param {{ streams: number, size: number, ms: number, every: number }} order */
      measure: async ({ streams, size, ms, every }) => {
        const end = performance.now() + ms;
        const names = options.addresses.map((_, i) => nameOf(i));
        const open = Array.from({ length: streams }, (_, i) =>
          cluster.stream('endless', { size }, { node: names[i % names.length] ?? '' }),
        );
        const rows = await Promise.all(open.map((stream) => readSlowly(stream, end, every)));
        return { rows: rows.reduce((sum, some) => sum + some, 0) };
      },
    },
    close: () => cluster.close(),
  };
}

/** A row now and then. @param {AsyncIterable<unknown>} stream @param {number} end @param {number} every */
async function readSlowly(stream, end, every) {
  let rows = 0;
  for await (const row of stream) {
    rows += Number(row !== undefined);
    if (performance.now() > end) break;
    await sleep(every);
  }
  return rows;
}
