import type { Clock, Constants, Entropy, TlsOptions, Transport } from '@muster/rexi';
import { authorityOf, ClusterError, isId, looksLikeRoleKey } from '@muster/rexi';
import { resolve } from 'node:path';
import type { SpawnGuardian } from './guardianship.ts';
import { checkedRing } from './placement/ring.ts';
import type { Shard, ShardMap } from './request.ts';
import type { Rule, Rules } from './rules.ts';
import { anObject, anything, aText, checkOptions, isObject, shown } from './rules.ts';

export interface ConnectOptions {
  /**
   * Addresses of worker nodes, e.g. `wss://node-a:7101`, or `ws://127.0.0.1:7101` without TLS. A node that can be reached at several is a list of them, which
   * are dialled in turn; the first is its name as long as its id is not known.
   */
  readonly nodes: readonly (string | readonly string[])[];
  /** The cluster secret, at least 16 bytes; a string is taken as UTF-8 without surrounding white space. */
  readonly secret: string | Uint8Array;
  /**
   * Certificates for `wss://`, this coordinator's with its `id` as CN and OU=coordinator. Files are read anew at every dial,
   * here and in the guardian. Default: none.
   */
  readonly tls?: TlsOptions;
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
  /** Takes one line of the coordinator's history: casts, kills, ends, sessions. Default: nowhere. */
  readonly note?: Note;
  /** Called when a handle has been closed, which waits for it. Default: nobody has anything to do then. */
  readonly closed?: () => Promise<void>;
}

/** What happened, and to what: `ref` and `refs` are printable references, `node` is a name. */
export type Note = (event: string, facts: Record<string, unknown>) => void;

const leastSecret = 16;

/** `nodes`, `secret`, `shards` and `minNodes` are looked at where they are used, with more to say. */
const connect: Rules<ConnectOptions> = {
  nodes: anything,
  secret: anything,
  tls: anObject,
  shards: anything,
  id: aText,
  minNodes: anything,
  constants: anObject,
  seams: anObject,
};

/** @throws ClusterError `bad_options` for options that there are not, or of another kind. */
export function checkConnect(options: ConnectOptions): ConnectOptions {
  checkOptions(options, connect, { of: 'connect' });
  return options;
}

const somePins: Rule = {
  holds: (value) => Array.isArray(value) && value.length > 0,
  is: 'a list like ["sha256/…"] of at least one pin',
};
const tls: Rules<TlsOptions> = { ca: aText, cert: aText, key: aText, pins: somePins };

/**
 * The certificates, if there are any, as a process with another working directory finds them.
 * @throws ClusterError `bad_options` for those that are missing.
 */
export function certificates({ nodes, tls: given }: Pick<ConnectOptions, 'nodes' | 'tls'>): TlsOptions | undefined {
  if (given !== undefined) checkOptions(given, tls, { of: 'tls', within: 'tls.' });
  const [secure] = Array.isArray(nodes) ? nodes.flat().filter((address) => /^wss:/i.test(String(address))) : [];
  if (given === undefined && secure !== undefined)
    throw bad(`${secure} needs certificates; give tls: { ca, cert, key } (muster certs makes some).`);
  return given && absolute(given);
}

function absolute({ ca, cert, key, pins }: TlsOptions): TlsOptions {
  const missing = Object.entries({ ca, cert, key }).find(([, value]) => (value as string | undefined) === undefined);
  if (missing) throw bad(`tls.${missing[0]} is missing; TLS needs ca, cert and key, each a path or PEM text.`);
  const at = (given: string): string => (given.includes('-----BEGIN ') ? given : resolve(given));
  return { ca: at(ca), cert: at(cert), key: at(key), ...(pins && { pins }) };
}

