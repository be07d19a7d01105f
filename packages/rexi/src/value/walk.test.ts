import { describe, expect, test } from 'vitest';
import { ClusterError } from '../errors.ts';
import { ValueCodec } from './value-codec.ts';

const codec = new ValueCodec();

function refusal(value: unknown, with_: ValueCodec = codec): ClusterError {
  try {
    with_.snapshot(value, 'args');
  } catch (error) {
    if (error instanceof ClusterError) return error;
  }
  throw new Error('The value was let through.');
}

function cyclic(): unknown {
  const node: Record<string, unknown> = {};
  node['friends'] = [{}, { of: node }];
  return node;
}

function throwing(): never {
  throw new Error('mine');
}

function endless(): object {
  return new Proxy({}, { getPrototypeOf: endless });
}

describe('what cannot travel is refused before it is packed', () => {
  class Account {}
  const { proxy, revoke } = Proxy.revocable({}, {});
  revoke();
  test.each<[string, unknown]>([
    ['a function', () => 1],
    ['a class', Account],
    ['a symbol', Symbol('s')],
    ['a promise', Promise.resolve()],
    ['a RegExp', /x/],
    ['an instance of a class', new Account()],
    ['an array of a class of its own', new (class extends Array {})()],
    ['a WeakMap', new WeakMap()],
    ['a DataView', new DataView(new ArrayBuffer(1))],
    ['a SharedArrayBuffer', new SharedArrayBuffer(1)],
    ['a boxed string', Object('s')],
    ['a URL', new URL('http://a')],
    ['an object that only looks like a Map', Object.create(Map.prototype)],
    ['an object that only looks like an array', Object.create(Array.prototype)],
    ['a Proxy of a Date', new Proxy(new Date(), {})],
    ['a Proxy that was revoked', proxy],
    ['a Proxy with prototypes without end', endless()],
    ['a getter that throws', Object.defineProperty({}, 'g', { enumerable: true, get: throwing })],
    ['a Map with an object as a key', new Map([[{}, 1]])],
    ['a Map with a bigint of 65 bits as a key', new Map([[2n ** 64n, 1]])],
    ['a Map with the key __proto__', new Map([['__proto__', 1]])],
    ['a Set with a bigint of 65 bits', new Set([2n ** 64n])],
    ['an own key __proto__', JSON.parse('{"__proto__": 1}')],
    ['a key that is no Unicode', { '\ud800': 1 }],
    ['a bigint of 8193 bits', 2n ** 8192n],
    ['a cycle', cyclic()],
    [
      'an array with a length beyond all memory',
      Array.from({ length: 0 }).concat(Object.assign([], { length: 2 ** 32 - 1 })),
    ],
  ])('%s', (_, value) => {
    expect(refusal(value).code).toBe('not_serializable');
    expect(refusal([value]).code).toBe('not_serializable');
    expect(refusal({ a: new Map([['k', new Set([value])]]) }).code).toBe('not_serializable');
  });
});

describe('the refusal says where', () => {
  const bad = (): void => undefined;
  test.each<[string, unknown]>([
    ['args', bad],
    ['args.user.friends[3]', { user: { name: 'x', friends: [1, { ok: 1 }, [], bad] } }],
    ['args.user', { before: { deep: [[1]] }, user: bad }],
    ['args["first name"][0]', { 'first name': [bad] }],
    ['args.ключ', { ключ: bad }],
    ['args.m.get("k").x', { m: new Map([['k', { x: bad }]]) }],
    ['args.m.get(7)', { m: new Map([[7, bad]]) }],
    ['args.s[1]', { s: new Set([1, bad]) }],
    ['args.e.cause.cause', { e: new Error('a', { cause: new Error('b', { cause: bad }) }) }],
    ['args.friends[1].of', cyclic()],
    ['args.x', { x: JSON.parse('{"__proto__": 1}') }],
  ])('%s', (path, value) => {
    expect(refusal(value).detail?.startsWith(path)).toBe(true);
    expect(refusal(value).message).toContain(`${path} is not serializable`);
  });

  test('and why', () => {
    const cause = new Error('mine');
    const throws = { get it(): never { throw cause; } }; // prettier-ignore
    expect(refusal(throws).cause).toBe(cause);
    expect(refusal([class Account {}]).message).toContain('a function');
    expect(refusal([new (class Account {})()]).message).toContain('class Account');
  });
});

