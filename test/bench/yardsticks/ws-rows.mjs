// @ts-check
// The least that rows over ws can cost: batches of 64 KiB from a plain loop, unpacked and counted as they come.
import { Packr, pack, unpack } from 'msgpackr';
import { rowOf } from '../jobs/row.mjs';
import { bytesOf, dial, listen } from './ws-common.mjs';

const frame = 65_536;
const backlog = 1_048_576;

/**
 * `records` as Muster has them, defined in the message that uses them; else msgpackr as it comes.
 * @param {boolean} records
 */
function codecOf(records) {
  return new Packr({ useRecords: records, maxSharedStructures: 0, moreTypes: records });
}

/** @param {{ records: boolean }} options */
export function serve({ records }) {
  const codec = codecOf(records);
  return listen((socket) => {
    socket.on('message', (data) => void send(socket, codec, unpack(bytesOf(data))));
  });
}

/** @param {import('ws').WebSocket} socket @param {Packr} codec @param {{ count: number, size: number }} order */
async function send(socket, codec, { count, size }) {
  const most = Math.max(1, Math.floor(frame / size));
  for (let id = 0; id < count;) {
    const rows = [];
    for (const end = Math.min(count, id + most); id < end; id += 1) rows.push(rowOf(id, size));
    const bytes = codec.pack(rows);
    if (socket.bufferedAmount < backlog) socket.send(bytes);
    else await new Promise((sent) => socket.send(bytes, sent));
  }
}

/** @param {{ addresses: string[], records: boolean }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client({ addresses, records }) {
  const codec = codecOf(records);
  const sockets = await Promise.all(addresses.map(dial));
  return { verbs: { measure: (order) => measure(sockets, codec, order) } };
}

/**
 * @param {readonly import('ws').WebSocket[]} all
 * @param {Packr} codec
 * @param {{ nodes: number, count: number, size: number }} order
 */
async function measure(all, codec, { nodes, count, size }) {
  const sockets = all.slice(0, nodes);
  const began = performance.now();
  await Promise.all(sockets.map((socket) => receive(socket, codec, count / nodes, size)));
  const seconds = (performance.now() - began) / 1000;
  return { rows: count / seconds, megabytes: (count * size) / seconds / 1e6 };
}

/** @param {import('ws').WebSocket} socket @param {Packr} codec @param {number} count @param {number} size */
function receive(socket, codec, count, size) {
  return new Promise((resolve) => {
    const got = { rows: 0, sum: 0 };
    const take = (/** @type {import('ws').RawData} */ data) => {
      const rows = codec.unpack(bytesOf(data));
      got.rows += rows.length;
      for (const { id } of rows) got.sum += id;
      if (got.rows < count) return;
      socket.off('message', take);
      resolve(got);
    };
    socket.on('message', take);
    socket.send(pack({ count, size }));
  });
}
