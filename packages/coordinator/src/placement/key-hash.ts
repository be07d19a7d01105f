import { createHash } from 'node:crypto';

/** Places on a ring: 0 to 2^32 - 1. */
export const ringSize: number = 2 ** 32;

/**
 * Where a key is on the ring: the first 32 bits, big-endian, of the SHA-256 of its UTF-8 text, or of its bytes. Any language
 * can say where a key is, and nobody can choose keys that all fall to one shard without trying them.
 */
export function placeOf(key: string | Uint8Array): number {
  return digestOf(key).readUInt32BE(0);
}

/** How well a node suits a key: the first 48 bits of the SHA-256 of the node's name, a NUL and the key; the highest wins. */
export function suits(node: string, key: string | Uint8Array): number {
  return digestOf(node, '\0', key).readUIntBE(0, 6);
}

/**
 * Rendezvous hashing: the names, best first. A node that comes or goes moves only the keys that are its own.
 */
export function rendezvous(names: readonly string[], key: string | Uint8Array): string[] {
  const scores = new Map(names.map((name) => [name, suits(name, key)]));
  const score = (name: string): number => scores.get(name) ?? 0;
  return [...names].sort((a, b) => score(b) - score(a) || Number(a > b) - Number(a < b));
}

function digestOf(...parts: readonly (string | Uint8Array)[]): Buffer {
  const hash = createHash('sha256');
  for (const part of parts) hash.update(part);
  return hash.digest();
}
