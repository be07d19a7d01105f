import { BIG_BYTES, HEAVY, escapeKey, mapWeight, MARK } from './wire.ts';
import { MapKey } from './refusal.ts';
import type { Walk } from './walk.ts';

/** Makes the fresh copy of an object of one built-in class. `depth` is the object's own. */
export type Form = (walk: Walk, value: never, depth: number) => unknown;

/**
 * Binaries of at least this many bytes are not copied by a snapshot, and are packed alone. Smaller ones travel together:
 * a batch costs its receivers far more than the copy.
 */
export const SHARED_BYTES = 32_768;

/** How a value of exactly this prototype travels. What is neither here nor plain, a ref or an error does not. */
export const forms: ReadonlyMap<object, Form> = new Map<object, Form>([
  [Date.prototype, (_walk, value: Date) => new Date(Date.prototype.getTime.call(value))],
  [Map.prototype, mapForm],
  [Set.prototype, setForm],
  [Buffer.prototype, bytesForm],
  [Uint8Array.prototype, bytesForm],
  [ArrayBuffer.prototype, bufferForm],
  ...[Int8Array, Uint8ClampedArray, Int16Array, Uint16Array, Int32Array, Uint32Array].map(typedForm),
  ...[Float32Array, Float64Array, BigInt64Array, BigUint64Array].map(typedForm),
]);

/** Whether `value` is a 64-bit integer; only those may be hashed: V8 looks at no more than 64 bits of a bigint. */
export function isInt64(value: bigint): boolean {
  return BigInt.asIntN(64, value) === value || BigInt.asUintN(64, value) === value;
}

export function fitsBig(value: bigint): boolean {
  return BigInt.asIntN(8 * BIG_BYTES, value) === value;
}

function mapForm(walk: Walk, value: Map<unknown, unknown>, depth: number): Map<unknown, unknown> {
  const entries: [unknown, unknown][] = [];
  // The prototype's own method, whatever the object itself calls forEach.
  Map.prototype.forEach.call(value, (item, key) => void entries.push([key, item]));
  walk.weigh(mapWeight(entries.length), 0, depth);
  const first = entries[0]?.[0];
  const escaped = typeof first === 'string' && first.startsWith(MARK);
  if (escaped) walk.special = true;
  const tree = new Map<unknown, unknown>();
  for (const [key, item] of entries) {
    walk.mapKey(key, depth);
    tree.set(escaped ? escapeKey(key) : key, walk.plain(item) ? item : walk.odd(item, new MapKey(key), depth));
  }
  return tree;
}

function setForm(walk: Walk, value: Set<unknown>, depth: number): Set<unknown> {
  const items: unknown[] = [];
  Set.prototype.forEach.call(value, (item) => void items.push(item));
  walk.weigh(HEAVY - 1 + items.length, 0, depth);
  const tree = new Set<unknown>();
  for (const [index, item] of items.entries()) {
    if (typeof item === 'bigint' && !isInt64(item)) walk.refuse('a bigint in a Set has at most 64 bits', index, depth);
    tree.add(walk.plain(item) ? item : walk.odd(item, index, depth));
  }
  return tree;
}

function bytesForm(walk: Walk, value: Uint8Array, depth: number): Buffer {
  walk.weigh(HEAVY - 1, value.byteLength, depth);
  const view = Buffer.from(value.buffer, value.byteOffset, value.byteLength);
  return walk.share(view) ? view : Buffer.from(view);
}

function bufferForm(walk: Walk, value: ArrayBuffer, depth: number): ArrayBuffer {
  walk.weigh(HEAVY - 1, value.byteLength, depth);
  return ArrayBuffer.prototype.slice.call(value, 0);
}

interface Typed {
  readonly buffer: ArrayBufferLike;
  readonly byteOffset: number;
  readonly byteLength: number;
  readonly length: number;
}

type TypedClass = { readonly prototype: object } & (new (from: never, offset?: number, length?: number) => Typed);

function typedForm(made: TypedClass): [object, Form] {
  const form = (walk: Walk, value: Typed, depth: number): Typed => {
    walk.weigh(HEAVY - 1, value.byteLength, depth);
    // A view of our own even where the bytes are shared: the encoder goes by `constructor`, which an object may shadow.
    return walk.share(value)
      ? new made(value.buffer as never, value.byteOffset, value.length)
      : new made(value as never);
  };
  return [made.prototype, form];
}
