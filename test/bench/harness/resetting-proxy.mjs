// @ts-check
// A proxy on loopback that resets connections in the middle of what the server says, at any byte.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** @returns {Promise<import('./child.mjs').Role>} */
export async function proxy() {
  let target = 0;
  /** Resets that are still to be made, those made, and bytes after which one is made, at most. */
  const state = { left: 0, made: 0, most: 0 };
  /** @type {Set<() => void>} */
  const arms = new Set();

  const server = createServer((near) => {
    const far = connect({ host: '127.0.0.1', port: target });
    let left = Infinity;
    const arm = () => {
      if (left === Infinity && state.left > 0) left = 1 + Math.floor(Math.random() * state.most);
    };
    arms.add(arm);
    arm();
    for (const [from, to] of [
      [near, far],
      [far, near],
    ]) {
      from?.setNoDelay(true);
      from?.on('error', () => undefined);
      from?.on('close', () => (arms.delete(arm), to?.destroy()));
    }
    near.on('data', (chunk) => void (far.write(chunk) || near.pause()));
    far.on('drain', () => near.resume());
    near.on('drain', () => far.resume());
    far.on('data', (chunk) => {
      left -= chunk.length;
      if (left > 0 || state.left === 0) return void (near.write(chunk) || far.pause());
      state.left -= 1;
      state.made += 1;
      // What the byte cut off never arrives.
      near.write(chunk.subarray(0, chunk.length + left), () => near.resetAndDestroy());
      far.resetAndDestroy();
    });
  });

  await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    ready: /** @type {import('node:net').AddressInfo} */ (server.address()).port,
    verbs: {
      aim: (/** @type {number} */ port) => void (target = port),
      /** So many resets, each after at most so many bytes. */
      reset: (/** @type {number} */ count, /** @type {number} */ most) => {
        Object.assign(state, { left: count, made: 0, most });
        for (const arm of arms) arm();
      },
      made: () => state.made,
    },
    close: () => void server.close(),
  };
}
