import { ClusterError } from '@muster/rexi';
import type { Shard, ShardMap } from '../request.ts';
import { placeOf, rendezvous, ringSize } from './key-hash.ts';

/** A shard of a ring: the places from the first to the last of its range, both included, are its own. */
export interface RingShard extends Shard {
  readonly id: string;
  readonly range: readonly [number, number];
}

/** A shard map in which every key has its shard. Plain data: `JSON.stringify` keeps it, and `connect` takes what `JSON.parse` gives. */
export interface Ring extends ShardMap {
  /** What takes a key to its place: `placeOf`. Only a map that says so is looked at as a ring. */
  readonly hash: 'sha256-32';
  readonly shards: readonly RingShard[];
}

/** A node that a ring can be built of. */
export interface RingNode {
  readonly name: string;
  /** What is known of it, as `{ zone: 'a' }`. */
  readonly labels?: Readonly<Record<string, string>>;
}

export interface RingOptions {
  /** How many ranges of equal size there are: 1 to 4,096. */
  readonly shards: number;
  /** How many nodes hold each. Default 1. */
  readonly replicas?: number;
  readonly nodes: readonly (string | RingNode)[];
  /** Copies of a shard go to nodes with different values of this label, as far as there are. Default: no label. */
  readonly spread?: string;
  /** Shards whose nodes are given by hand, by their ids. */
  readonly overrides?: Readonly<Record<string, readonly string[]>>;
}

const most = 4_096;

/**
 * A ring of equal ranges over the nodes, version 1. The same options give the same ring, whatever the order of the nodes;
 * no node holds more than one copy beyond what another does, where labels and overrides allow it.
 * @throws ClusterError `bad_options`
 */
export function ring(options: RingOptions): Ring {
  const { shards: count, replicas = 1, spread, overrides = {} } = options;
  const nodes = options.nodes.map((node) => (typeof node === 'string' ? { name: node } : node));
  check({ count, replicas, nodes });
  const ranges = Array.from({ length: count }, (_, i) => rangeAt(i, count));
  const ids = new Set(ranges.map(idOf));
  const stranger = Object.keys(overrides).find((id) => !ids.has(id));
  if (stranger !== undefined) throw bad(`overrides names shard ${stranger}; there are ${[...ids].join(', ')}.`);
  const load = new Map(nodes.map(({ name }) => [name, 0]));
  const shards = ranges.map((range): RingShard => {
    const id = idOf(range);
    const chosen = overrides[id] ?? choose({ id, replicas, nodes, spread, load });
    for (const name of chosen) load.set(name, (load.get(name) ?? 0) + 1);
    return { id, range, nodes: [...chosen] };
  });
  return { version: 1, hash: 'sha256-32', shards };
}

/** The shard that a key belongs to. */
export function shardOf(ring: Ring, key: string | Uint8Array): RingShard {
  return shardAt(ring, placeOf(key));
}

/** The shard that holds a place, 0 to 2^32 - 1. */
export function shardAt({ shards }: Ring, place: number): RingShard {
  let [low, high] = [0, shards.length - 1];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((shards[middle] as RingShard).range[1] < place) low = middle + 1;
    else high = middle;
  }
  return shards[low] as RingShard;
}

/** What the places from `first` to `last` are called where nobody gives them a name: `00000000-3fffffff`. */
export function idOf([first, last]: readonly [number, number]): string {
  return `${hex(first)}-${hex(last)}`;
}

/**
 * The map with its shards in the order of their ranges.
 * @throws ClusterError `bad_options` that names the hole, the overlap or the range that is none.
 */
export function checkedRing(map: ShardMap): Ring {
  if (map.hash !== 'sha256-32') throw bad(`A ring's hash is 'sha256-32', not ${JSON.stringify(map.hash)}.`);
  const shards = map.shards.map(checkedShard).sort((a, b) => a.range[0] - b.range[0]);
  let next = 0;
  for (const { id, range } of shards) {
    const [first, last] = range;
    if (first > next) throw bad(`The ring has a hole: no shard holds ${idOf([next, first - 1])}.`);
    if (first < next)
      throw bad(`The ring holds ${idOf([first, Math.min(next - 1, last)])} twice, once in shard ${id}.`);
    next = last + 1;
  }
  if (next < ringSize) throw bad(`The ring has a hole: no shard holds ${idOf([next, ringSize - 1])}.`);
  return { ...map, hash: map.hash, shards };
}

function checkedShard(shard: Shard): RingShard {
  const { id, range } = shard;
  const [first, last] = range ?? [];
  if (typeof id !== 'string') throw bad(`A shard of a ring has a text as its id, not ${id}.`);
  if (isPlace(first) && isPlace(last) && first <= last) return { ...shard, id, range: [first, last] };
  throw bad(
    `The range of shard ${id} is its first and last place, as [0, ${ringSize - 1}], not ${JSON.stringify(range)}.`,
  );
}

function isPlace(value: unknown): value is number {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) < ringSize;
}

interface Choice {
  readonly id: string;
  readonly replicas: number;
  readonly nodes: readonly RingNode[];
  readonly spread: string | undefined;
  /** Copies that each node holds so far. */
  readonly load: ReadonlyMap<string, number>;
}

/** One node after the other: where no copy is yet by the label, then where there are fewest, then whom the shard's id suits best. */
function choose({ id, replicas, nodes, spread, load }: Choice): string[] {
  const labelOf = ({ labels }: RingNode): string | undefined => (spread === undefined ? undefined : labels?.[spread]);
  const rank = new Map(
    rendezvous(
      nodes.map(({ name }) => name),
      id,
    ).map((name, i) => [name, i]),
  );
  const chosen: RingNode[] = [];
  const near = (node: RingNode): number =>
    spread === undefined ? 0 : chosen.filter((other) => labelOf(other) === labelOf(node)).length;
  const order = (a: RingNode, b: RingNode): number =>
    near(a) - near(b) ||
    (load.get(a.name) ?? 0) - (load.get(b.name) ?? 0) ||
    (rank.get(a.name) ?? 0) - (rank.get(b.name) ?? 0);
  while (chosen.length < replicas) {
    const [best] = nodes.filter((node) => !chosen.includes(node)).sort(order);
    chosen.push(best as RingNode);
  }
  return chosen.map(({ name }) => name);
}

interface Wanted {
  readonly count: number;
  readonly replicas: number;
  readonly nodes: readonly RingNode[];
}

function check({ count, replicas, nodes }: Wanted): void {
  if (!Number.isInteger(count) || count < 1 || count > most) throw bad(`A ring has 1 to ${most} shards, not ${count}.`);
  const twice = nodes.find(({ name }, i) => nodes.findIndex((other) => other.name === name) !== i);
  if (twice !== undefined) throw bad(`The ring is given node ${twice.name} twice.`);
  if (!Number.isInteger(replicas) || replicas < 1 || replicas > nodes.length)
    throw bad(`${replicas} copies of a shard need as many nodes; there are ${nodes.length}.`);
}

/** The i-th of `count` ranges that differ by one place at most. */
function rangeAt(i: number, count: number): readonly [number, number] {
  return [Math.floor((i * ringSize) / count), Math.floor(((i + 1) * ringSize) / count) - 1];
}

function hex(place: number): string {
  return place.toString(16).padStart(8, '0');
}

function bad(what: string): ClusterError {
  return new ClusterError('bad_options', what);
}
