import type { ValueLimits } from '../limits.ts';

/**
 * A second decoder of the packed form, written from its description alone, to be obvious: one recursive function, one
 * value at a time, every rule where it applies. Anything wrong is thrown as a `Malformed`.
 */
export class Malformed extends Error {}

export interface Decoded {
  readonly value: unknown;
  /** Whether some string is no UTF-8: decoders differ in how many replacement characters they make of it. */
  readonly sloppy: boolean;
}

/** Only what the guard looks at. */
export function naiveParse(bytes: Uint8Array, limits: ValueLimits, rows?: number): Decoded {
  const parser = new Parser(Buffer.from(bytes), limits, rows === undefined ? limits.depth : limits.depth + 1);
  const value = parser.message();
  if (rows !== undefined) must(Array.isArray(value) && value.length === rows);
  return { value, sloppy: parser.sloppy };
}

/** The value itself. */
export function naiveDecode(bytes: Uint8Array, limits: ValueLimits): Decoded {
  const { value, sloppy } = naiveParse(bytes, limits);
  return { value: bytes[0] === 0x11 ? unmark(value) : value, sloppy };
}

function must(fine: boolean): asserts fine {
  if (!fine) throw new Malformed();
}

type Scalars = 'any' | 'key' | 'set item';

class Parser {
  sloppy = false;
  position = 0;
  items = 0;
  readonly records = new Map<number, string[]>();
  readonly bytes: Buffer;
  readonly limits: ValueLimits;
  readonly depth: number;

  constructor(bytes: Buffer, limits: ValueLimits, depth: number) {
    this.bytes = bytes;
    this.limits = limits;
    this.depth = depth;
  }

  message(): unknown {
    must(this.bytes.length <= this.limits.bytes);
    const header = this.uint(1);
    must(header === 0x10 || header === 0x11);
    const value = this.value(1);
    must(this.position === this.bytes.length);
    return value;
  }

  take(length: number): Buffer {
    must(length <= this.bytes.length - this.position);
    this.position += length;
    return this.bytes.subarray(this.position - length, this.position);
  }

  uint(size: number): number {
    return this.take(size).readUIntBE(0, size);
  }

  count(items: number): void {
    this.items += items;
    must(this.items <= this.limits.items);
  }

  /** A value that would be at `depth` if it were a container. */
  value(depth: number, where: Scalars = 'any'): unknown {
    this.count(1);
    const token = this.uint(1);
    if (token <= 0x3f) return token;
    if (token <= 0x7f) return this.record(this.records.get(token), depth, where);
    if (token <= 0x8f) return this.map(token - 0x80, depth, where);
    if (token <= 0x9f) return this.list(token - 0x90, depth, where);
    if (token <= 0xbf) return this.text(token - 0xa0, where);
    if (token >= 0xe0) return token - 0x100;
    if (token === 0xc0) return null;
    if (token === 0xc2) return false;
    if (token === 0xc3) return true;
    if (token === 0xc4) return this.binary(1, where);
    if (token === 0xc5) return this.binary(2, where);
    if (token === 0xc6) return this.binary(4, where);
    if (token === 0xc7) return this.extension(this.uint(1), depth, where);
    if (token === 0xc8) return this.extension(this.uint(2), depth, where);
    if (token === 0xc9) return this.extension(this.uint(4), depth, where);
    if (token === 0xca) return this.take(4).readFloatBE();
    if (token === 0xcb) return this.take(8).readDoubleBE();
    if (token === 0xcc) return this.uint(1);
    if (token === 0xcd) return this.uint(2);
    if (token === 0xce) return this.uint(4);
    if (token === 0xcf) return this.take(8).readBigUInt64BE();
    if (token === 0xd0) return this.take(1).readInt8();
    if (token === 0xd1) return this.take(2).readInt16BE();
    if (token === 0xd2) return this.take(4).readInt32BE();
    if (token === 0xd3) return this.take(8).readBigInt64BE();
    if (token === 0xd4) return this.tagged(depth, where);
    if (token === 0xd5) return this.extension(2, depth, where);
    if (token === 0xd6) return this.extension(4, depth, where);
    if (token === 0xd7) return this.extension(8, depth, where);
    if (token === 0xd8) return this.extension(16, depth, where);
    if (token === 0xd9) return this.text(this.uint(1), where);
    if (token === 0xda) return this.text(this.uint(2), where);
    if (token === 0xdb) return this.text(this.uint(4), where);
    if (token === 0xdc) return this.list(this.uint(2), depth, where);
    if (token === 0xdd) return this.list(this.uint(4), depth, where);
    if (token === 0xde) return this.map(this.uint(2), depth, where);
    if (token === 0xdf) return this.map(this.uint(4), depth, where);
    throw new Malformed();
  }

