// @ts-check
import { once } from 'node:events';
import { WebSocket, WebSocketServer } from 'ws';

/**
 * @param {(socket: WebSocket) => void} accept
 * @returns {Promise<import('../harness/child.mjs').Role>}
 */
export async function listen(accept) {
  const server = new WebSocketServer({ host: '127.0.0.1', port: 0, perMessageDeflate: false });
  server.on('connection', accept);
  await once(server, 'listening');
  const { port } = /** @type {import('node:net').AddressInfo} */ (server.address());
  return { ready: `ws://127.0.0.1:${port}` };
}

/** @param {string} address */
export async function dial(address) {
  const socket = new WebSocket(address, { perMessageDeflate: false });
  await once(socket, 'open');
  return socket;
}

/** @param {import('ws').RawData} data */
export function bytesOf(data) {
  return /** @type {Buffer} */ (data);
}
