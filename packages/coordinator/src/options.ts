import type { Clock, Constants, Entropy, Transport } from '@muster/rexi';
import { ClusterError } from '@muster/rexi';
import type { SpawnGuardian } from './guardianship.ts';
import type { RequestOptions, Shard, ShardMap } from './request.ts';

export interface ConnectOptions {
  /** Addresses of worker nodes, e.g. `ws://127.0.0.1:7101`. */
  readonly nodes: readonly string[];
  /** The cluster secret, at least 16 bytes; a string is taken as UTF-8 without surrounding white space. */
  readonly secret: string | Uint8Array;
  /** Where the shards are: a map, or just its shards. */
  readonly shards?: ShardMap | readonly Shard[];
  /** This coordinator's name in the nodes' logs. Default `coordinator`. */
  readonly id?: string;
  /** `connect` resolves when so many nodes are up. Default 1. */
  readonly minNodes?: number;
  /** Values of the protocol's table that differ from its defaults. */
  readonly constants?: Partial<Constants>;
  /** For tests and simulation: another clock, randomness, transport, guardian. */
  readonly seams?: Partial<Seams>;
}

export interface Seams {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly transport: Transport;
  readonly spawn: SpawnGuardian;
}

const leastSecret = 16;

/** @throws ClusterError `bad_options` for a secret that is too short to be one. */
export function secretBytes(secret: string | Uint8Array): Uint8Array {
  const bytes = typeof secret === 'string' ? Buffer.from(secret.trim()) : secret;
  if (bytes.length < leastSecret) {
    throw new ClusterError(
      'bad_options',
      `The cluster secret has ${bytes.length} bytes; give it at least ${leastSecret}.`,
    );
  }
  return bytes;
}

/** @throws ClusterError `bad_options` for no address, a malformed one, or one given twice. */
export function checkNodes(nodes: readonly string[]): readonly string[] {
  if (nodes.length === 0)
    throw new ClusterError('bad_options', 'Name at least one node, e.g. nodes: ["ws://127.0.0.1:7101"].');
  for (const address of nodes) {
    if (!/^(wss?|memory):/.test(address))
      throw new ClusterError(
        'bad_options',
        `"${address}" is no address of a node; one looks like ws://127.0.0.1:7101.`,
      );
  }
  const twice = nodes.find((address, i) => nodes.indexOf(address) !== i);
  if (twice !== undefined) throw new ClusterError('bad_options', `The node ${twice} is named twice.`);
  return nodes;
}

/** @throws ClusterError `bad_options` for a shard without nodes or an id given twice. */
export function shardMap(shards: ShardMap | readonly Shard[] | undefined): ShardMap {
  const map: ShardMap =
    shards === undefined ? { version: 0, shards: [] } : 'shards' in shards ? shards : { version: 1, shards };
  const ids = new Set<number | string>();
  for (const { id, nodes } of map.shards) {
    if (ids.has(id)) throw new ClusterError('bad_options', `The shard map names shard ${id} twice.`);
    if (nodes.length === 0) throw new ClusterError('bad_options', `The shard map gives no node for shard ${id}.`);
    ids.add(id);
  }
  return map;
}

/**
 * What a request is asked for, before anything of it leaves.
 * @throws ClusterError `bad_options` with the option's name.
 */
export function checkRequest(
  job: string,
  { priority = 128, timeout = 1, messageTimeout = 1 }: RequestOptions,
  limit: number,
): void {
  const bad = (what: string): ClusterError => new ClusterError('bad_options', what, { job: job.slice(0, 128) });
  const size = Buffer.byteLength(job);
  if (size < 1 || size > 128) throw bad(`A job's name has 1 to 128 bytes, not ${size}.`);
  if (!Number.isInteger(priority) || priority < 0 || priority > 255)
    throw bad(`priority is 0 to 255, not ${priority}.`);
  if (!(timeout > 0)) throw bad(`timeout is a number of milliseconds above 0, not ${timeout}.`);
  if (!(messageTimeout > 0)) throw bad(`messageTimeout is a number of milliseconds above 0, not ${messageTimeout}.`);
  if (!(limit >= 0)) throw bad(`limit is a number of rows, not ${limit}.`);
}
