// @ts-check
import moleculer from 'moleculer';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { repeat } from '../harness/figures.mjs';
import { startProcesses } from './processes.mjs';

/** The server has to know where its client will listen: both are told their ports beforehand. @typedef {{ server: number, client: number }} Ports */

/**
 * Answers itself, or has so many processes answer.
 * @param {{ ports: Ports, processes?: number }} options
 * @returns {Promise<import('../harness/child.mjs').Role>}
 */
export async function serve({ ports, processes = 0 }) {
  const broker = brokerOf('server', ports);
  const handle = processes === 0 ? (/** @type {unknown} */ params) => params : startProcesses(processes);
  const echo = (/** @type {{ params: unknown }} */ { params }) => handle(params);
  broker.createService({ name: 'bench', actions: { echo } });
  await broker.start();
  return { ready: 'tcp', close: () => broker.stop() };
}

/** @param {{ ports: Ports }} options @returns {Promise<import('../harness/child.mjs').Role>} */
export async function client({ ports }) {
  const broker = brokerOf('client', ports);
  await broker.start();
  await broker.waitForServices('bench', 10_000);
  return {
    verbs: {
      /** @param {{ ms: number, inFlight: number, args: any }} order */
      measure: ({ ms, inFlight, args }) => repeat(ms, inFlight, () => broker.call('bench.echo', args)),
    },
    close: () => broker.stop(),
  };
}

/** @param {'server' | 'client'} nodeID @param {Ports} ports */
function brokerOf(nodeID, ports) {
  const urls = Object.entries(ports)
    .map(([name, port]) => `127.0.0.1:${port}/${name}`)
    .join(',');
  const options = { udpDiscovery: false, port: ports[nodeID], urls };
  return new moleculer.ServiceBroker({ nodeID, logger: false, transporter: { type: 'TCP', options } });
}

/** Ports that are free now. @returns {Promise<Ports>} */
export async function freePorts() {
  const servers = [createServer(), createServer()];
  for (const server of servers) await once(server.listen(0, '127.0.0.1'), 'listening');
  const [one = 0, two = 0] = servers.map(
    (server) => /** @type {import('node:net').AddressInfo} */ (server.address()).port,
  );
  for (const server of servers) server.close();
  return { server: one, client: two };
}
