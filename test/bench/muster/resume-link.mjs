// @ts-check
// Two ends of one link, with and without what keeps frames to be sent again.
import { Channel, constants, newIdentity, systemClock, systemEntropy, wsTransport } from '@muster/rexi';

const transport = wsTransport({ clock: systemClock, entropy: systemEntropy });
const table = constants();
const batch = { rows: 100, bytes: 10_000 };

/** @param {{ secret: string, store: boolean }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function serve({ secret, store }) {
  const listener = await transport.listen('ws://127.0.0.1:0', {
    identity: newIdentity('worker', 'sender', systemEntropy),
    secret: Buffer.from(secret),
    accept(link) {
      let left = 0;
      let first = 0;
      const fill = () => {
        for (; left > 0 && channel.bodyWaiting < table.inFlightMax; left -= batch.rows, first += batch.rows) {
          const bytes = Buffer.allocUnsafe(batch.bytes);
          channel.send({ type: 'rows', counter: 1, first, count: batch.rows, batch: bytes });
        }
      };
      const channel = new Channel(link, {
        clock: systemClock,
        constants: table,
        handler: {
          message(message) {
            if (message.type !== 'ack') return;
            left = message.rows;
            fill();
          },
          drained: fill,
          ...(store && { broken: () => false }),
          ended: () => undefined,
        },
      });
    },
  });
  return { ready: listener.address, close: () => listener.close() };
}

/** @param {{ addresses: string[], secret: string, store: boolean }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client({ addresses: [address = ''], secret, store }) {
  const identity = newIdentity('coordinator', 'reader', systemEntropy);
  const link = await transport.dial(address, { identity, secret: Buffer.from(secret), timeout: 5_000 });
  let rows = 0;
  let wanted = Infinity;
  let done = () => {};
  const channel = new Channel(link, {
    clock: systemClock,
    constants: table,
    handler: {
      message(message) {
        if (message.type === 'rows') rows += message.count;
        if (rows >= wanted) done();
      },
      ...(store && { broken: () => false }),
      ended: () => undefined,
    },
  });
  return {
    verbs: {
      measure: async (/** @type {{ count: number }} */ { count }) => {
        rows = 0;
        wanted = count;
        const began = performance.now();
        /** @type {Promise<void>} */
        const all = new Promise((resolve) => (done = resolve));
        channel.send({ type: 'ack', counter: 1, rows: count, bytes: 0 });
        await all;
        return { rows: (count / (performance.now() - began)) * 1_000 };
      },
    },
    close: () => channel.close(1000, 'done'),
  };
}
