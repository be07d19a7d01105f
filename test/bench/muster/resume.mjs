// @ts-check
import { connectTo } from './connect.mjs';
import { nameOf } from './node.mjs';

export { serve } from './node.mjs';

const streams = 8;

/** @param {{ addresses: string[], secret: string }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client(options) {
  const cluster = await connectTo(options);
  /** When the link broke of which no row has come since. */
  let broken = Number.NaN;
  let back = false;
  /** @type {number[]} */
  const gaps = [];
  const counts = { rows: 0, lost: 0, doubled: 0, ended: 0 };
  cluster.on('node', ({ state }) => {
    if (state === 'suspect') [broken, back] = [performance.now(), false];
    else back = state === 'up';
  });

  async function read() {
    let next = 0;
    /** @type {import('@muster/coordinator').RowStream<{ id: number }>} */
    const stream = cluster.stream('endless', { size: 100 }, { node: nameOf(0) });
    for await (const rows of stream.batches()) {
      if (back && !Number.isNaN(broken)) {
        gaps.push(performance.now() - broken);
        broken = Number.NaN;
      }
      counts.rows += rows.length;
      for (const { id } of rows) {
        if (id > next) counts.lost += id - next;
        if (id < next) counts.doubled += 1;
        next = Math.max(next, id + 1);
      }
    }
  }

  return {
    verbs: {
      begin: () => {
        for (let i = 0; i < streams; i += 1) void read().catch(() => (counts.ended += 1));
      },
      state: () => ({ ...counts, gaps }),
    },
    close: () => cluster.close(),
  };
}
