import fc from 'fast-check';

const halves = fc.array(fc.constantFrom('a', '\ud83d', '\ude00', '\ufeff', '\0', 'é', '語'), { maxLength: 6 });

/** Text of any kind: long, of any script, with half surrogate pairs, with a byte order mark in front. */
export const text: fc.Arbitrary<string> = fc.oneof(
  fc.string({ unit: 'binary', maxLength: 100 }),
  fc.string({ maxLength: 10 }),
  halves.map((parts) => parts.join('')),
);

/** Keys that have been trouble somewhere, and others. */
export const key: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom('a', 'b', 'id', 'constructor', 'prototype', 'toString', 'hasOwnProperty', 'toJSON', 'then', 'length'),
  fc.constantFrom('__keys__', '__proto_', 'dataView', 'buffer', '', '0', '7', '-1', '\0', '\0\0a', 'a b', 'ключ', '"'),
  fc.string({ maxLength: 6 }).filter((name) => name !== '__proto__'),
);

const big = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
  fc.bigInt({ min: -(2n ** 600n), max: 2n ** 600n }),
);
const scalar = fc.oneof(
  text,
  fc.integer(),
  fc.double(),
  fc.constantFrom(-0, 0, 63, 64, 127, 128, 2 ** 32 - 1, 2 ** 32, 2 ** 53, -32, -33, -129, -32_769, Number.NaN),
  fc.boolean(),
  fc.constantFrom(null, undefined),
);
const hashed = fc.oneof(
  key,
  fc.integer(),
  fc.double(),
  fc.boolean(),
  fc.constantFrom(null, undefined),
  fc.bigInt({ min: -(2n ** 63n), max: 2n ** 64n - 1n }),
);
const binary = fc.oneof(
  fc.uint8Array({ maxLength: 20 }).map((bytes) => Buffer.from(bytes)),
  fc.uint8Array({ maxLength: 20 }).map((bytes) => bytes.slice().buffer),
  fc.float64Array({ maxLength: 4 }),
  fc.int16Array({ maxLength: 4 }),
  fc.uint8ClampedArray({ maxLength: 40 }),
  fc.bigInt64Array({ maxLength: 3 }),
);

/** Any value that can travel, but for errors and refs, as it arrives. */
export const anyValue: fc.Arbitrary<unknown> = fc.letrec((tie) => ({
  value: fc.oneof(
    { maxDepth: 5, withCrossShrink: true },
    scalar,
    big,
    binary,
    fc.date({ noInvalidDate: false }),
    tie('container'),
  ),
  container: fc.oneof(
    fc.array(tie('value'), { maxLength: 6 }),
    fc.dictionary(key, tie('value'), { maxKeys: 6, noNullPrototype: true }),
    fc.array(fc.tuple(hashed, tie('value')), { maxLength: 5 }).map((entries) => new Map(entries)),
    fc.array(fc.oneof(scalar, tie('container')), { maxLength: 5 }).map((items) => new Set(items)),
  ),
})).value;
