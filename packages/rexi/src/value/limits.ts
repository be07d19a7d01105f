import { defaults } from '../constants.ts';

/** What one packed value, or one batch of rows, may take at most. Both ends hold it: the sender with a path. */
export interface ValueLimits {
  /** Containers inside containers; a batch of rows may have one more, the batch itself. */
  readonly depth: number;
  /** Values and Map keys; a Map, a Set and a binary weigh as `HEAVY` (see wire.ts). */
  readonly items: number;
  /** UTF-8 bytes of an object's or a Map's key. */
  readonly keyBytes: number;
  /** Bytes of the whole, so that a string shared a thousand times is refused before it has been written out. */
  readonly bytes: number;
}

export const valueLimits: ValueLimits = {
  depth: defaults.depth,
  items: defaults.items,
  keyBytes: defaults.keyBytes,
  // What names the value in its message needs some room beside it.
  bytes: defaults.message - 65_536,
};
