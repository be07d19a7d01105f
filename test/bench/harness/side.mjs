// @ts-check
import { startChild } from './child.mjs';
import { profiled } from './profiles.mjs';

/**
 * One of the things that are compared: its servers and its client, each in a process of its own. The module exports
 * `serve`, whose `ready` is an address, and `client`, whose verb `measure` returns figures.
 * @typedef {{
 *   readonly name: string,
 *   readonly module: string,
 *   readonly servers: number,
 *   readonly serving?: object,
 *   readonly client?: object,
 * }} SideOptions
 */

/** @typedef {Record<string, number>} Figures */

/**
 * @typedef {{
 *   readonly name: string,
 *   readonly servers: readonly import('./child.mjs').Child[],
 *   readonly client: import('./child.mjs').Child,
 *   measure(order: object): Promise<Figures>,
 *   profile(label: string, order: object): Promise<void>,
 *   close(): Promise<void>,
 * }} Side
 */

/**
 * @param {SideOptions} options
 * @returns {Promise<Side>}
 */
export async function startSide({ name, module, servers: count, serving = {}, client: calling = {} }) {
  const servers = await Promise.all(
    Array.from({ length: count }, (_, index) => startChild(module, 'serve', { index, ...serving })),
  );
  const addresses = servers.map(({ ready }) => ready);
  const client = await startChild(module, 'client', { addresses, ...calling });
  const pids = [client.pid, ...servers.map(({ pid }) => pid)];
  return {
    name,
    servers,
    client,
    measure: (order) => client.ask('measure', order),
    profile: (label, order) => profiled(label, pids, () => client.ask('measure', order)),
    async close() {
      await client.close();
      await Promise.all(servers.map((server) => server.close()));
    },
  };
}
