import type { Clock, Constants, Entropy, Identity, Link, Listener, Transport } from '@muster/rexi';
import { constants as tableOf, newIdentity } from '@muster/rexi';
import { Agent } from '../node/agent.ts';
import type { LaneOptions } from '../node/lanes.ts';
import { Lanes } from '../node/lanes.ts';
import { Objects } from '../node/objects.ts';
import type { Shell } from '../node/shell.ts';
import type { Script } from './script.ts';
import type { ScriptedExecutorsOptions } from './scripted-executors.ts';
import { ScriptedExecutors } from './scripted-executors.ts';

export interface MemoryNodeOptions {
  readonly id: string;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly transport: Transport;
  readonly secret: Uint8Array;
  readonly scripts: Readonly<Record<string, Script>>;
  /** Where to listen. Default: a port of its own. */
  readonly listen?: string;
  readonly constants?: Partial<Constants>;
  readonly lanes?: Readonly<Record<string, LaneOptions>>;
  readonly executors?: Pick<ScriptedExecutorsOptions, 'most' | 'starts' | 'dies'>;
  readonly note?: (event: string, facts: Record<string, unknown>) => void;
}

/** A worker node without processes: the real agent over scripted executors. */
export class MemoryNode {
  readonly agent: Agent;
  readonly executors: ScriptedExecutors;
  readonly identity: Identity;
  readonly address: string;
  readonly #listener: Listener;
  readonly #links: Set<Link>;

  /** Made by `memoryNode`. */
  constructor(agent: Agent, executors: ScriptedExecutors, identity: Identity, listener: Listener, links: Set<Link>) {
    this.agent = agent;
    this.executors = executors;
    this.identity = identity;
    this.address = listener.address;
    this.#listener = listener;
    this.#links = links;
  }

  /** Jobs in the agent's table, and jobs that live in an executor. */
  get jobs(): string[] {
    return [...this.agent.jobs.all.map(({ task }) => task.ref), ...this.executors.running];
  }

  /** The node is gone from one moment to the next: its links are reset, and its reaper kills what ran. */
  async crash(): Promise<void> {
    const closing = this.#listener.close();
    for (const link of this.#links) link.abort('the node has crashed');
    await Promise.all([closing, this.executors.close()]);
  }

  /** Ends links, jobs and executors. */
  async close(): Promise<void> {
    await this.#listener.close();
    this.agent.close('the node closes');
    await this.executors.close();
  }
}

/** Starts a worker node in memory; resolves when it can be dialled. */
export async function memoryNode(options: MemoryNodeOptions): Promise<MemoryNode> {
  const { id, clock, entropy, transport, secret, scripts, note } = options;
  const constants = tableOf(options.constants);
  const identity = newIdentity('worker', id, entropy);
  const executors = new ScriptedExecutors({ clock, scripts, ...options.executors });
  const lanes = new Lanes(options.lanes);
  const links = new Set<Link>();
  const accept = (link: Link): void => (links.add(link), agent.accept(link));
  const listener = await transport.listen(options.listen ?? `ws://${id}.test:0`, {
    identity,
    secret,
    accept,
  });
  const objects = new Objects({ identity, address: listener.address, clock, entropy, constants, transport, secret });
  const { incarnation } = identity;
  const log: Shell['log'] = { level: 'info' };
  const shell: Shell = {
    log,
    drain: (ms) => void agent.drain(ms).then(() => node.close()),
    config: () => ({ id, constants, lanes: lanes.settings([]), logLevel: log.level }),
  };
  const around = { executors, lanes, objects, shell };
  const agent: Agent = new Agent({ id, incarnation, clock, constants, ...around, ...(note && { note }) });
  const node = new MemoryNode(agent, executors, identity, listener, links);
  return node;
}
