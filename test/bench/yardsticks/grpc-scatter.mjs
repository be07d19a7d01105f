// @ts-check
import { repeat } from '../harness/figures.mjs';
import { dial, listen } from './grpc-common.mjs';
import { startProcesses } from './processes.mjs';

/** @typedef {import('@grpc/grpc-js').ServerUnaryCall<unknown, unknown>} Call */

/** Answers itself, or has so many processes answer. @param {{ processes?: number }} options */
export function serve({ processes = 0 }) {
  if (processes === 0) {
    return listen({ echo: (/** @type {Call} */ call, /** @type {Function} */ answer) => answer(null, call.request) });
  }
  const handOn = startProcesses(processes);
  return listen({
    echo: (/** @type {Call} */ call, /** @type {Function} */ answer) =>
      void handOn(call.request).then((reply) => answer(null, reply)),
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
