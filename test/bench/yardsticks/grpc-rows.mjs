// @ts-check
import { once } from 'node:events';
import { rowOf } from '../jobs/row.mjs';
import { dial, listen } from './grpc-common.mjs';

export function serve() {
  return listen({
    rows: (
      /** @type {import('@grpc/grpc-js').ServerWritableStream<{ count: number, size: number }, unknown>} */ call,
    ) => void send(call),
  });
}

/** @param {import('@grpc/grpc-js').ServerWritableStream<{ count: number, size: number }, unknown>} call */
async function send(call) {
  const { count, size } = call.request;
  for (let id = 0; id < count; id += 1) {
    if (!call.write(rowOf(id, size))) await once(call, 'drain');
  }
  call.end();
}

/** @param {{ addresses: string[] }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client({ addresses }) {
  const clients = addresses.map(dial);
  return { verbs: { measure: (order) => measure(clients, order) } };
}

/**
 * @param {readonly ReturnType<typeof dial>[]} all
 * @param {{ nodes: number, count: number, size: number }} order
 */
async function measure(all, { nodes, count, size }) {
  const clients = all.slice(0, nodes);
  const began = performance.now();
  await Promise.all(clients.map((one) => receive(one['rows']?.({ count: count / nodes, size }))));
  const seconds = (performance.now() - began) / 1000;
  return { rows: count / seconds, megabytes: (count * size) / seconds / 1e6 };
}

/** By its events, which is the fastest way that it has. @param {import('@grpc/grpc-js').ClientReadableStream<{ id: number }>} stream */
async function receive(stream) {
  let sum = 0;
  stream.on('data', ({ id }) => (sum += id));
  await once(stream, 'end');
  return sum;
}
