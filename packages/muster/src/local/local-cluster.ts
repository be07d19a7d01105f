import type { Cluster, Shard, ShardMap } from '@muster/coordinator';
import { connect } from '@muster/coordinator';
import type { Constants } from '@muster/rexi';
import { ClusterError } from '@muster/rexi';
import type { LaneOptions } from '@muster/worker';
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { NodeProcess } from './node-process.ts';

/** What `Cluster.local` takes. */
export interface LocalOptions {
  /** The module that exports the jobs: a path, or a `file:` URL, as `new URL('jobs.js', import.meta.url)`. */
  readonly jobs: string | URL;
  /** How many worker nodes, 1 to 64; they are named `n1`, `n2`, … Default 2. */
  readonly nodes?: number;
  /** Where the shards are, by those names. */
  readonly shards?: ShardMap | readonly Shard[];
  /** Limits of each node: jobs of a lane at a time, and waiting. */
  readonly lanes?: Readonly<Record<string, LaneOptions>>;
  /** Most executors of each node. Default 64. */
  readonly executors?: number;
  /** Executors that each node keeps warm. Default 2. */
  readonly spares?: number;
  /** Most bytes of objects that each node holds. Default 1 GiB. */
  readonly objectBudget?: number;
  /** Values of the protocol's table that differ from its defaults, for nodes and coordinator alike. */
  readonly constants?: Partial<Constants>;
}

const names: ReadonlySet<string> = new Set<keyof LocalOptions>([
  'jobs',
  'nodes',
  'shards',
  'lanes',
  'executors',
  'spares',
  'objectBudget',
  'constants',
]);
const mostNodes = 64;

/** Milliseconds that a node may take until it is ready: as long as its jobs module may. */
const startTime = 35_000;

/**
 * A cluster inside one command, for tests and small services: worker nodes in processes of their own on loopback, with a
 * secret that nobody else has and a temporary directory. Resolves when all are up. `close()`, or the end of an `await using`
 * scope, ends the nodes and removes the directory; when this process dies, the nodes do both.
 * @throws ClusterError `bad_options` for an option that is wrong; `unavailable` with what the node has said when one does
 * not start; what `connect` throws. Nothing is left then.
 */
export async function localCluster<Jobs = Record<string, never>>(options: LocalOptions): Promise<Cluster<Jobs>> {
  const { nodes: count = 2, shards, constants } = checked(options);
  const nodes = new LocalNodes(await mkdtemp(join(tmpdir(), 'muster-local-')));
  try {
    const addresses = await nodes.start(count, options);
    return await connect<Jobs>({
      nodes: addresses,
      secret: nodes.secret,
      minNodes: count,
      ...(shards && { shards }),
      ...(constants && { constants }),
      seams: { closed: () => nodes.stop() },
    });
  } catch (error) {
    await nodes.stop();
    throw error;
  }
}

/** Nodes that were started together, and the directory that all of them are in. */
class LocalNodes {
  readonly secret: string = randomBytes(32).toString('hex');
  readonly #dir: string;
  readonly #nodes: NodeProcess[] = [];
  #stopped: Promise<void> | undefined;

  constructor(dir: string) {
    this.#dir = dir;
  }

  /** Resolves with their addresses when all are ready. */
  async start(count: number, { jobs, ...options }: LocalOptions): Promise<string[]> {
    const secretFile = join(this.#dir, 'secret');
    await writeFile(secretFile, this.secret, { mode: 0o600 });
    const module = jobs instanceof URL ? fileURLToPath(jobs) : jobs;
    for (let i = 1; i <= count; i += 1) {
      const id = `n${i}`;
      const dataDir = join(this.#dir, id);
      this.#nodes.push(new NodeProcess({ id, dataDir, secretFile, jobs: module, args: argsOf(options) }));
    }
    return Promise.all(this.#nodes.map(ready));
  }

  /** May be called twice. */
  stop(): Promise<void> {
    return (this.#stopped ??= this.#stop());
  }

  async #stop(): Promise<void> {
    await Promise.all(this.#nodes.map((node) => node.stop()));
    await rm(this.#dir, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function ready(node: NodeProcess): Promise<string> {
  await node.line(({ event }) => event === 'ready', startTime);
  if (node.address === '') {
    const said = node.errors.trim() || `it has said nothing for ${startTime} ms.`;
    throw new ClusterError('unavailable', `The node ${node.id} did not start: ${said}`, { node: node.id });
  }
  // An open handle alone does not keep the process alive.
  node.unref();
  return node.address;
}

function argsOf({ lanes = {}, executors, spares, objectBudget, constants = {} }: Omit<LocalOptions, 'jobs'>): string[] {
  const given = { executors, spares, objects: objectBudget };
  return [
    '--log-level',
    'warn',
    ...Object.entries(given).flatMap(([name, value]) => (value === undefined ? [] : [`--${name}`, String(value)])),
    ...Object.entries(constants).flatMap(([name, value]) => ['--set', `${name}=${value}`]),
    ...Object.entries(lanes).flatMap(([name, { concurrency = 64, queue }]) => [
      '--lane',
      `${name}=${concurrency}${queue === undefined ? '' : `,${queue}`}`,
    ]),
  ];
}

/** What a node says of the rest is said in its own words. */
function checked(options: LocalOptions): LocalOptions {
  for (const name of Object.keys(options)) {
    if (!names.has(name))
      throw bad(`There is no option "${name}" for Cluster.local; there are ${[...names].join(', ')}.`);
  }
  const { jobs, nodes = 2 } = options;
  if (!(jobs instanceof URL) && (typeof jobs !== 'string' || jobs === ''))
    throw bad("jobs is the module that exports the jobs, like new URL('jobs.js', import.meta.url).");
  if (!Number.isInteger(nodes) || nodes < 1 || nodes > mostNodes)
    throw bad(`nodes is how many worker nodes there are to be, 1 to ${mostNodes}, not ${String(nodes)}.`);
  return options;
}

function bad(message: string): ClusterError {
  return new ClusterError('bad_options', message);
}