/** @throws ClusterError `bad_options` for none, or one that is too short. */
export function secretBytes(secret: string | Uint8Array | undefined): Uint8Array {
  if (typeof secret !== 'string' && !(secret instanceof Uint8Array)) {
    throw bad(`secret is the cluster's secret, as a text or bytes, the same as the nodes have; not ${shown(secret)}.`);
  }
  if (looksLikeRoleKey(Buffer.from(secret).toString('latin1')))
    throw bad('This is the key of one role, with which one can operate; connect takes the secret of the cluster.');
  const bytes = typeof secret === 'string' ? Buffer.from(secret.trim()) : secret;
  if (bytes.length < leastSecret)
    throw bad(`The cluster secret has ${bytes.length} bytes; give it at least ${leastSecret}.`);
  return bytes;
}

/**
 * The addresses of each node.
 * @throws ClusterError `bad_options` for no address, a malformed one, or one given twice, however it is spelt.
 */
export function checkNodes(nodes: ConnectOptions['nodes'] | undefined): readonly (readonly string[])[] {
  if (!Array.isArray(nodes) || nodes.length === 0)
    throw bad('Name at least one node, e.g. nodes: ["ws://127.0.0.1:7101"].');
  const all = (nodes as ConnectOptions['nodes']).map((node): readonly string[] =>
    Array.isArray(node) ? (node as readonly string[]) : [node as string],
  );
  if (all.some(({ length }) => length === 0)) throw bad('Give each node at least one address; there is an empty list.');
  const spelt = new Map<string, string>();
  for (const address of all.flat()) {
    const authority = dialled(address);
    const twice = spelt.get(authority);
    if (twice !== undefined) {
      throw bad(`The node ${address} is named twice${twice === address ? '' : `: ${twice} is the same address`}.`);
    }
    spelt.set(authority, address);
  }
  return all;
}

/** The one form of an address that can be dialled. */
function dialled(address: unknown): string {
  const fit = typeof address === 'string' && /^wss?:\/\/.*:0*[1-9]\d*\/?$/i.test(address);
  try {
    if (fit) return authorityOf(address);
  } catch {
    // Said below, with the rest.
  }
  throw bad(
    `${shown(address)} is no address of a node; one looks like "ws://127.0.0.1:7101" or "wss://node-a:7101", port included.`,
  );
}

/**
 * @throws ClusterError `bad_options` for what is no map, one that names a shard twice, or one without nodes that could be
 * named so.
 */
export function shardMap(shards: ShardMap | readonly Shard[] | undefined): ShardMap {
  if (shards === undefined) return { version: 0, shards: [] };
  const map = Array.isArray(shards) ? { version: 1, shards: shards as readonly Shard[] } : (shards as ShardMap);
  if (!isObject(map) || !Array.isArray(map.shards))
    throw bad(
      'shards is a list like [{ id: 1, nodes: ["a"] }], or { version, shards } with one; leave it out for none.',
    );
  const ids = new Set<number | string>();
  for (const shard of map.shards) {
    checkShard(shard);
    if (ids.has(shard.id)) throw bad(`The shard map names shard ${shard.id} twice.`);
    ids.add(shard.id);
  }
  return map.hash === undefined ? map : checkedRing(map);
}

function checkShard(shard: Partial<Shard>): void {
  const { id, nodes, range } = isObject(shard) ? shard : ({} as Partial<Shard>);
  if (typeof id !== 'string' && typeof id !== 'number')
    throw bad(`A shard has an id, a number or a text, not ${shown(id)}.`);
  if (!Array.isArray(nodes) || nodes.length === 0)
    throw bad(`The shard map gives no node for shard ${id}; give it a list of names, e.g. nodes: ["a"].`);
  nodes.forEach((name: unknown, i) => {
    if (typeof name !== 'string' || !isId(name))
      throw bad(`The shard map says that shard ${id} is at ${shown(name)}, which is no name of a node.`);
    if (nodes.indexOf(name) !== i) throw bad(`The shard map names node ${name} twice for shard ${id}.`);
  });
  if (range !== undefined && !(Array.isArray(range) && range.length === 2))
    throw bad(`The range of shard ${id} is a pair like [0, 9], from where to where, not ${shown(range)}.`);
}

function bad(what: string): ClusterError {
  return new ClusterError('bad_options', what);
}
