// @ts-check
import { repeat } from '../harness/figures.mjs';
import { connectTo } from './connect.mjs';

export { serve } from './node.mjs';

/** @param {{ addresses: string[], secret: string }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client(options) {
  const cluster = await connectTo(options);
  return {
    verbs: {
      /** @param {{ job: string, ms: number, inFlight: number, args: unknown }} order */
      measure: ({ job, ms, inFlight, args }) => repeat(ms, inFlight, () => cluster.call(job, args)),
    },
    close: () => cluster.close(),
  };
}
