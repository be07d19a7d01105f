// @ts-check
// The least that a scatter over ws can cost: one frame of requests to each server, and the replies of one turn in one
// frame back.
import { pack, unpack } from 'msgpackr';
import { repeat } from '../harness/figures.mjs';
import { bytesOf, dial, listen } from './ws-common.mjs';

/** @typedef {{ id: number, args: unknown }} Word */

export function serve() {
  return listen((socket) => {
    const say = corked(socket);
    socket.on('message', (data) => {
      for (const { id, args } of /** @type {Word[]} */ (unpack(bytesOf(data))))
        void handle(args).then((reply) => say({ id, args: reply }));
    });
  });
}

/** @param {unknown} args */
async function handle(args) {
  return args;
}

/** Words of one turn leave in one frame. @param {import('ws').WebSocket} socket */
function corked(socket) {
  /** @type {Word[]} */
  let words = [];
  return (/** @type {Word} */ word) => {
    words.push(word);
    if (words.length > 1) return;
    setImmediate(() => {
      socket.send(pack(words));
      words = [];
    });
  };
}

/** @param {{ addresses: string[] }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client({ addresses }) {
  const sockets = await Promise.all(addresses.map(dial));
  /** @type {Map<number, (value: unknown) => void>} */
  const calls = new Map();
  for (const socket of sockets) {
    socket.on('message', (data) => {
      for (const { id, args } of /** @type {Word[]} */ (unpack(bytesOf(data)))) {
        calls.get(id)?.(args);
        calls.delete(id);
      }
    });
  }
  let ids = 0;
  /** @param {number} width @param {unknown} args */
  const scatter = (width, args) => {
    /** @type {Word[][]} */
    const frames = sockets.map(() => []);
    const replies = Array.from({ length: width }, (_, i) => {
      ids += 1;
      frames[i % frames.length]?.push({ id: ids, args });
      return new Promise((resolve) => void calls.set(ids, resolve));
    });
    for (const [i, socket] of sockets.entries()) if (frames[i]?.length) socket.send(pack(frames[i]));
    return Promise.all(replies);
  };
  return {
    verbs: {
      /** @param {{ width: number, ms: number, args: unknown }} order */
      measure: ({ width, ms, args }) => repeat(ms, 1, () => scatter(width, args)),
    },
  };
}
