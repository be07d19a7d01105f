import { createHash } from 'node:crypto';
import type { Entropy } from '../seams.ts';

const blockBytes = 32;

/** Bytes that look random and are a function of `seed`: SHA-256 in counter mode. For tests; nothing about it is secret. */
export function seededEntropy(seed: number | string): Entropy {
  let counter = 0;
  const block = (): Uint8Array => createHash('sha256').update(`${seed}:${counter++}`).digest();
  return {
    bytes(count) {
      const bytes = new Uint8Array(count);
      for (let at = 0; at < count; at += blockBytes) bytes.set(block().subarray(0, count - at), at);
      return bytes;
    },
  };
}