describe('the limits hold at the sender', () => {
  const strict = new ValueCodec({ limits: { depth: 3, items: 20, keyBytes: 5, bytes: 100 } });
  const isIn = (value: unknown): unknown => strict.unpack(strict.pack(value));

  test.each<[string, unknown, unknown]>([
    ['nesting', [[[1]]], [[[[]]]]],
    ['a cycle', [[[1]]], cyclic()],
    ['items of an array', Array.from({ length: 19 }).fill(1), Array.from({ length: 20 }).fill(1)],
    [
      'items of all arrays',
      [Array.from({ length: 9 }), Array.from({ length: 8 })],
      [Array.from({ length: 9 }), Array.from({ length: 9 })],
    ],
    ['the weight of Maps', [new Map(), new Map()], [new Map(), new Map(), new Map()]],
    ['the weight of binaries', [Buffer.of(), new Int8Array()], [Buffer.of(), new Int8Array(), Buffer.of()]],
    ['the weight of text that UTF-8 would change', ['\ud800'], ['\ud800', 1]],
    ['keys', { abcde: 1, 语: 1 }, { abcdef: 1 }],
    ['keys that may need an escape', { '\0abc': 1 }, { '\0abcd': 1 }],
    ['bytes of keys', { éé: 1 }, { ééé: 1 }],
    ["a Map's keys", new Map([['abcde', 1]]), new Map([['abcdef', 1]])],
    ['text', ['x'.repeat(90)], ['x'.repeat(100)]],
    [
      'one text many times',
      Array.from({ length: 9 }).fill('x'.repeat(8)),
      Array.from({ length: 9 }).fill('x'.repeat(12)),
    ],
    ['text that only its bytes make too long', ['é'.repeat(40)], ['é'.repeat(60)]],
    ['binaries', Buffer.alloc(90), Buffer.alloc(100)],
  ])('for %s', (_, most, more) => {
    expect(isIn(most)).toEqual(most);
    expect(() => isIn(more)).toThrow(expect.objectContaining({ code: 'not_serializable' }));
  });

  test('for what is shared so often that it would never end', () => {
    let bomb: unknown = 'x';
    for (let level = 0; level < 31; level++) bomb = [bomb, bomb];
    expect(refusal(bomb).message).toContain('items');
  });

  test('for text before it is written out', () => {
    expect(refusal(Array.from({ length: 9 }).fill('x'.repeat(12)), strict).message).toContain('bytes');
  });

  test('for what more shapes than a message may define add to the weight', () => {
    const shapes = Array.from({ length: 100 }, (_, index) => ({ [`k${index}`]: 1 }));
    const [enough, less] = [561, 560].map((items) => new ValueCodec({ limits: { items } }));
    expect(enough!.unpack(enough!.pack(shapes))).toEqual(shapes);
    expect(() => less!.pack(shapes)).toThrow(expect.objectContaining({ code: 'not_serializable' }));
  });

  test('for a batch as for one value', () => {
    const rows = (count: number): Buffer =>
      strict.packRows(Array.from({ length: count }, () => strict.snapshot({ a: 1 })));
    expect(strict.unpackRows(rows(9), 9)).toHaveLength(9);
    expect(() => rows(10)).toThrow(expect.objectContaining({ code: 'not_serializable' }));
  });

  test('and a row may be as deep as a value', () => {
    expect(strict.unpackRows(strict.packRows([strict.snapshot([[[1]]])]), 1)).toEqual([[[[1]]]]);
  });
});

describe('a snapshot', () => {
  const packed = (value: unknown, change: () => void): unknown => {
    const snapshot = codec.snapshot(value);
    change();
    return codec.unpackRows(codec.packRows([snapshot]), 1)[0];
  };

  test('is not changed by what happens to the value afterwards', () => {
    const row = { n: 1, list: [1], map: new Map([['k', { deep: 1 }]]), set: new Set([1]), at: new Date(5), bytes: Buffer.of(1), floats: Float64Array.of(1), buffer: Uint8Array.of(1).buffer, error: new Error('was'), wide: Object.fromEntries(Array.from({ length: 70 }, (_, i) => [`k${i}`, [i]])) }; // prettier-ignore
    const expected = codec.unpack(codec.pack(row));
    const arrived = packed(row, () => {
      row.n = 2;
      row.list.push(2);
      row.map.get('k')!.deep = 2;
      row.map.set('l', { deep: 3 });
      row.set.add(2);
      row.at.setTime(6);
      row.bytes[0] = 2;
      row.floats[0] = 2;
      new Uint8Array(row.buffer)[0] = 2;
      row.error.message = 'is';
      row.wide['k3']!.push(1);
    });
    expect(arrived).toEqual(expected);
  });

  test('says when it shares large binaries', () => {
    for (const large of [Buffer.alloc(32_768), new Uint8Array(32_768), new Float64Array(4_096)]) {
      expect(codec.snapshot({ small: Buffer.alloc(32_767), large }).shares).toBe(true);
    }
    expect(codec.snapshot({ small: Buffer.alloc(32_767) }).shares).toBe(false);
    const buffer = new ArrayBuffer(65_536);
    expect(codec.snapshot(buffer).shares).toBe(false);
    expect(packed(buffer, () => new Uint8Array(buffer).fill(1))).toEqual(new ArrayBuffer(65_536));
  });

  test('reads each getter once, and takes what it gave', () => {
    let reads = 0;
    const value = { get count(): number { return ++reads; } }; // prettier-ignore
    expect(codec.unpack(codec.pack(value))).toEqual({ count: 1 });
  });

  test('may be packed twice', () => {
    const shapes = codec.snapshot(Array.from({ length: 100 }, (_, index) => ({ [`k${index}`]: 1 })));
    expect(codec.packSnapshot(shapes)).toEqual(codec.packSnapshot(shapes));
  });
});
