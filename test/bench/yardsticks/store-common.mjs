// @ts-check
import { repeat } from '../harness/figures.mjs';

/**
 * Bytes by key, as thinly as it goes: what is measured of a connector and of the bare client beside it.
 * @typedef {{
 *   put(bytes: Buffer): Promise<string>,
 *   get(key: string): Promise<Uint8Array | undefined>,
 *   exists(key: string): Promise<boolean>,
 *   evict(key: string): Promise<unknown>,
 *   putBatch(objects: readonly Buffer[]): Promise<readonly string[]>,
 *   close(): Promise<unknown>,
 * }} Bytes
 */

/** @typedef {{ op: 'put' | 'get' | 'exists' | 'evict' | 'batch', size: number, inFlight: number, ms: number }} Order */

/** Objects of a batch. */
const batch = 64;

/** @param {Bytes} store @returns {import('../harness/child.mjs').Role} */
export function roleOf(store) {
  return {
    verbs: { measure: (/** @type {Order} */ order) => measure(store, order) },
    close: () => store.close(),
  };
}

/** @param {Bytes} store @param {Order} order @returns {Promise<{ rate: number }>} operations, or items of a batch, per second */
async function measure(store, { op, size, inFlight, ms }) {
  const bytes = Buffer.alloc(size, 7);
  /** @type {string[]} */
  const keys = [];
  const put = async () => void keys.push(await store.put(bytes));
  try {
    if (op === 'put') return await repeat(ms, inFlight, put);
    if (op === 'batch') {
      const objects = Array.from({ length: batch }, () => bytes);
      const { rate } = await repeat(ms, 1, async () => void keys.push(...(await store.putBatch(objects))));
      return { rate: rate * batch };
    }
    const count = op === 'evict' ? Math.min(4_000, Math.max(64, Math.floor(5e7 / size))) : 64;
    while (keys.length < count) await Promise.all(Array.from({ length: Math.min(64, count - keys.length) }, put));
    if (op === 'evict') return await evictAll(store, keys, inFlight);
    let next = 0;
    const key = () => keys[(next += 1) % keys.length] ?? '';
    return await repeat(ms, inFlight, async () => {
      const found = op === 'get' ? (await store.get(key()))?.length === size : await store.exists(key());
      if (!found) throw new Error('What was put is not there.');
    });
  } finally {
    await evictAll(store, keys, 64);
  }
}

/** @param {Bytes} store @param {string[]} keys @param {number} inFlight */
async function evictAll(store, keys, inFlight) {
  const count = keys.length;
  const began = performance.now();
  const loop = async () => {
    for (let key = keys.pop(); key !== undefined; key = keys.pop()) await store.evict(key);
  };
  await Promise.all(Array.from({ length: inFlight }, loop));
  return { rate: count / ((performance.now() - began) / 1000) };
}
