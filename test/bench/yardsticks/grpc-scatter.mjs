// @ts-check
import { repeat } from '../harness/figures.mjs';
import { dial, listen } from './grpc-common.mjs';

export function serve() {
  return listen({
    echo: (
      /** @type {import('@grpc/grpc-js').ServerUnaryCall<unknown, unknown>} */ call,
      /** @type {Function} */ answer,
    ) => answer(null, call.request),
  });
}

/** @param {{ addresses: string[] }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client({ addresses }) {
  const clients = addresses.map(dial);
  /** @param {number} i @param {unknown} args */
  const call = (i, args) =>
    new Promise((resolve, reject) => {
      clients[i % clients.length]?.['echo']?.(
        args,
        (/** @type {Error | null} */ error, /** @type {unknown} */ reply) =>
          error === null ? resolve(reply) : reject(error),
      );
    });
  return {
    verbs: {
      /** @param {{ width: number, ms: number, args: unknown }} order */
      measure: ({ width, ms, args }) =>
        repeat(ms, 1, () => Promise.all(Array.from({ length: width }, (_, i) => call(i, args)))),
    },
  };
}
