import assert from 'node:assert/strict';
import { types } from 'node:util';
import { runInNewContext } from 'node:vm';
import { describe, expect, test } from 'vitest';
import { ClusterError } from '../errors.ts';
import { ValueCodec } from './value-codec.ts';

const codec = new ValueCodec();
const trip = (value: unknown): unknown => codec.unpack(codec.pack(value));

function arrives(value: unknown, expected: unknown = value): void {
  assert.deepStrictEqual(trip(value), expected);
  assert.deepStrictEqual(trip([{ in: value }]), [{ in: expected }]);
}

describe('what travels', () => {
  test('primitives, numbers of all kinds among them', () => {
    for (const value of [null, undefined, true, false, '', 'é', 0, -0, 63, 64, 0.1, 2 ** 53, 1e300]) arrives(value);
    for (const value of [Number.NaN, Infinity, -Infinity]) arrives(value);
    for (const value of [0n, -1n, 2n ** 63n, 2n ** 64n, -(2n ** 64n), 2n ** 8191n - 1n, -(2n ** 8191n)]) arrives(value);
  });

  test('text that UTF-8 would change', () => {
    for (const value of ['\ud800', 'half \udc00', '\ufeffafter a mark', `\ufeff${'x'.repeat(100)}`]) arrives(value);
  });

  test('plain objects, with any key but __proto__', () => {
    arrives({
      constructor: 1,
      prototype: 2,
      hasOwnProperty: 3,
      toJSON: 4,
      // oxlint-disable-next-line no-thenable
      then: 5,
      __keys__: 6,
      '': 7,
      'a b': 8,
      '\0': 9,
      7: 10,
    });
    arrives({ a: 1, __keys__: 2 });
    arrives({ a: 1 });
    arrives(Object.assign(Object.create(null), { a: 1 }), { a: 1 });
  });

  test('objects of more keys than a record has', () => {
    for (const keys of [64, 65, 1000])
      arrives(Object.fromEntries(Array.from({ length: keys }, (_, index) => [`k${index}`, index])));
  });

  test('more shapes than a message may define, over and over', () => {
    for (let round = 0; round < 50; round++) {
      const shapes = Array.from({ length: 100 }, (_, index) => ({ [`r${round}k${index}`]: { x: index } }));
      assert.deepStrictEqual(trip(shapes), shapes);
      const batch = codec.packRows(shapes.map((row) => codec.snapshot(row)));
      assert.deepStrictEqual(codec.unpackRows(batch, 100), shapes);
    }
  });

  test('arrays; a hole becomes undefined', () => {
    // oxlint-disable-next-line no-sparse-arrays
    arrives([1, , 3], [1, undefined, 3]);
  });

  test('Maps with keys of several types, and Sets', () => {
    arrives(new Map<unknown, unknown>([['1', 'text'], [1, 'number'], [1n, 'big'], [true, 1], [null, 1], [undefined, 1]])); // prettier-ignore
    arrives(new Set([1, '1', null, undefined, 1n, 'x']));
    assert.deepStrictEqual([...(trip(new Set([{ a: -0 }])) as Set<unknown>)], [{ a: -0 }]);
  });

  test('Maps that look like something marked', () => {
    arrives(new Map([['\0', 'object'], ['a', '1']])); // prettier-ignore
    arrives(new Map([['\0a', 1], ['\0\0a', 2], ['\0\0', 3], ['x', 4]])); // prettier-ignore
    arrives(new Map([['x', 4], ['\0', 1]])); // prettier-ignore
  });

  test('dates of all times', () => {
    for (const time of [
      0,
      1,
      -1,
      999,
      1000,
      2 ** 32 * 1000,
      2 ** 32 * 1000 + 1,
      -1001,
      8.64e15,
      -8.64e15,
      Date.now(),
    ]) {
      arrives(new Date(time));
    }
    expect((trip(new Date(Number.NaN)) as Date).getTime()).toBeNaN();
  });

  test('binaries, which are copies, and bytes, which arrive as a Buffer', () => {
    const views: (new (items: number[]) => object)[] = [
      Int8Array,
      Uint8ClampedArray,
      Int16Array,
      Uint16Array,
      Int32Array,
      Uint32Array,
      Float32Array,
      Float64Array,
    ];
    for (const View of views)
      for (const length of [0, 1, 3, 600]) arrives(new View(Array.from({ length }, (_, index) => index)));
    arrives(BigInt64Array.of(-1n));
    arrives(BigUint64Array.of(2n ** 64n - 1n));
    arrives(Uint8Array.of(1, 2).buffer);
    arrives(Uint8Array.of(1, 2), Buffer.of(1, 2));
    const bytes = codec.pack(Buffer.of(1, 2, 3));
    expect((codec.unpack(bytes) as Buffer).buffer).not.toBe(bytes.buffer);
    expect(codec.unpack(Uint8Array.from(bytes))).toEqual(Buffer.of(1, 2, 3));
  });

  test('what is there twice, twice', () => {
    const shared = { a: 1 };
    const [first, second] = trip([shared, shared]) as object[];
    expect(first).toEqual(second);
    expect(first).not.toBe(second);
  });

  test('arguments objects and what a Proxy shows of a plain object', () => {
    arrives(new Proxy({ a: [1] }, {}), { a: [1] });
  });
});

