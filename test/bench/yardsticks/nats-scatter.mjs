// @ts-check
// Needs the program `nats-server`, which is no npm package: without it this yardstick is left out.
import { connect } from '@nats-io/transport-node';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { repeat } from '../harness/figures.mjs';

/** Whether there is a server to compare with. */
export function isThere() {
  return spawnSync('nats-server', ['--version'], { stdio: 'ignore' }).status === 0;
}

/**
 * Runs the server itself, to which those who answer and the one who asks connect.
 * @param {{ port: number }} options
 * @returns {Promise<import('../harness/child.mjs').Role>}
 */
export async function broker({ port }) {
  const child = spawn('nats-server', ['--addr', '127.0.0.1', '--port', String(port)], {
    stdio: ['ignore', 'ignore', 'pipe'],
  });
  process.on('exit', () => child.kill('SIGKILL'));
  for await (const line of child.stderr) if (String(line).includes('Server is ready')) break;
  return {
    close: async () => {
      child.kill('SIGTERM');
      await once(child, 'exit');
    },
  };
}

/** @param {{ index: number, port: number, widths: number[], servers: number }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function serve({ index, port, widths, servers }) {
  const connection = await connect({ servers: `127.0.0.1:${port}` });
  for (const width of widths) {
    for (let i = index; i < width; i += servers) {
      connection.subscribe(`scatter.${width}`, { callback: (_error, message) => void message.respond(message.data) });
    }
  }
  await connection.flush();
  return { ready: `127.0.0.1:${port}`, close: () => connection.close() };
}

/** @param {{ addresses: string[] }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client({ addresses: [address = ''] }) {
  const connection = await connect({ servers: address });
  return {
    verbs: {
      /** @param {{ width: number, ms: number, args: unknown }} order */
      measure: ({ width, ms, args }) => repeat(ms, 1, () => gather(connection, width, JSON.stringify(args))),
    },
    close: () => connection.close(),
  };
}

/** @param {import('@nats-io/transport-node').NatsConnection} connection @param {number} width @param {string} text */
async function gather(connection, width, text) {
  let replies = 0;
  const options = { strategy: /** @type {const} */ ('count'), maxMessages: width, maxWait: 5_000 };
  for await (const message of await connection.requestMany(`scatter.${width}`, text, options))
    replies += Number(message.data.length > 0);
  if (replies !== width) throw new Error(`${replies} replies came instead of ${width}.`);
}
