import { CloseCode } from '../close-code.ts';
import { ProtocolError } from '../errors.ts';
import { extWeight, keyText } from './guard-ext.ts';
import type { ValueLimits } from './limits.ts';
import { Ext, HEADER, HEAVY, MARKED, MAX_FIELDS, mapWeight } from './wire.ts';

/** For each first byte, how many bytes follow that need no look; `LOOK` for all that do. */
const LOOK = 0xff;
const plain = Uint8Array.from({ length: 256 }, (_, token) => plainBytes(token) ?? LOOK);

/** What the innermost container is: in a Map keys alternate with values, and what a Set holds is hashed. */
const LIST = 0;
const MAP = 1;
const SET = 2;

/**
 * Looks at all of `bytes`, a packed value, before any of them reaches the decoder: nesting, weight, lengths, keys,
 * record definitions, extensions. What it lets in decodes without an error, in time and memory bound by the limits.
 * With `rows`, it has to be a batch of exactly that many.
 * @throws ProtocolError `badValue`
 */
export function guard(bytes: Uint8Array, limits: ValueLimits, rows?: number): void {
  if (bytes.length > limits.bytes) refuse(`more than ${limits.bytes} bytes`);
  if ((bytes[0]! & ~MARKED) !== HEADER) refuse('an unknown header');
  new Scan(bytes, limits, rows).run();
}

/** One pass. It keeps its own stack, so that depth costs it nothing. */
class Scan {
  readonly #bytes: Buffer;
  readonly #limits: ValueLimits;
  readonly #depth: number;
  /** Keys of each record defined so far, by id. */
  readonly #records: (number | undefined)[] = [];
  #position = 1;
  #items = 1;
  /** Values, or entries of a Map, that the innermost container still has to give. */
  #left = 1;
  #within = LIST;
  /** `#left` and `#within` of the containers around it. */
  readonly #above: number[] = [];

