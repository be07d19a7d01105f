// @ts-check
import { openConnector } from '@muster/store';
import { roleOf } from '../yardsticks/store-common.mjs';

/** @param {{ kind: string, options: Record<string, unknown> }} order @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client({ kind, options }) {
  const connector = await openConnector({ name: kind, ...options, kind });
  return roleOf({
    put: (bytes) => connector.put(bytes),
    get: (key) => connector.get(key),
    exists: (key) => connector.exists(key),
    evict: (key) => connector.evict(key),
    putBatch: async (objects) => {
      const replies = await connector.putBatch(objects);
      return replies.map((reply) => {
        if (reply.ok) return reply.value;
        throw reply.error;
      });
    },
    close: () => connector.close(),
  });
}