  text(length: number, where: Scalars): string {
    const bytes = this.take(length);
    const text = bytes.toString('utf8');
    const exact = Buffer.from(text).equals(bytes);
    if (!exact) this.sloppy = true;
    if (where === 'key')
      must(exact && length <= this.limits.keyBytes && text !== '__proto__' && !text.startsWith('\ufeff'));
    return text;
  }

  list(length: number, depth: number, where: Scalars, items: Scalars = 'any'): unknown[] {
    must(where !== 'key' && depth <= this.depth);
    const list: unknown[] = [];
    while (list.length < length) list.push(this.value(depth + 1, items));
    return list;
  }

  map(length: number, depth: number, where: Scalars): unknown {
    must(where !== 'key' && depth <= this.depth);
    this.count(7);
    const map = new Map<unknown, unknown>();
    for (let entry = 0; entry < length; entry++) {
      const key = this.value(depth + 1, 'key');
      map.set(key, this.value(depth + 1));
    }
    return map;
  }

  record(keys: string[] | undefined, depth: number, where: Scalars): unknown {
    must(keys !== undefined && where !== 'key' && depth <= this.depth);
    return Object.fromEntries(keys.map((key) => [key, this.value(depth + 1)]));
  }

  definition(depth: number, where: Scalars): unknown {
    const id = this.uint(1);
    must(id >= 0x40 && id <= 0x7f && !this.records.has(id));
    const token = this.uint(1);
    must((token & 0xf0) === 0x90 || token === 0xdc || token === 0xdd);
    const length = token === 0xdc ? this.uint(2) : token === 0xdd ? this.uint(4) : token & 0x0f;
    must(length <= 64);
    const keys: string[] = [];
    while (keys.length < length) {
      const key = this.value(depth, 'key');
      must(typeof key === 'string');
      keys.push(key);
    }
    this.items -= length; // keys of a definition weigh nothing
    must(new Set(keys).size === length);
    this.records.set(id, keys);
    return this.record(keys, depth, where);
  }

  binary(size: number, where: Scalars): Buffer {
    must(where !== 'key');
    this.count(7);
    return Buffer.from(this.take(this.uint(size)));
  }

  tagged(depth: number, where: Scalars): unknown {
    const type = this.bytes[this.position];
    if (type === 0x00) return must(this.uint(2) === 0);
    if (type !== 0x72 && type !== 0x73) return this.extension(1, depth, where);
    this.uint(1);
    if (type === 0x72) return this.definition(depth, where);
    must(this.uint(1) === 0 && where !== 'key');
    const token = this.uint(1);
    must((token & 0xf0) === 0x90 || token === 0xdc || token === 0xdd);
    const length = token === 0xdc ? this.uint(2) : token === 0xdd ? this.uint(4) : token & 0x0f;
    this.count(7);
    return new Set(this.list(length, depth, where, 'set item'));
  }

  extension(length: number, _depth: number, where: Scalars): unknown {
    must(where !== 'key');
    const type = this.uint(1);
    const payload = this.take(length);
    if (type === 0x42 && where !== 'set item') return bigOf(payload);
    if (type === 0x74) this.count(7);
    if (type === 0x74) return typedOf(payload);
    must(type === 0xff);
    return dateOf(payload);
  }
}

