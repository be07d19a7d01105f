import type { Clock, Constants, Entropy, Transport } from '@muster/rexi';
import { ClusterError } from '@muster/rexi';
import type { SpawnGuardian } from './guardianship.ts';
import type { Shard, ShardMap } from './request.ts';

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
