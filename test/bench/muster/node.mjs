// @ts-check
import { startNode } from '@muster/worker';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** @typedef {{ jobs: string, dir: string, secret: string, lane?: number, niceness?: number }} Serving */

/**
 * A worker node with the jobs of `jobs/NAME.mjs`. Its executors get the flags that it was started with itself.
 * @param {Serving & { index: number, advertise?: string[] }} options
 * @returns {Promise<import('../harness/child.mjs').Role>}
 */
export async function serve({ index, jobs, dir, secret, lane = 64, niceness, advertise }) {
  const node = await startNode({
    id: nameOf(index),
    listen: 'ws://127.0.0.1:0',
    ...(advertise !== undefined && { advertise: advertise.slice(index, index + 1) }),
    secret: Buffer.from(secret),
    jobs: fileURLToPath(new URL(`../jobs/${jobs}.mjs`, import.meta.url)),
    dataDir: join(dir, nameOf(index)),
    lanes: { default: { concurrency: lane } },
    pool: { execArgv: process.execArgv, ...(niceness !== undefined && { niceness }) },
  });
  return { ready: node.address, close: () => node.close() };
}

/** @param {number} index */
export function nameOf(index) {
  return `node-${index + 1}`;
}
