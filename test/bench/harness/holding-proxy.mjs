// @ts-check
// A proxy on loopback that can do what a machine does that loses its power: from then on nothing passes, and no side
// hears of any end.
import { once } from 'node:events';
import { connect, createServer } from 'node:net';

/** @param {{ count: number }} options @returns {Promise<import('./child.mjs').Role>} */
export async function proxy({ count }) {
  /** @type {Set<import('node:net').Socket>} */
  const sockets = new Set();
  let holding = false;
  /** @type {number[]} */
  let targets = [];
  const servers = Array.from({ length: count }, (_, i) =>
    createServer({ allowHalfOpen: true }, (near) => {
      const far = connect({ host: '127.0.0.1', port: targets[i] ?? 0, allowHalfOpen: true });
      pass(near, far);
      pass(far, near);
    }),
  );

  /** @param {import('node:net').Socket} from @param {import('node:net').Socket} to */
  function pass(from, to) {
    sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk) => void (holding || to.write(chunk) || from.pause()));
    to.on('drain', () => void (holding || from.resume()));
    from.on('error', () => undefined);
    from.on('close', () => {
      sockets.delete(from);
      if (!holding) to.destroy();
    });
    from.on('end', () => void (holding || to.end()));
  }

  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');
  return {
    ready: servers.map((server) => /** @type {import('node:net').AddressInfo} */ (server.address()).port),
    verbs: {
      aim: (/** @type {number[]} */ ports) => void (targets = ports),
      hold: () => {
        holding = true;
        for (const socket of sockets) socket.pause();
      },
      /** Lets go of what was held, and passes again. */
      release: () => {
        holding = false;
        for (const socket of sockets) socket.destroy();
      },
    },
  };
}
