import { ringSize } from './key-hash.ts';
import type { Ring } from './ring.ts';

/** What a node holds of a ring. */
export interface NodeShare {
  readonly node: string;
  /** Shards of which it holds a copy. */
  readonly copies: number;
  /** Shards for which it stands first. */
  readonly first: number;
  /** The part of all places of which it holds a copy, 0 to 1. */
  readonly share: number;
}

/** What each node holds, most first: how even a ring is. */
export function sharesOf({ shards }: Ring): NodeShare[] {
  const names = [...new Set(shards.flatMap(({ nodes }) => nodes))];
  return names
    .map((node): NodeShare => {
      const held = shards.filter(({ nodes }) => nodes.includes(node));
      const places = held.reduce((sum, { range: [first, last] }) => sum + last - first + 1, 0);
      return {
        node,
        copies: held.length,
        first: held.filter(({ nodes }) => nodes[0] === node).length,
        share: places / ringSize,
      };
    })
    .sort((a, b) => b.share - a.share || Number(a.node > b.node) - Number(a.node < b.node));
}
