import { Unpackr } from 'msgpackr';
import { describe, expect, test, vi } from 'vitest';
import { guard } from './guard.ts';
import { valueLimits } from './limits.ts';
import { ValueCodec } from './value-codec.ts';

const codec = new ValueCodec();
const MiB = 2 ** 20;

/** A packed value of these bytes: numbers, and text as its bytes. */
function of(...parts: (number | string | Uint8Array)[]): Buffer {
  return Buffer.concat([
    Buffer.of(0x10),
    ...parts.map((part) => (typeof part === 'number' ? Buffer.of(part) : Buffer.from(part as string))),
  ]);
}

function record(id: number, ...keys: string[]): Buffer {
  const list = keys.map((key) => Buffer.concat([Buffer.of(0xa0 + key.length), Buffer.from(key)]));
  return Buffer.concat([Buffer.of(0xd4, 0x72, id, 0xdc, 0, keys.length), ...list]);
}

function refusedUnseen(bytes: Uint8Array, why: string): void {
  const decoder = vi.spyOn(Unpackr.prototype, 'unpack');
  try {
    expect(() => codec.unpack(bytes)).toThrow(expect.objectContaining({ code: 'protocol_error', closeCode: 4004 }));
    expect(() => codec.unpack(bytes)).toThrow(why);
    expect(decoder).not.toHaveBeenCalled();
  } finally {
    decoder.mockRestore();
  }
}

const numbered = (count: number): string[] => Array.from({ length: count }, (_, index) => `k${index}`);
const fill = (length: number, ...bytes: number[]): Buffer => Buffer.alloc(length, Buffer.from(bytes));

