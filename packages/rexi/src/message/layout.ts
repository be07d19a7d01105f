import { CloseCode } from '../close-code.ts';
import { ProtocolError } from '../errors.ts';

/** Reads fields from one message and never beyond its end. */
export class Reader {
  readonly bytes: Buffer;
  at = 0;

  constructor(bytes: Uint8Array) {
    this.bytes = Buffer.isBuffer(bytes) ? bytes : Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  /** Where the next `size` bytes begin; they are then taken. */
  take(size: number): number {
    const start = this.at;
    if (size > this.bytes.length - start) throw malformed(`ends ${size - (this.bytes.length - start)} bytes too early`);
    this.at = start + size;
    return start;
  }
}

/** A buffer larger than this many bytes is not kept for the next message. */
const large = 65_536;

/** Collects the fields of one message: small ones in one buffer, the payload as a part of its own, uncopied. */
export class Writer {
  #bytes: Buffer = Buffer.allocUnsafe(256);
  #at = 0;
  #tail: Uint8Array | undefined;

  reserve(size: number): number {
    const start = this.#at;
    if (start + size > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(start + size, this.#bytes.length * 2));
      this.#bytes.copy(larger, 0, 0, start);
      this.#bytes = larger;
    }
    this.#at = start + size;
    return start;
  }

  get bytes(): Buffer {
    return this.#bytes;
  }

  set tail(bytes: Uint8Array) {
    this.#tail = bytes;
  }

  /** Forgets what a message that failed to encode has left. */
  reset(): void {
    this.#at = 0;
    this.#tail = undefined;
  }

  /** Ends the message and begins the next one. */
  finish(): Uint8Array[] {
    const head = this.#handOver();
    const tail = this.#tail;
    this.reset();
    return tail === undefined || tail.length === 0 ? [head] : [head, tail];
  }

  /** A copy of what is small; what is large leaves with its buffer, which would else be kept for ever. */
  #handOver(): Buffer {
    const written = this.#bytes.subarray(0, this.#at);
    if (this.#bytes.length <= large) return Buffer.from(written);
    this.#bytes = Buffer.allocUnsafe(256);
    return written;
  }
}

/** One field: how it is written, how it is read, and its line in the specification. */
export interface Field<T> {
  readonly says: string;
  write(writer: Writer, value: T): void;
  read(reader: Reader): T;
}

export type Fields<T> = { readonly [Name in keyof T]-?: Field<T[Name]> };

function uint(bits: 8 | 16 | 32 | 48): Field<number> {
  const size = bits / 8;
  const end = 2 ** bits;
  return {
    says: `u${bits}`,
    write(writer, value) {
      if (!Number.isSafeInteger(value) || value < 0 || value >= end) {
        throw new RangeError(`${value} does not fit a u${bits}`);
      }
      const at = writer.reserve(size);
      writer.bytes.writeUIntBE(value, at, size);
    },
    read: (reader) => reader.bytes.readUIntBE(reader.take(size), size),
  };
}

export const u8: Field<number> = uint(8);
export const u16: Field<number> = uint(16);
export const u32: Field<number> = uint(32);
export const u48: Field<number> = uint(48);

export const flag: Field<boolean> = {
  says: 'u8, 0 or 1',
  write: (writer, value) => u8.write(writer, value ? 1 : 0),
  read(reader) {
    const value = u8.read(reader);
    if (value > 1) throw malformed(`has a flag of ${value}`);
    return value === 1;
  },
};

/** UTF-8 with its length in front; invalid UTF-8 is refused. */
export function text(most: number): Field<string> {
  return {
    says: `u16 length of at most ${most}, then UTF-8`,
    write(writer, value) {
      const size = Buffer.byteLength(value);
      if (size > most) throw new RangeError(`a text of ${size} bytes is longer than ${most}`);
      u16.write(writer, size);
      const at = writer.reserve(size);
      writer.bytes.write(value, at);
    },
    read(reader) {
      const size = u16.read(reader);
      if (size > most) throw malformed(`has a text of ${size} bytes, more than ${most}`);
      const start = reader.take(size);
      return strictText(reader.bytes.subarray(start, start + size));
    },
  };
}

// Without `ignoreBOM` a text that begins with U+FEFF would arrive without it.
const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

function strictText(bytes: Uint8Array): string {
  try {
    return utf8.decode(bytes);
  } catch {
    throw malformed('has a text that is not UTF-8');
  }
}

/** Bytes with their length in front. */
export const bytes: Field<Uint8Array> = {
  says: 'u32 length, then bytes',
  write(writer, value) {
    u32.write(writer, value.length);
    const at = writer.reserve(value.length);
    writer.bytes.set(value, at);
  },
  read(reader) {
    const size = u32.read(reader);
    const start = reader.take(size);
    return reader.bytes.subarray(start, start + size);
  },
};

/** So many bytes, no more and no fewer. */
export function fixed(size: number): Field<Uint8Array> {
  return {
    says: `${size} bytes`,
    write(writer, value) {
      if (value.length !== size) throw new RangeError(`${value.length} bytes are not ${size}`);
      const at = writer.reserve(size);
      writer.bytes.set(value, at);
    },
    read(reader) {
      const start = reader.take(size);
      return reader.bytes.subarray(start, start + size);
    },
  };
}

/** A field that may be absent: one byte where it is. */
export function optional<T>(field: Field<T>): Field<T | undefined> {
  return {
    says: `u8, 0 or 1; behind 1: ${field.says}`,
    write(writer, value) {
      flag.write(writer, value !== undefined);
      if (value !== undefined) field.write(writer, value);
    },
    read: (reader) => (flag.read(reader) ? field.read(reader) : undefined),
  };
}

/** Everything to the end of the message; only as the last field. */
export const rest: Field<Uint8Array> = {
  says: 'bytes to the end',
  write(writer, value) {
    writer.tail = value;
  },
  read(reader) {
    const start = reader.take(reader.bytes.length - reader.at);
    return reader.bytes.subarray(start);
  },
};

/** Most items of any list: one message must not cost its reader more than some milliseconds. */
export const mostListed = 4_096;

/** Most kills of one session that may have overtaken their casts: the node remembers each until it has read the cast. */
export const mostTombstones = 65_536;

/** A count, then that many items. The count is held against its limit and what is left before anything is allocated. */
export function list<T>(item: Field<T>, least: number): Field<readonly T[]> {
  return {
    says: `u32 count of at most ${mostListed}, then each: ${item.says}`,
    write(writer, values) {
      if (values.length > mostListed)
        throw new RangeError(`a list of ${values.length} items is longer than ${mostListed}`);
      u32.write(writer, values.length);
      for (const value of values) item.write(writer, value);
    },
    read(reader) {
      const count = u32.read(reader);
      if (count > mostListed) throw malformed(`counts ${count} items, more than ${mostListed}`);
      if (count * least > reader.bytes.length - reader.at)
        throw malformed(`counts ${count} items, more than it has bytes for`);
      const items: T[] = [];
      while (items.length < count) items.push(item.read(reader));
      return items;
    },
  };
}

/** Several fields in a row, as an object. */
export function group<T extends object>(fields: Fields<T>): Field<T> {
  const entries = Object.entries(fields) as [keyof T, Field<T[keyof T]>][];
  return {
    says: entries.map(([name, field]) => `${String(name)} (${field.says})`).join(', '),
    write(writer, value) {
      for (const [name, field] of entries) field.write(writer, value[name]);
    },
    read(reader) {
      const value = {} as T;
      for (const [name, field] of entries) value[name] = field.read(reader);
      return value;
    },
  };
}

export function malformed(what: string): ProtocolError {
  return new ProtocolError(CloseCode.badMessage, `The peer sent a message that ${what}.`);
}