function bigOf(payload: Buffer): bigint {
  must(payload.length >= 1 && payload.length <= 1024);
  return BigInt.asIntN(8 * payload.length, BigInt(`0x${payload.toString('hex')}`));
}

const typed: Record<number, [number, new (buffer: ArrayBuffer) => unknown]> = {
  0: [1, Int8Array],
  2: [1, Uint8ClampedArray],
  3: [2, Int16Array],
  4: [2, Uint16Array],
  5: [4, Int32Array],
  6: [4, Uint32Array],
  7: [4, Float32Array],
  8: [8, Float64Array],
  9: [8, BigInt64Array],
  10: [8, BigUint64Array],
};

function typedOf(payload: Buffer): unknown {
  must(payload.length >= 1);
  const buffer = Uint8Array.from(payload.subarray(1)).buffer;
  if (payload[0] === 16) return buffer;
  const entry = typed[payload[0]!];
  must(entry !== undefined && buffer.byteLength % entry[0] === 0);
  return new entry[1](buffer);
}

function dateOf(payload: Buffer): Date {
  const { length } = payload;
  if (length === 1 && payload[0] === 0xff) return new Date(Number.NaN);
  must(length === 4 || length === 8 || length === 12);
  if (length === 4) return new Date(payload.readUInt32BE() * 1000);
  const nanoseconds = length === 8 ? payload.readBigUInt64BE() >> 34n : BigInt(payload.readUInt32BE());
  const seconds = length === 8 ? payload.readBigUInt64BE() & 0x3ffffffffn : payload.readBigInt64BE(4);
  must(nanoseconds < 1_000_000_000n && seconds >= -8_640_000_000_000n && seconds <= 8_640_000_000_000n);
  return new Date(Number(seconds) * 1000 + Number(nanoseconds) / 1e6);
}

function unmark(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(unmark);
  if (value instanceof Set) return new Set([...value].map(unmark));
  if (value instanceof Map) return unmarkMap([...value]);
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, unmark(item)]));
}

function unmarkMap(entries: [unknown, unknown][]): unknown {
  const first = entries[0]?.[0];
  if (typeof first !== 'string' || first[0] !== '\0')
    return new Map(entries.map(([key, value]) => [key, unmark(value)]));
  if (first !== '\0') return new Map(entries.map(([key, value]) => [unescape(key), unmark(value)]));
  const kind = entries[0]![1];
  const fields = entries.slice(1).map(([key, value]): [unknown, unknown] => [key, unmark(value)]);
  if (kind === 'object') {
    must(fields.every(([key]) => typeof key === 'string'));
    return Object.fromEntries(fields.map(([key, value]) => [unescape(key), value]));
  }
  if (kind === '-0') {
    must(fields.length === 0);
    return -0;
  }
  if (kind === 'error') return errorOf(fields);
  must(kind === 'utf16' && fields.length === 1 && fields[0]![0] === 'bytes'); // no ref means anything here
  const bytes = fields[0]![1];
  must(bytes instanceof Buffer && bytes.length % 2 === 0);
  return bytes.toString('utf16le');
}

function unescape(key: unknown): unknown {
  if (typeof key !== 'string' || key[0] !== '\0') return key;
  must(key[1] === '\0');
  return key.slice(1);
}

/** Stands for an error in comparisons. */
export function errorOf(fields: [unknown, unknown][]): unknown {
  const error = Object.fromEntries(fields) as Record<string, unknown>;
  const known = ['class', 'name', 'message', 'stack', 'code', 'cause', 'errors'];
  must(fields.every(([key]) => known.includes(key as string)));
  const classes = [Error, EvalError, RangeError, ReferenceError, SyntaxError, TypeError, URIError, AggregateError];
  must(classes.some(({ name }) => name === error['class']));
  must(typeof error['name'] === 'string' && typeof error['message'] === 'string');
  must(!('stack' in error) || typeof error['stack'] === 'string');
  must(!('code' in error) || typeof error['code'] === 'string' || typeof error['code'] === 'number');
  must(!('errors' in error) || Array.isArray(error['errors']));
  return { error };
}
