import type { ByteStore } from '@muster/store';

/**
 * What a job's store asks of the agent. Keys travel as UTF-8.
 *
 * | operation | payload | answer |
 * | --- | --- | --- |
 * | `put` | the packed value | its key |
 * | `get` | a key | 1 and the packed value, or 0 where there is none |
 * | `exists` | a key | 1 or 0 |
 * | `evict` | a key | nothing |
 *
 * An answer that is not ok is the UTF-8 text `code: sentence`, with a code of the store's errors where it is one.
 */
export type StoreOperation = 'put' | 'get' | 'exists' | 'evict';

/** Asks the agent; rejects with what it answered. */
export type Ask = (operation: StoreOperation, payload: Uint8Array) => Promise<Uint8Array>;

/** The store of the node, from inside an executor: executors hold no connection of their own. */
export function agentConnector(ask: Ask): ByteStore {
  return {
    name: 'agent',
    put: async (bytes) => text(await ask('put', bytes)),
    async get(key) {
      const answer = await ask('get', Buffer.from(key));
      // The bytes arrive as a view on what was read from the socket.
      return answer[0] === 1 ? Uint8Array.prototype.slice.call(answer, 1) : undefined;
    },
    exists: async (key) => (await ask('exists', Buffer.from(key)))[0] === 1,
    evict: async (key) => void (await ask('evict', Buffer.from(key))),
    close: async () => undefined,
  };
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString();
}
