// @ts-check
import grpc from '@grpc/grpc-js';
import { loadSync } from '@grpc/proto-loader';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const { Bench } = /** @type {{ Bench: import('@grpc/grpc-js').ServiceClientConstructor }} */ (
  /** @type {unknown} */ (grpc.loadPackageDefinition(loadSync(fileURLToPath(new URL('bench.proto', import.meta.url)))))
);

/**
 * @param {import('@grpc/grpc-js').UntypedServiceImplementation} handlers
 * @returns {Promise<import('../harness/child.mjs').Role>}
 */
export async function listen(handlers) {
  const server = new grpc.Server();
  server.addService(Bench.service, handlers);
  const bind = promisify(server.bindAsync.bind(server));
  const port = await bind('127.0.0.1:0', grpc.ServerCredentials.createInsecure());
  return { ready: `127.0.0.1:${port}` };
}

/** The methods are those of bench.proto, by their names. @param {string} address @returns {Record<string, Function>} */
export function dial(address) {
  return new Bench(address, grpc.credentials.createInsecure());
}
