// @ts-check
// The least that a call over ws can cost: the server sends back what it gets, the client tells answers by number.
import { pack, unpack } from 'msgpackr';
import { repeat } from '../harness/figures.mjs';
import { bytesOf, dial, listen } from './ws-common.mjs';

export function serve() {
  return listen((socket) => socket.on('message', (data) => socket.send(bytesOf(data))));
}

/** @param {{ addresses: string[] }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client({ addresses: [address = ''] }) {
  const socket = await dial(address);
  /** @type {Map<number, (value: unknown) => void>} */
  const calls = new Map();
  let ids = 0;
  socket.on('message', (data) => {
    const { id, args } = unpack(bytesOf(data));
    calls.get(id)?.(args);
    calls.delete(id);
  });
  const call = (/** @type {unknown} */ args) =>
    new Promise((resolve) => {
      ids += 1;
      calls.set(ids, resolve);
      socket.send(pack({ id: ids, args }));
    });
  return {
    verbs: {
      /** @param {{ ms: number, inFlight: number, args: unknown }} order */
      measure: ({ ms, inFlight, args }) => repeat(ms, inFlight, () => call(args)),
    },
  };
}
