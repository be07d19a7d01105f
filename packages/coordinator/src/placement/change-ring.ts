import { ClusterError } from '@muster/rexi';
import type { Ring, RingShard } from './ring.ts';
import { idOf } from './ring.ts';

/**
 * The ring, one version on, with a shard cut into parts of equal size, all where it was. What a request that is under way
 * asks is still the older ring.
 * @throws ClusterError `bad_options` for a shard that is not there, or has fewer places than parts.
 */
export function splitShard(ring: Ring, id: string, parts = 2): Ring {
  const shard = find(ring, id);
  const [first, last] = shard.range;
  const size = last - first + 1;
  if (!Number.isInteger(parts) || parts < 2 || parts > size)
    throw bad(`Shard ${id} can be cut into 2 to ${size} parts, not ${parts}.`);
  const cut = (i: number): number => first + Math.floor((i * size) / parts);
  const pieces = Array.from({ length: parts }, (_, i): RingShard => {
    const range = [cut(i), cut(i + 1) - 1] as const;
    return { id: idOf(range), range, nodes: shard.nodes };
  });
  return replaced(ring, shard, pieces);
}

/**
 * The ring, one version on, with a copy of a shard at another node than before. What the shard's jobs read there has to be
 * there first.
 * @throws ClusterError `bad_options` for a shard that is not there, or not at `from`, or at `to` already.
 */
export function moveCopy(ring: Ring, id: string, from: string, to: string): Ring {
  const shard = find(ring, id);
  if (!shard.nodes.includes(from)) throw bad(`Shard ${id} has no copy at ${from}; it is at ${shard.nodes.join(', ')}.`);
  if (shard.nodes.includes(to)) throw bad(`Shard ${id} has a copy at ${to} already.`);
  return replaced(ring, shard, [{ ...shard, nodes: shard.nodes.map((name) => (name === from ? to : name)) }]);
}

function find({ shards }: Ring, id: string): RingShard {
  const shard = shards.find((other) => other.id === id);
  if (shard === undefined) throw bad(`The ring has no shard ${id}.`);
  return shard;
}

function replaced(ring: Ring, shard: RingShard, by: readonly RingShard[]): Ring {
  return {
    ...ring,
    version: ring.version + 1,
    shards: ring.shards.flatMap((other) => (other === shard ? by : [other])),
  };
}

function bad(what: string): ClusterError {
  return new ClusterError('bad_options', what);
}
