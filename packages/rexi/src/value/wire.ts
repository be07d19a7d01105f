/**
 * The packed form of a value, for whoever speaks it from another language.
 *
 *     packed  = header msgpack-value                nothing may follow
 *     header  = 0x10 | 0x11                         version 1; lowest bit: marked maps may be inside
 *
 * msgpack, with these meanings:
 *
 *     0x40..0x7f                a record of that id: the values of its keys follow, in order. The integers from 64 on
 *                               are therefore written as uint8 (0xcc) and up
 *     d4 72 id [key...]         defines the record id (0x40..0x7f), once a message, <= 64 different keys, and is its
 *                               first record: the values follow. A plain object is always a record or marked
 *     map                       a Map: scalar keys (string, number, boolean, nil, undefined, integer of 64 bits)
 *     int64, uint64             a bigint; all other numbers are integers below 2^32 or doubles
 *     bin                       bytes
 *     d4 00 00                  undefined
 *     d4 73 00 array            a Set
 *     ext 0x42                  a bigint beyond 64 bits: big-endian two's complement, at most 1024 bytes
 *     ext 0x74 code bytes       a typed array (see `elementBytes`), little-endian; code 16: an ArrayBuffer
 *     ext 0xff                  msgpack's timestamp; one byte ff: an invalid date
 *
 * Strings are UTF-8. No key is `__proto__`. All other extensions and 0xc1 are refused.
 *
 * A map whose first key is the string U+0000 is marked; the value of that key says what it stands for:
 *
 *     'object'  a plain object: the other entries. For one that no record can carry
 *     'error'   class, name, message, and where known stack, code, cause, errors (see error-form.ts)
 *     'ref'     key: a string that the hook turns back into its object
 *     'utf16'   bytes: a string as UTF-16, little-endian, because UTF-8 or its decoders would change it
 *     '-0'      negative zero
 *
 * So that nothing else begins like that: in a Map whose first key starts with U+0000, and in a marked object, one more
 * U+0000 is put in front of each string key that starts with it.
 */
export const HEADER = 0x10;
export const MARKED = 0x01;

/** The first key of a marked map. */
export const MARK = '\0';

/** What a marked map stands for. */
export type Kind = 'object' | 'error' | 'ref' | 'utf16' | '-0';

/** Most record definitions in a message, and most keys of one: a decoder may compile code for each. */
export const MAX_RECORDS = 64;
export const MAX_FIELDS = 64;

/** An empty Map, Set or binary takes a few bytes on the wire and hundreds in memory. */
export const HEAVY = 8;

/** Items of a Map, on top of its own one. */
export function mapWeight(entries: number): number {
  return HEAVY - 1 + 2 * entries;
}

export const BIG_BYTES = 1024;

export const Ext = { undefined: 0x00, big: 0x42, record: 0x72, set: 0x73, typed: 0x74, date: 0xff } as const;

/** Bytes of an element, by type code. 1 would be Uint8Array, which travels as bin. */
export const elementBytes: ReadonlyMap<number, number> = new Map([
  [0, 1], // Int8Array
  [2, 1], // Uint8ClampedArray
  [3, 2], // Int16Array
  [4, 2], // Uint16Array
  [5, 4], // Int32Array
  [6, 4], // Uint32Array
  [7, 4], // Float32Array
  [8, 8], // Float64Array
  [9, 8], // BigInt64Array
  [10, 8], // BigUint64Array
  [16, 1], // ArrayBuffer
]);

/** Puts the escape in front of a key that could be taken for the mark. */
export function escapeKey<Key>(key: Key | string): Key | string {
  return typeof key === 'string' && key.startsWith(MARK) ? MARK + key : key;
}
