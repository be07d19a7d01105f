import type { ValueCodec } from '@muster/rexi';
import { ClusterError } from '@muster/rexi';
import type { PartOrder } from './gather-order.ts';
import type { ClusterNode } from './node.ts';
import type { ScatterOptions, ShardMap } from './request.ts';

const none = new Uint8Array();

/** Which nodes a request goes to: by shard, by name, or by load. */
export class Parts {
  readonly #map: ShardMap;
  readonly #codec: ValueCodec;
  readonly #nodes: () => readonly ClusterNode[];
  #turn = 0;

  constructor(map: ShardMap, codec: ValueCodec, nodes: () => readonly ClusterNode[]) {
    this.#map = map;
    this.#codec = codec;
    this.#nodes = nodes;
  }

  /** The part of a call: a copy of a shard, a node by name, or whichever node has least to do. */
  one({ shard, node }: { shard?: number | string; node?: string }): PartOrder {
    if (node !== undefined) return { shard: undefined, value: none, nodes: [node] };
    if (shard !== undefined) return this.#ofShard(shard);
    return { shard: undefined, value: none, nodes: this.#byLoad().map(({ name }) => name) };
  }

  /** The parts of a scatter. */
  over(over: ScatterOptions<never>['over']): PartOrder[] {
    const { shards } = this.#map;
    if (over === 'nodes' || (over === undefined && shards.length === 0)) {
      return this.#nodes().map(({ name }) => ({ shard: name, value: none, nodes: [name] }));
    }
    const ids = over === undefined || over === 'shards' ? shards.map(({ id }) => id) : over;
    return ids.map((id) => this.#ofShard(id));
  }

  /** A shard's copies: those that are up first, and among them the less loaded. */
  #ofShard(id: number | string): PartOrder {
    const shard = this.#map.shards.find((one) => one.id === id);
    if (shard === undefined) throw new ClusterError('bad_options', `The shard map has no shard ${id}.`, { shard: id });
    const rank = new Map(this.#byLoad().map(({ name }, i) => [name, i]));
    const nodes = [...shard.nodes].sort((a, b) => (rank.get(a) ?? Infinity) - (rank.get(b) ?? Infinity));
    return { shard: id, value: this.#codec.pack({ id: shard.id, range: shard.range }, 'shard'), nodes };
  }

  /** Nodes that are up before those that are not, less loaded before more, equal ones in turn. */
  #byLoad(): ClusterNode[] {
    const nodes = this.#nodes();
    this.#turn += 1;
    const turned = nodes.map((_, i) => nodes[(i + this.#turn) % nodes.length] as ClusterNode);
    return turned.sort((a, b) => Number(b.state === 'up') - Number(a.state === 'up') || a.load - b.load);
  }
}
