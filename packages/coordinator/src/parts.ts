import type { ValueCodec } from '@muster/rexi';
import { ClusterError } from '@muster/rexi';
import type { PartOrder } from './gather-order.ts';
import type { ClusterNode } from './node.ts';
import { rendezvous } from './placement/key-hash.ts';
import type { Ring } from './placement/ring.ts';
import { shardOf } from './placement/ring.ts';
import type { Place, ScatterOptions, Shard, ShardMap } from './request.ts';

const none = new Uint8Array();

/** What is known of the nodes while a request is laid out over them. */
interface Standing {
  readonly up: boolean;
  /** Casts under way, and those that this request has planned. */
  load: number;
  /** Decides between equals; another one each time. */
  readonly turn: number;
}

/** Which nodes a request goes to: by shard, by name, or by load. */
export class Parts {
  readonly #shards: ReadonlyMap<number | string, Shard>;
  readonly #nodes: () => readonly ClusterNode[];
  /** Shards as their jobs are told of them, packed once. */
  readonly #packed: ReadonlyMap<Shard, Uint8Array>;
  readonly #ring: Ring | undefined;
  #turn = 0;

  /** @throws ClusterError `not_serializable` for a range that cannot travel. */
  constructor(map: ShardMap, codec: ValueCodec, nodes: () => readonly ClusterNode[]) {
    this.#shards = new Map(map.shards.map((shard) => [shard.id, shard]));
    this.#ring = map.hash === undefined ? undefined : (map as Ring);
    const pack = ({ id, range }: Shard): Uint8Array => codec.pack({ id, range }, `shard ${id}`);
    this.#packed = new Map(map.shards.map((shard) => [shard, pack(shard)]));
    this.#nodes = nodes;
  }

  /** The part of a call: a copy of a shard, a node by name, or whichever node has least to do. */
  one({ shard, node, key }: Place): PartOrder {
    if (node !== undefined) return { shard: undefined, value: none, nodes: [node] };
    const standings = this.#standings();
    if (shard !== undefined) return this.#ofShard(shard, standings);
    if (key !== undefined) return this.#ofKey(key, standings);
    return { shard: undefined, value: none, nodes: best([...standings.keys()], standings) };
  }

  /** The parts of a scatter. */
  over(over: ScatterOptions<never>['over']): PartOrder[] {
    if (over === 'nodes' || (over === undefined && this.#shards.size === 0)) {
      return this.#nodes().map(({ name }) => ({ shard: name, value: none, nodes: [name] }));
    }
    const ids = over === undefined || over === 'shards' ? [...this.#shards.keys()] : over;
    if (ids.length === 0 && over === 'shards') {
      throw new ClusterError(
        'bad_options',
        "There is no shard map to scatter over; give connect one as `shards`, or scatter with over: 'nodes'.",
      );
    }
    if (new Set(ids).size < ids.length) {
      const twice = ids.find((id, i) => ids.indexOf(id) !== i);
      throw new ClusterError('bad_options', `over names shard ${twice} twice.`);
    }
    const standings = this.#standings();
    return ids.map((id) => this.#ofShard(id, standings));
  }

  /** Its shard's copies; or, where there are no shards, the nodes, in the order in which it suits them. */
  #ofKey(key: string | Uint8Array, standings: Map<string, Standing>): PartOrder {
    if (this.#ring !== undefined) return this.#ofShard(shardOf(this.#ring, key).id, standings);
    if (this.#shards.size > 0)
      throw new ClusterError(
        'bad_options',
        'The shard map is no ring, so no key has a shard; name the shard, or give connect a map made by ring().',
      );
    return { shard: undefined, value: none, nodes: rendezvous([...standings.keys()], key) };
  }

  /** A shard's copies: those that are up first, and among them the less loaded, this request's own parts counted. */
  #ofShard(id: number | string, standings: Map<string, Standing>): PartOrder {
    const shard = this.#shards.get(id);
    if (shard === undefined) throw new ClusterError('bad_options', `The shard map has no shard ${id}.`, { shard: id });
    const nodes = best(shard.nodes, standings);
    const first = standings.get(nodes[0] ?? '');
    if (first !== undefined) first.load += 1;
    return { shard: id, value: this.#packed.get(shard) ?? none, nodes };
  }

  #standings(): Map<string, Standing> {
    const nodes = this.#nodes();
    this.#turn += 1;
    const standing = ({ state, load }: ClusterNode, i: number): Standing => ({
      up: state === 'up',
      load,
      turn: (i + nodes.length - (this.#turn % nodes.length)) % nodes.length,
    });
    return new Map(nodes.map((node, i) => [node.name, standing(node, i)]));
  }
}

/** Nodes that are up before those that are not, less loaded before more, equal ones in turn. */
function best(names: readonly string[], standings: ReadonlyMap<string, Standing>): string[] {
  return [...names].sort((a, b) => {
    const x = standings.get(a);
    const y = standings.get(b);
    if (x === undefined || y === undefined) return Number(x === undefined) - Number(y === undefined);
    return Number(y.up) - Number(x.up) || x.load - y.load || x.turn - y.turn;
  });
}
