import type { Shard } from 'muster';
import type { Row } from './row.ts';
import { textIn } from './row.ts';

/** Rows that travel to a node together. */
export interface Batch {
  readonly shard: number;
  /** Counts the batches of a shard: a batch that comes twice is the same batch. */
  readonly number: number;
  readonly rows: readonly Row[];
}

const mostRows = 2_000;
const mostCharacters = 2_000_000;

/** The shard of a key: FNV-1a over its text, so that everybody who knows the key knows the shard. */
export function shardOf(key: string, shards: number): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < key.length; i += 1) hash = Math.imul(hash ^ key.charCodeAt(i), 0x01000193);
  // Its low bits alone are poor for keys that are alike.
  return ((hash ^ (hash >>> 15)) >>> 0) % shards;
}

/** Every shard on so many nodes, next to each other in the list, so that a lost node's load is spread. */
export function placeShards(shards: number, nodes: readonly string[], replicas: number): Shard[] {
  const holder = (id: number, copy: number): string => nodes[(id + copy) % nodes.length] ?? '';
  return Array.from({ length: shards }, (_, id) => ({
    id,
    nodes: Array.from({ length: replicas }, (_copy, copy) => holder(id, copy)),
  }));
}

/** Cuts rows into batches by shard. An empty shard gets one empty batch: its holders know that it is theirs. */
export function cutBatches(rows: readonly Row[], key: string, shards: number): Batch[] {
  const piles: Row[][] = Array.from({ length: shards }, () => []);
  for (const row of rows) piles[shardOf(textIn(row, key), shards)]?.push(row);
  return piles.flatMap((pile, shard) => cut(pile).map((part, number) => ({ shard, number, rows: part })));
}

function cut(pile: readonly Row[]): Row[][] {
  let part: Row[] = [];
  let characters = 0;
  const parts = [part];
  for (const row of pile) {
    const size = JSON.stringify(row).length;
    if (part.length > 0 && (part.length >= mostRows || characters + size > mostCharacters)) {
      parts.push((part = []));
      characters = 0;
    }
    part.push(row);
    characters += size;
  }
  return parts;
}