describe('what the guard refuses never reaches the decoder', () => {
  test.each<[string, string, Buffer]>([
    ['no bytes at all', 'an unknown header', Buffer.of()],
    ['a header and nothing else', 'cut short', of()],
    ['a header of another version', 'an unknown header', Buffer.of(0x20, 0xc0)],
    ['a header with an unknown flag', 'an unknown header', Buffer.of(0x12, 0xc0)],
    ['a trailing byte', 'trailing bytes', of(0xc0, 0xc0)],
    [
      'a trailing byte after shared references',
      'type 105',
      of(0x92, 0xd6, 0x69, 0, 0, 0, 1, 0x90, 0xd6, 0x70, 0, 0, 0, 1, 0),
    ],
    ['a trailing byte after a large binary', 'trailing bytes', of(0xc6, 0, 0x80, 0, 0, fill(8 * MiB, 0), 1)],
    ['15 MiB of empty maps', 'items', of(0xdd, 0, 0xf0, 0, 0, fill(15 * MiB, 0x80))],
    ['15 MiB of nil', 'items', of(0xdd, 0, 0xf0, 0, 0, fill(15 * MiB, 0xc0))],
    ['15 MiB of empty records', 'items', of(0xdd, 0, 0xf0, 0, 1, record(0x40), fill(15 * MiB, 0x40))],
    ['more empty Maps than an eighth of the items', 'items', of(0xdd, 0, 2, 0, 0, fill(2 ** 17, 0x80))],
    ['more empty Sets than an eighth of the items', 'items', of(0xdd, 0, 2, 0, 0, fill(2 ** 19, 0xd4, 0x73, 0, 0x90))],
    ['more empty binaries than an eighth of the items', 'items', of(0xdd, 0, 2, 0, 0, fill(2 ** 18, 0xc4, 0))],
    [
      'more empty typed arrays than an eighth of the items',
      'items',
      of(0xdd, 0, 2, 0, 0, fill(2 ** 19, 0xd4, 0x74, 8)),
    ],
    ['a reference to what has an id', 'type 112', of(0xd6, 0x70, 0, 0, 0, 1)],
    ['an id, even of something harmless', 'type 105', of(0xd6, 0x69, 0, 0, 0, 1, 0x90)],
    ['a bundle of strings', 'type 98', of(0xd6, 0x62, 0, 0, 0, 4, 0x91, 0xc1, 1, 0xa1, 'a', 0xa0)],
    ['256 KiB of string bundles', 'type 98', of(fill(256 * 1024, 0xd6, 0x62, 0, 0, 0, 0))],
    ['an Error of the decoder', 'type 101', of(0xd4, 0x65, 0, 0x93, 0xab, 'constructor', 0xa0, 0xc0)],
    ['a RegExp', 'type 120', of(0xd4, 0x78, 0, 0x92, 0xa1, 'x', 0xa0)],
    ['an extension that nobody knows', 'type 85', of(0xc7, 1, 0x55, 0)],
    ['0xc1', '0xc1', of(0xc1)],
    ['0xc1 in an array', '0xc1', of(0x91, 0xc1)],
    ['nesting of a million', 'nested deeper', of(fill(MiB, 0x91), 0xc0)],
    ['nesting of maps', 'nested deeper', of(fill(99, 0x81, 0xa0), 0xc0)],
    ['nesting of Sets', 'nested deeper', of(fill(400, 0xd4, 0x73, 0, 0x91), 0xc0)],
    ['nesting of records', 'nested deeper', of(record(0x40, 'a'), fill(40, 0x40), 0xc0)],
    ['an array as long as can be said', 'items', of(0xdd, 0xff, 0xff, 0xff, 0xff, 0xc0)],
    ['nested arrays as long as can be said', 'items', of(fill(72 * 1024, 0xdc, 0xff, 0xff))],
    ['a map as long as can be said', 'items', of(0xdf, 0xff, 0xff, 0xff, 0xff, 0xc0, 0xc0)],
    ['a string as long as can be said', 'cut short', of(0xdb, 0xff, 0xff, 0xff, 0xff, 'x')],
    ['a binary as long as can be said', 'cut short', of(0xc6, 0xff, 0xff, 0xff, 0xff, 1)],
    ['an extension as long as can be said', 'cut short', of(0xc9, 0xff, 0xff, 0xff, 0xff, 0x74, 8)],
    ['a string cut short', 'cut short', of(0xa5, 'four')],
    ['a number cut short', 'cut short', of(0xcb, 0, 0)],
    ['a length cut short', 'cut short', of(0xdd, 0, 0)],
    ['a Map with a Map as a key', 'wrong type', of(0x81, 0x80, 0xc0)],
    ['a Map with a record as a key', 'wrong type', of(0x92, record(0x40), 0x81, 0x40, 0xc0)],
    ['a Map with a binary as a key', 'wrong type', of(0x81, 0xc4, 0, 0xc0)],
    ['a Map with a date as a key', 'wrong type', of(0x81, 0xd4, 0xff, 0xff, 0xc0)],
    ['a Map with a large bigint as a key', 'wrong type', of(0x81, 0xd8, 0x42, fill(16, 1), 0xc0)],
    ['a Set with a large bigint', 'big integer in a Set', of(0xd4, 0x73, 0, 0x91, 0xd8, 0x42, fill(16, 1))],
    ['a Map with a long key', 'key of more than', of(0x81, 0xda, 1, 1, 'x'.repeat(257), 0xc0)],
    ['a Map with the key __proto__', '__proto__', of(0x81, 0xa9, '__proto__', 0x80)],
    ['a Map with a key after a byte order mark', '__proto__', of(0x81, 0xa4, '\ufeffa', 0xc0)],
    ['a Map with a key that is no UTF-8', '__proto__', of(0x81, 0xa1, Buffer.of(0xff), 0xc0)],
    ['a Set of no array', 'no array', of(0xd4, 0x73, 0, 0x80)],
    ['a bigint of a MiB', 'type 66', of(0xc9, 0, 0x10, 0, 0, 0x42, fill(MiB, 1))],
    ['a bigint of no bytes', 'type 66', of(0xc7, 0, 0x42)],
    ['half a float in a typed array', 'type 116', of(0xc7, 4, 0x74, 7, 1, 2, 3)],
    ['a typed array without a type', 'type 116', of(0xc7, 0, 0x74)],
    ['a Uint8Array that is not bin', 'type 116', of(0xd5, 0x74, 1, 0)],
    ['a DataView', 'type 116', of(0xd5, 0x74, 17, 0)],
    ['a date with too many nanoseconds', 'type 255', of(0xd7, 0xff, fill(8, 0xff))],
    ['a date beyond all dates', 'type 255', of(0xc7, 12, 0xff, 0, 0, 0, 0, fill(8, 0x7f))],
    ['undefined with something in it', 'type 0', of(0xd4, 0, 1)],
  ])('%s', (_, why, bytes) => refusedUnseen(bytes, why));
});

