import assert from 'node:assert/strict';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ProtocolError } from '../errors.ts';
import { guard } from './guard.ts';
import { valueLimits } from './limits.ts';
import type { ValueLimits } from './limits.ts';
import { anyValue, key } from './testing/arbitraries.ts';
import { Malformed, naiveDecode, naiveParse } from './testing/naive-decoder.ts';
import { ValueCodec } from './value-codec.ts';

const codec = new ValueCodec();
const small: ValueLimits = { depth: 4, items: 100, keyBytes: 8, bytes: 400 };

/** What `decode` gives, or `refused` if it throws what it should throw for a value that is not let in. */
function outcome<Result>(decode: () => Result): Result | 'refused' {
  try {
    return decode();
  } catch (error) {
    assert.ok(error instanceof ProtocolError || error instanceof Malformed, error as Error);
    return 'refused';
  }
}

/** Errors and dates as data, so that both decoders' can be compared. */
function comparable(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(comparable);
  if (value instanceof Set) return [...value].map(comparable);
  if (value instanceof Map) return [...value].map(([name, item]) => ({ name, item: comparable(item) }));
  if (value instanceof Error) return 'an error';
  if (value instanceof Date) return `the date ${value.getTime()}`; // assert finds no two invalid dates equal
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype) return value;
  if (Object.keys(value).join() === 'error') return 'an error';
  return Object.entries(value).map(([name, item]) => ({ name, item: comparable(item) }));
}

function same(actual: unknown, expected: unknown): void {
  assert.deepStrictEqual(comparable(actual), comparable(expected));
}

function bothAgree(bytes: Uint8Array, limits: ValueLimits): 'in' | 'refused' {
  const parsed = outcome(() => naiveParse(bytes, limits));
  const guarded = outcome(() => guard(bytes, limits));
  assert.equal(guarded, parsed === 'refused' ? 'refused' : undefined, Buffer.from(bytes).toString('hex'));
  if (parsed === 'refused') return 'refused';
  const expected = outcome(() => naiveDecode(bytes, limits));
  const actual = outcome(() => ({ value: new ValueCodec({ limits }).unpack(bytes) }));
  if (expected === 'refused' || actual === 'refused')
    assert.equal(actual, expected, Buffer.from(bytes).toString('hex'));
  else if (!expected.sloppy) same(actual.value, expected.value);
  return 'in';
}

describe('values', () => {
  test('arrive as they were', () => {
    fc.assert(
      fc.property(anyValue, (value) => same(codec.unpack(codec.pack(value)), value)),
      { numRuns: 2_000 },
    );
  });

  test('arrive as they were in batches, whatever is in the batch with them', () => {
    const rows = fc.array(anyValue, { maxLength: 20 });
    fc.assert(
      fc.property(rows, (values) => {
        const bytes = codec.packRows(values.map((value) => codec.snapshot(value)));
        same(codec.unpackRows(bytes, values.length), values);
      }),
    );
  });

  test('arrive as they were when there are more shapes than a message may define', () => {
    const objects = fc.array(fc.dictionary(key, fc.integer(), { noNullPrototype: true }), {
      minLength: 80,
      maxLength: 120,
    });
    fc.assert(
      fc.property(objects, (value) => {
        const different = value.map((object, index) => ({ ...object, [`k${index}`]: { index } }));
        const bytes = codec.pack(different);
        same(codec.unpack(bytes), different);
        same(naiveDecode(bytes, valueLimits).value, different);
      }),
      { numRuns: 30 },
    );
  });

  test('are read the same by a decoder written from the description of the form', () => {
    fc.assert(fc.property(anyValue, (value) => same(naiveDecode(codec.pack(value), valueLimits).value, value)));
  });

  test('are the same to the sender and to the guard: what one lets out, the other lets in', () => {
    const strict = new ValueCodec({ limits: small });
    let refused = 0;
    const holds = (value: unknown): void => {
      const bytes = outcomeOfPack(() => strict.pack(value));
      if (bytes === undefined) refused++;
      else guard(bytes, small);
    };
    fc.assert(fc.property(anyValue, holds), { numRuns: 2_000 });
    expect(refused).toBeGreaterThan(20);
  });
});