  constructor(bytes: Uint8Array, limits: ValueLimits, rows: number | undefined) {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#limits = limits;
    this.#depth = rows === undefined ? limits.depth : limits.depth + 1;
    if (rows === undefined) return;
    if (this.#listLength(this.#byte()) !== rows) refuse(`not a batch of ${rows} rows`);
    this.#position = 1;
  }

  run(): void {
    const bytes = this.#bytes;
    do {
      while (this.#left > 0) {
        this.#left--;
        if (this.#within === MAP) this.#mapKey();
        const token = this.#byte();
        if (plain[token] === LOOK) this.#look(token);
        else this.#position += plain[token]!;
        if (this.#within === LIST) this.#glide(bytes);
      }
    } while (this.#leave());
    if (this.#position !== bytes.length) refuse(this.#position > bytes.length ? 'it is cut short' : 'trailing bytes');
  }

  /** Passes over the plain values that come next in a list. They are most of all rows, hence no member is touched. */
  #glide(bytes: Buffer): void {
    let position = this.#position;
    let left = this.#left;
    while (left > 0) {
      // Past the end there is no byte, and no entry in the table: the same as one that needs a look.
      const skip = plain[bytes[position]!] ?? LOOK;
      if (skip === LOOK) break;
      position += 1 + skip;
      left--;
    }
    this.#position = position;
    this.#left = left;
  }

  #look(token: number): void {
    if (token < 0x80) return this.#enter(this.#records[token] ?? refuse('a record that is not defined'), LIST);
    if (token < 0x90) return this.#enter(token & 0x0f, MAP);
    if (token < 0xa0) return this.#enter(token & 0x0f, LIST);
    if (token <= 0xc6) return this.#bin(token);
    if (token <= 0xc9) return this.#ext(this.#uint(1 << (token - 0xc7)), token);
    if (token <= 0xd8) return this.#ext(1 << (token - 0xd4), token);
    if (token <= 0xdb) return this.#skip(this.#uint(1 << (token - 0xd9)));
    return token <= 0xdd
      ? this.#enter(this.#uint(2 << (token - 0xdc)), LIST)
      : this.#enter(this.#uint(2 << (token - 0xde)), MAP);
  }

  #enter(count: number, within: number): void {
    if (this.#above.length === 2 * this.#depth) refuse(`nested deeper than ${this.#depth}`);
    this.#weigh(within === MAP ? mapWeight(count) : within === SET ? HEAVY - 1 + count : count);
    this.#above.push(this.#left, this.#within);
    this.#left = count;
    this.#within = within;
  }

  #leave(): boolean {
    if (this.#above.length === 0) return false;
    this.#within = this.#above.pop()!;
    this.#left = this.#above.pop()!;
    return true;
  }

  #weigh(items: number): void {
    this.#items += items;
    if (this.#items > this.#limits.items) refuse(`more than ${this.#limits.items} items`);
  }

  #bin(token: number): void {
    if (token === 0xc1) refuse('the byte 0xc1');
    this.#weigh(HEAVY - 1);
    this.#skip(this.#uint(1 << (token - 0xc4)));
  }

  #ext(length: number, token: number): void {
    const type = this.#byte();
    if (token === 0xd4 && type === Ext.record) return this.#define(this.#byte());
    if (token === 0xd4 && type === Ext.set) return this.#set();
    const start = this.#position;
    this.#skip(length);
    const payload = this.#bytes.subarray(start, this.#position);
    if (token === 0xd4 && type === Ext.undefined && payload[0] === 0) return;
    // Bigints of one Set that agree in 64 bits fall into one bucket, and each costs a look at all others.
    if (type === Ext.big && this.#within === SET) refuse('a big integer in a Set');
    this.#weigh(extWeight(type, payload) ?? refuse(`an extension of type ${type}`));
  }

  #set(): void {
    if (this.#byte() !== 0) refuse('a Set with a wrong filler');
    this.#enter(this.#listLength(this.#byte()) ?? refuse('a Set of no array'), SET);
  }

  #define(id: number): void {
    const count = this.#listLength(this.#byte());
    if (id < 0x40 || id > 0x7f || this.#records[id] !== undefined) refuse('a record with a wrong id');
    if (count === undefined || count > MAX_FIELDS) refuse(`a record of no array of at most ${MAX_FIELDS} keys`);
    const keys: string[] = [];
    while (keys.length < count) {
      const key = this.#stringKey(this.#byte()) ?? refuse('a record with a key that is no string');
      if (keys.includes(key)) refuse('a record with one key twice');
      keys.push(key);
    }
    this.#records[id] = count;
    this.#enter(count, LIST);
  }

  #mapKey(): void {
    const token = this.#byte();
    if (this.#stringKey(token) !== undefined) return;
    const skip = plain[token]!;
    if (skip !== LOOK) this.#position += skip;
    else if (token !== 0xd4 || this.#uint(2) !== 0) refuse('a Map with a key of a wrong type');
  }

  /** Reads the key that begins with `token`; undefined if that begins no string. */
  #stringKey(token: number): string | undefined {
    if ((token < 0xa0 || token > 0xbf) && (token < 0xd9 || token > 0xdb)) return undefined;
    const length = token <= 0xbf ? token & 0x1f : this.#uint(1 << (token - 0xd9));
    if (length > this.#limits.keyBytes) refuse(`a key of more than ${this.#limits.keyBytes} bytes`);
    const start = this.#position;
    this.#skip(length);
    return keyText(this.#bytes, start, this.#position) ?? refuse('a key that is "__proto__" or no UTF-8');
  }

  #listLength(token: number): number | undefined {
    if (token >= 0x90 && token < 0xa0) return token & 0x0f;
    return token === 0xdc || token === 0xdd ? this.#uint(2 << (token - 0xdc)) : undefined;
  }

  #byte(): number {
    return this.#bytes[this.#position++] ?? refuse('it is cut short');
  }

  #uint(size: number): number {
    const start = this.#position;
    this.#skip(size);
    return this.#bytes.readUIntBE(start, size);
  }

  #skip(length: number): void {
    this.#position += length;
    if (this.#position > this.#bytes.length) refuse('it is cut short');
  }
}

/** How many bytes follow `token` where they are nothing but a number or short text. */
function plainBytes(token: number): number | undefined {
  if (token < 0x40 || token >= 0xe0) return 0; // small integers
  if (token >= 0xa0 && token < 0xc0) return token & 0x1f; // short strings
  if (token === 0xc0 || token === 0xc2 || token === 0xc3) return 0; // nil, false, true
  if (token === 0xca || token === 0xcb) return 4 << (token - 0xca); // floats
  if (token >= 0xcc && token <= 0xcf) return 1 << (token - 0xcc); // unsigned integers
  if (token >= 0xd0 && token <= 0xd3) return 1 << (token - 0xd0); // integers
  return undefined;
}

function refuse(what: string): never {
  throw new ProtocolError(CloseCode.badValue, `A value is refused: ${what}.`);
}