describe('records', () => {
  test.each<[string, string, Buffer]>([
    ['one that is not defined', 'not defined', of(0x40)],
    ['one of another message', 'not defined', of(0x92, record(0x41), 0x40)],
    ['a definition with 65 keys', 'no array of at most 64', of(record(0x40, ...numbered(65)), fill(65, 0xc0))],
    [
      'a definition with as many keys as can be said',
      'no array of at most 64',
      of(0xd4, 0x72, 0x40, 0xdd, 0xff, 0xff, 0xff, 0xff),
    ],
    ['a definition of two bytes', 'type 114', of(0xd5, 0x72, 0x40, 0, 0x91, 0xa1, 'a', 0xc0)],
    ['a definition with an id that is none', 'wrong id', of(record(0x80))],
    ['one id defined twice', 'wrong id', of(0x92, record(0x40), record(0x40))],
    ['the same key twice', 'one key twice', of(record(0x40, 'a', 'a'), 1, 2)],
    ['a key that is no string', 'no string', of(0xd4, 0x72, 0x40, 0x91, 1, 1)],
    ['a key that is __proto__', '__proto__', of(record(0x40, '__proto__'), 0x80)],
    ['a key that is __proto__ in a long string', '__proto__', of(0xd4, 0x72, 0x40, 0x91, 0xd9, 9, '__proto__', 0x80)],
    ['a key that is too long', 'key of more than', of(0xd4, 0x72, 0x40, 0x91, 0xda, 1, 1, 'x'.repeat(257), 0xc0)],
    ['no array of keys', 'no array of at most 64', of(0xd4, 0x72, 0x40, 0xc0)],
    [
      '76 000 shapes',
      'wrong id',
      of(
        0xdd,
        0,
        1,
        0x28,
        0xe0,
        ...Array.from({ length: 76_000 }, (_, index) =>
          Buffer.concat([record(0x40 + (index % 64), `${index}`), Buffer.of(1)]),
        ),
      ),
    ],
    ['a record with too few values', 'cut short', of(record(0x40, 'a', 'b'), 1)],
  ])('are refused: %s', (_, why, bytes) => refusedUnseen(bytes, why));

  test('may be as many, with as many keys, as is said', () => {
    const all = Array.from({ length: 64 }, (_, id) =>
      Buffer.concat([record(0x40 + id, ...numbered(64)), fill(64, id)]),
    );
    const value = codec.unpack(of(0xdc, 0, 64, ...all)) as Record<string, number>[];
    expect(value[63]!['k63']).toBe(63);
  });
});