function outcomeOfPack(pack: () => Buffer): Buffer | undefined {
  try {
    return pack();
  } catch (error) {
    assert.equal((error as { code?: string }).code, 'not_serializable');
    return undefined;
  }
}

describe('the guard lets in exactly what the naive decoder accepts', () => {
  const edit = fc.record({
    at: fc.nat(400),
    remove: fc.nat(3),
    insert: fc.oneof(
      fc.uint8Array({ maxLength: 3 }),
      fc.constantFrom(
        [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61],
        [0x40],
        [0x90],
        [0x80],
        [0xd4, 0x73, 0, 0x91],
        [0xd4, 0, 0],
      ),
    ),
  });

  function edited(
    bytes: Uint8Array,
    edits: readonly { at: number; remove: number; insert: Iterable<number> }[],
  ): Buffer {
    const result = [...bytes];
    for (const { at, remove, insert } of edits) result.splice(1 + (at % result.length), remove, ...insert);
    return Buffer.from(result);
  }

  test('of packed values that were changed here and there', () => {
    const loose = new ValueCodec({ limits: { ...valueLimits } });
    let entered = 0;
    const holds = (value: unknown, edits: Parameters<typeof edited>[1]): void => {
      if (bothAgree(edited(loose.pack(value), edits), small) === 'in') entered++;
    };
    fc.assert(fc.property(anyValue, fc.array(edit, { minLength: 1, maxLength: 3 }), holds), { numRuns: 5_000 });
    expect(entered).toBeGreaterThan(100);
  });

  test('of tokens put together at random', () => {
    const token = fc.oneof(
      fc.constantFrom(
        [0x40],
        [0x41],
        [0x90],
        [0x91],
        [0x92],
        [0x80],
        [0x81],
        [0x82],
        [0xc0],
        [0x01],
        [0xa1, 0x61],
        [0xa1, 0x00],
      ),
      fc.constantFrom(
        [0xd4, 0x72, 0x40, 0x91, 0xa1, 0x61],
        [0xd4, 0x72, 0x41, 0x90],
        [0xd4, 0x72, 0x42, 0x92, 0xa1, 0x61, 0xa1, 0x62],
      ),
      fc.constantFrom(
        [0xd4, 0x73, 0, 0x92],
        [0xd4, 0, 0],
        [0xd4, 0x74, 0x08],
        [0xd5, 0x74, 0, 1],
        [0xd7, 0x42, 1, 2, 3, 4, 5, 6, 7, 8],
      ),
      fc.constantFrom(
        [0xc4, 0],
        [0xdc, 0, 2],
        [0xde, 0, 1],
        [0xd6, 0xff, 1, 2, 3, 4],
        [0xd4, 0xff, 0xff],
        [0xcf, 0, 0, 0, 0, 0, 0, 0, 9],
      ),
      fc.constantFrom(
        [0xa6, ...Buffer.from('object')],
        [0xa2, 0x2d, 0x30],
        [0xa2, 0, 0],
        [0x82, 0xa1, 0, 0xa6, ...Buffer.from('object')],
      ),
      fc.uint8Array({ minLength: 1, maxLength: 3 }),
    );
    let entered = 0;
    const holds = (header: number, tokens: Iterable<number>[]): void => {
      if (bothAgree(Uint8Array.from([header, ...tokens.flatMap((bytes) => [...bytes])]), small) === 'in') entered++;
    };
    fc.assert(fc.property(fc.constantFrom(0x10, 0x11), fc.array(token, { maxLength: 12 }), holds), { numRuns: 10_000 });
    expect(entered).toBeGreaterThan(100);
  });
});
