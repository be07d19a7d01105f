import type { ValueLimits } from './limits.ts';
import type { Shape, Shapes } from './shape.ts';

/** For values that travel as a key and are something else at each end, such as references to stored objects. */
export interface RefHook {
  /** The key of `value`; undefined if it is nothing of the hook's. Asked about every object of an unknown class. */
  encode(value: object): string | undefined;
  /** What a key stands for here. */
  decode(key: string): unknown;
}

/** What a codec's walks have in common. */
export interface WalkContext {
  readonly limits: ValueLimits;
  readonly refs: RefHook | undefined;
  readonly shapes: Shapes;
}

/** A value as it was when the snapshot was taken, checked, and ready to be packed. */
export interface Snapshot {
  readonly tree: unknown;
  /** Whether marked maps are inside. */
  readonly special: boolean;
  /** Whether large binaries are still the user's own, so that it must be packed before the user's code runs again. */
  readonly shares: boolean;
  /** Items, as the limit counts them. */
  readonly items: number;
  /** The least number of bytes it takes when packed. */
  readonly bytes: number;
  /** Keys of the refs inside, in the order in which they were met; one that is there twice is listed twice. */
  readonly refs: readonly string[];
  /** The different shapes of its records; one more than a message may have stands for any number. */
  readonly shapes: readonly Shape[];
}