describe('marked maps', () => {
  const marked = (...parts: (number | string)[]): Buffer => {
    const bytes = of(...parts);
    bytes[0] = 0x11;
    return bytes;
  };
  const kind = (name: string, entries: number): (number | string)[] => [
    0x80 + entries,
    0xa1,
    0,
    0xa0 + name.length,
    name,
  ];

  test.each<[string, Buffer]>([
    ['of an unknown kind', marked(...kind('date', 1))],
    ['of a kind that is no text', marked(0x81, 0xa1, 0, 7)],
    ['of the kind constructor', marked(0x81, 0xa1, 0, 0xab, 'constructor')],
    ['an object with a key that is a number', marked(...kind('object', 2), 1, 1)],
    ['an object with a key without its escape', marked(...kind('object', 2), 0xa2, 0, 'x', 1)],
    ['a Map with a key without its escape', marked(0x81, 0xa2, 0, 'x', 1)],
    ['an error without a class', marked(...kind('error', 1))],
    [
      'an error of the class constructor',
      marked(...kind('error', 4), 0xa5, 'class', 0xab, 'constructor', 0xa4, 'name', 0xa0, 0xa7, 'message', 0xa0),
    ],
    [
      'an error with a field too many',
      marked(
        ...kind('error', 5),
        0xa5,
        'class',
        0xa5,
        'Error',
        0xa4,
        'name',
        0xa0,
        0xa7,
        'message',
        0xa0,
        0xa5,
        'errno',
        1,
      ),
    ],
    [
      'an error with a message that is none',
      marked(...kind('error', 4), 0xa5, 'class', 0xa5, 'Error', 0xa4, 'name', 0xa0, 0xa7, 'message', 0x80),
    ],
    ['a ref without a hook', marked(...kind('ref', 2), 0xa3, 'key', 0xa0)],
    ['text of half a character', marked(...kind('utf16', 2), 0xa5, 'bytes', 0xc4, 1, 0)],
    ['negative zero with more', marked(...kind('-0', 2), 1, 1)],
  ])('are refused: %s', (_, bytes) => {
    expect(() => codec.unpack(bytes)).toThrow(expect.objectContaining({ closeCode: 4004 }));
  });

  test('are only Maps where the header says that there are none', () => {
    expect(codec.unpack(of(...kind('-0', 1)))).toEqual(new Map([['\0', '-0']]));
  });
});

describe('prototypes', () => {
  test('are never changed by keys that name them', () => {
    const wide = Object.fromEntries(numbered(70).map((name) => [name, 1]));
    const value = { constructor: { prototype: { polluted: 1 } }, prototype: { polluted: 1 }, toString: 1 };
    const arrived = codec.unpack(
      codec.pack([value, { ...wide, ...value }, new Map([['constructor', value]])]),
    ) as object[];
    expect(arrived[0]).toEqual(value);
    expect(arrived[1]).toEqual({ ...wide, ...value });
    expect(Object.getPrototypeOf(arrived[0])).toBe(Object.prototype);
    expect(({} as Record<string, unknown>)['polluted']).toBeUndefined();
    expect(Object.hasOwn(Object, 'polluted')).toBe(false);
  });

  test('that somebody has added to are not sent along', () => {
    try {
      Object.assign(Object.prototype, { everywhere: 1, method: () => 1 });
      const arrived = codec.unpack(codec.pack({ a: [{ b: 1 }] })) as { a: object[] };
      expect(Object.keys(arrived)).toEqual(['a']);
      expect(Object.keys(arrived.a[0]!)).toEqual(['b']);
    } finally {
      for (const name of ['everywhere', 'method']) delete (Object.prototype as Record<string, unknown>)[name];
    }
  });
});

describe('a batch', () => {
  const rows = codec.packRows([codec.snapshot({ a: 1 }), codec.snapshot({ a: 2 })]);

  test('is refused unseen if it is not of the rows that were announced', () => {
    const decoder = vi.spyOn(Unpackr.prototype, 'unpack');
    for (const count of [0, 1, 3])
      expect(() => codec.unpackRows(rows, count)).toThrow(expect.objectContaining({ closeCode: 4004 }));
    expect(() => codec.unpackRows(codec.pack({ a: 1 }), 1)).toThrow(expect.objectContaining({ closeCode: 4004 }));
    expect(decoder).not.toHaveBeenCalled();
    decoder.mockRestore();
    expect(codec.unpackRows(rows, 2)).toEqual([{ a: 1 }, { a: 2 }]);
  });

  test('may be empty', () => {
    expect(codec.unpackRows(codec.packRows([]), 0)).toEqual([]);
  });
});

test('the guard takes as many bytes as are allowed and no more', () => {
  const bytes = of(0x91, 0xa3, 'abc');
  guard(bytes, { ...valueLimits, bytes: bytes.length });
  expect(() => guard(bytes, { ...valueLimits, bytes: bytes.length - 1 })).toThrow('bytes');
});
