// @ts-check
// What a connector stands on, by itself.
import { access, mkdir, readFile, unlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { roleOf } from './store-common.mjs';

/** @typedef {import('./store-common.mjs').Bytes} Bytes */

/** @param {{ kind: string, options: any }} order @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client({ kind, options }) {
  const open = { memory, file, lmdb, redis, nats }[kind];
  if (open === undefined) throw new Error(`There is no bare client for ${kind}.`);
  return roleOf(await open(options));
}

let count = 0;
const newKey = () => `bare-${(count += 1)}`;

/** Each object by itself, all at once. @param {Omit<Bytes, 'putBatch'>} store @returns {Bytes} */
function oneByOne(store) {
  return { ...store, putBatch: (objects) => Promise.all(objects.map((bytes) => store.put(bytes))) };
}

/** @returns {Promise<Bytes>} */
async function memory() {
  /** @type {Map<string, Buffer>} */
  const map = new Map();
  return oneByOne({
    put: async (bytes) => {
      const key = newKey();
      map.set(key, bytes);
      return key;
    },
    get: async (key) => map.get(key),
    exists: async (key) => map.has(key),
    evict: async (key) => map.delete(key),
    close: async () => map.clear(),
  });
}

/** @param {{ directory: string }} options @returns {Promise<Bytes>} */
async function file({ directory }) {
  const at = (/** @type {string} */ key) => join(`${directory}-bare`, key);
  await mkdir(`${directory}-bare`, { recursive: true });
  return oneByOne({
    put: async (bytes) => {
      const key = newKey();
      await writeFile(at(key), bytes);
      return key;
    },
    get: (key) => readFile(at(key)),
    exists: (key) => access(at(key)).then(() => true),
    evict: (key) => unlink(at(key)),
    close: async () => undefined,
  });
}

/** @param {{ directory: string, fsync: boolean }} options @returns {Promise<Bytes>} */
async function lmdb({ directory, fsync }) {
  const { open } = await import('lmdb');
  const database = open({ path: `${directory}-bare/objects.mdb`, encoding: 'binary', noSync: !fsync });
  return oneByOne({
    put: async (bytes) => {
      const key = newKey();
      await database.put(key, bytes);
      return key;
    },
    get: async (key) => database.getBinary(key),
    exists: async (key) => database.doesExist(key),
    evict: (key) => database.remove(key),
    close: () => database.close(),
  });
}

/** @param {{ url: string }} options @returns {Promise<Bytes>} */
async function redis({ url }) {
  const { createClient, RESP_TYPES } = await import('@redis/client');
  const connected = await createClient({ url }).connect();
  const commands = connected.withTypeMapping({ [RESP_TYPES.BLOB_STRING]: Buffer });
  return oneByOne({
    put: async (bytes) => {
      const key = newKey();
      await commands.set(key, bytes);
      return key;
    },
    get: async (key) => (await commands.get(key)) ?? undefined,
    exists: async (key) => (await commands.exists(key)) === 1,
    evict: (key) => commands.unlink(key),
    close: async () => connected.destroy(),
  });
}

/** @param {{ servers: string[] }} options @returns {Promise<Bytes>} */
async function nats({ servers }) {
  // Those of the packages, since the connector's are these.
  const { connect } = await import('@nats-io/transport-node');
  const { jetstream, jetstreamManager } = await import('@nats-io/jetstream');
  const connection = /** @type {any} */ (await connect({ servers }));
  const manager = await jetstreamManager(connection);
  await manager.streams.add({ name: 'BARE', subjects: ['BARE.*'], allow_direct: true, max_msgs_per_subject: 1 });
  const js = jetstream(connection);
  const get = async (/** @type {string} */ key) =>
    (await manager.direct.getMessage('BARE', { last_by_subj: `BARE.${key}` }))?.data;
  return oneByOne({
    put: async (bytes) => {
      const key = newKey();
      await js.publish(`BARE.${key}`, bytes);
      return key;
    },
    get,
    exists: async (key) => (await get(key)) !== undefined,
    evict: (key) => manager.streams.purge('BARE', { filter: `BARE.${key}` }),
    close: () => connection.close(),
  });
}
