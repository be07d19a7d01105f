import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { StoreError } from './errors.ts';
import type { ObjectKey } from './object-key.ts';
import { formatObjectKey, formatObjectName, maxKeyBytes, parseObjectKey, parseObjectName } from './object-key.ts';

const key: ObjectKey = {
  node: 'node-1',
  incarnation: '0123456789abcdef',
  id: Buffer.alloc(16, 7).toString('base64url'),
  size: 100,
  address: 'ws://10.0.0.1:7101',
};
const text = formatObjectKey(key);

const printable = fc.string({ unit: fc.constantFrom(...Array.from('abcXYZ019.-_:/~!?')), minLength: 1, maxLength: 64 });
const addresses = fc.constantFrom(
  'ws://127.0.0.1:7101',
  'wss://node-17.workers.svc.cluster.local:65535',
  'ws://[::1]:80',
  'wss://host/a/b',
  'memory:a',
);
const keys = fc.record({
  node: printable.map((name) => name.slice(0, 40)),
  incarnation: fc.uint8Array({ minLength: 8, maxLength: 8 }).map((bytes) => Buffer.from(bytes).toString('hex')),
  id: fc.uint8Array({ minLength: 16, maxLength: 16 }).map((bytes) => Buffer.from(bytes).toString('base64url')),
  size: fc.maxSafeNat().map((size) => size % 2 ** 48),
  address: addresses,
});

describe('an object key', () => {
  it('comes back from its string as it was, frozen, in under 150 bytes', () => {
    fc.assert(
      fc.property(keys, (each) => {
        const written = formatObjectKey(each);
        expect(Buffer.byteLength(written)).toBeLessThan(150);
        expect(parseObjectKey(written)).toEqual(each);
        expect(Object.isFrozen(parseObjectKey(written))).toBe(true);
        expect(formatObjectKey(parseObjectKey(written))).toBe(written);
      }),
    );
  });

  it('fits with the longest node and address that it may have, and not with one character more', () => {
    const node = 'n'.repeat(40);
    const address = (length: number): string => `ws://${'h'.repeat(length - 5)}`;
    const largest = { ...key, node, size: 2 ** 48 - 1 };
    const longest = formatObjectKey({ ...largest, address: address(94 - 40) });
    expect(longest.length).toBe(maxKeyBytes);
    expect(() => formatObjectKey({ ...largest, address: address(95 - 40) })).toThrow(StoreError);
  });

  it('parses nothing that was changed by a single character into the same key', () => {
    fc.assert(
      fc.property(fc.nat(text.length - 1), fc.integer({ min: 0, max: 127 }), (at, code) => {
        const changed = text.slice(0, at) + String.fromCharCode(code) + text.slice(at + 1);
        fc.pre(changed !== text);
        const parsed = attempt(changed);
        if (parsed) expect(formatObjectKey(parsed)).toBe(changed);
      }),
      { numRuns: 2_000 },
    );
  });

  it.each([
    ['empty', ''],
    ['of another version', text.replace('o1.', 'o2.')],
    ['with something behind it', `${text} `],
    ['with a line break behind it', `${text}\n`],
    ['with a NUL', text.replace('node-1', 'node\0')],
    ['with a space in the node', text.replace('node-1', 'node 1')],
    ['without a node', text.replace('node-1', '')],
    ['with upper case in the incarnation', text.replace('abcdef', 'ABCDEF')],
    ['with an id whose last bits are not zero', text.replace(key.id, `${key.id.slice(0, 21)}B`)],
    ['with a size that has a zero in front', text.replace('.2s.', '.02s.')],
    ['with a size beyond 2^48', text.replace('.2s.', '.zzzzzzzzzz.')],
    ['with a user in the address', text.replace('ws://', 'ws://user:pass@')],
    ['with a query in the address', `${text}?a=b`],
    ['with a port that there is not', text.replace(':7101', ':65536')],
    ['to be dialled by http', text.replace('ws://', 'http://')],
    ['to be read from a file', text.replace('ws://10.0.0.1:7101', 'file:///etc/passwd')],
    ['far too long', text + '1'.repeat(1_000_000)],
  ])('is refused when it is %s', (_, wrong) => {
    expect(() => parseObjectKey(wrong)).toThrow(expect.objectContaining({ code: 'bad_key' }));
  });

  it('is refused when it is no string', () => {
    expect(() => parseObjectKey(undefined as unknown as string)).toThrow(expect.objectContaining({ code: 'bad_key' }));
  });

  it('is refused when it is written from fields that no key can have', () => {
    expect(() => formatObjectKey({ ...key, size: -1 })).toThrow(StoreError);
    expect(() => formatObjectKey({ ...key, size: 1.5 })).toThrow(StoreError);
    expect(() => formatObjectKey({ ...key, node: 'a@b' })).toThrow(StoreError);
    expect(() => formatObjectKey({ ...key, id: 'short' })).toThrow(StoreError);
  });

  it('has a short name for the link of its node, which is read as strictly', () => {
    const name = formatObjectName(key);
    expect(name).toHaveLength(39);
    expect(parseObjectName(name)).toEqual({ incarnation: key.incarnation, id: key.id });
    expect(parseObjectName(`${name}A`)).toBeUndefined();
    expect(parseObjectName(name.replace('.', '-'))).toBeUndefined();
  });
});

function attempt(changed: string): ObjectKey | undefined {
  try {
    return parseObjectKey(changed);
  } catch {
    return undefined;
  }
}