describe('errors', () => {
  const errorTrip = (error: unknown): Error & { code?: unknown } => trip(error) as Error;

  test('come back as errors of their class, with name, message, code, stack and cause', () => {
    const error = Object.assign(new TypeError('bad', { cause: new RangeError('low', { cause: { n: -0 } }) }), {
      code: 'E_BAD',
    });
    const arrived = errorTrip(error);
    expect(types.isNativeError(arrived)).toBe(true);
    expect(arrived).toBeInstanceOf(TypeError);
    expect(arrived).toMatchObject({ name: 'TypeError', message: 'bad', code: 'E_BAD', stack: error.stack });
    expect(arrived.cause).toBeInstanceOf(RangeError);
    expect((arrived.cause as Error).cause).toEqual({ n: -0 });
    expect(Object.keys(arrived)).toEqual(['code']);
  });

  test('of a class of the user keep their name and the nearest class that is known', () => {
    class TooLow extends RangeError {
      override name = 'TooLow';
    }
    expect(errorTrip(new TooLow('x'))).toBeInstanceOf(RangeError);
    expect(errorTrip(new TooLow('x')).name).toBe('TooLow');
    expect(errorTrip(new ClusterError('limit', 'x'))).toMatchObject({
      name: 'ClusterError',
      code: 'limit',
      message: 'x',
    });
  });

  test('of many, of another realm, and of the platform', () => {
    expect((errorTrip(new AggregateError([new Error('a')], 'x')) as AggregateError).errors[0]).toBeInstanceOf(Error);
    expect(errorTrip(runInNewContext('new TypeError("far")'))).toMatchObject({ message: 'far', name: 'TypeError' });
    expect(errorTrip(AbortSignal.abort().reason)).toMatchObject({ name: 'AbortError', code: 20 });
  });

  test('with fields of strange types come back with the others', () => {
    const error = Object.assign(new Error('x'), { code: {}, stack: 7 });
    Object.defineProperty(error, 'name', { value: 'constructor' });
    const arrived = errorTrip(error);
    expect(arrived).toBeInstanceOf(Error);
    expect(arrived).toMatchObject({ name: 'constructor', message: 'x', stack: 'constructor: x' });
    expect(arrived).not.toHaveProperty('code');
  });
});

describe('refs', () => {
  class Ref {
    key: string;
    constructor(key: string) {
      this.key = key;
    }
  }
  const refs = {
    encode: (value: object) => (value instanceof Ref ? value.key : undefined),
    decode: (key: string) => (key === 'gone' ? assert.fail() : new Ref(key)),
  };
  const withRefs = new ValueCodec({ refs });

  test('travel as their key, and the snapshot lists the keys', () => {
    const snapshot = withRefs.snapshot({ a: new Ref('1'), b: [new Map([['k', new Ref('2')]])] });
    expect(snapshot.refs).toEqual(['1', '2']);
    const arrived = withRefs.unpack(withRefs.packSnapshot(snapshot)) as { a: unknown };
    expect(arrived).toEqual({ a: new Ref('1'), b: [new Map([['k', new Ref('2')]])] });
    expect(arrived.a).toBeInstanceOf(Ref);
    expect(withRefs.snapshot({}).refs).toEqual([]);
  });

  test('are refused by who does not know them', () => {
    expect(() => codec.pack(new Ref('1'))).toThrow('class Ref');
    expect(() => codec.unpack(withRefs.pack(new Ref('1')))).toThrow(expect.objectContaining({ closeCode: 4004 }));
    expect(() => withRefs.unpack(withRefs.pack(new Ref('gone')))).toThrow(expect.objectContaining({ closeCode: 4004 }));
  });
});

describe('packed values', () => {
  test('stay as they are when others are packed', () => {
    const first = codec.pack({ a: 1 });
    const copy = Buffer.from(first);
    for (let round = 0; round < 1000; round++) codec.pack({ b: 'x'.repeat(round) });
    expect(first).toEqual(copy);
  });

  test('do not keep a large buffer alive after a large one', () => {
    codec.pack('x'.repeat(4_000_000));
    expect(codec.pack('x').buffer.byteLength).toBeLessThan(100_000);
  });

  test('stand for themselves: records are defined in each', () => {
    const [first, second] = [codec.pack({ same: 1 }), codec.pack({ same: 2 })];
    expect(new ValueCodec().unpack(second)).toEqual({ same: 2 });
    expect(new ValueCodec().unpack(first)).toEqual({ same: 1 });
  });

  test('leave no property on the bytes they are read from', () => {
    const bytes = codec.pack([1]);
    codec.unpack(bytes);
    expect(bytes).not.toHaveProperty('dataView');
  });

  test('are packed while others are: a getter may pack as well', () => {
    const value = { get inner(): unknown { return codec.unpack(codec.pack({ deep: [1] })); }, after: 1 }; // prettier-ignore
    assert.deepStrictEqual(trip(value), { inner: { deep: [1] }, after: 1 });
  });
});
