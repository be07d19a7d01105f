import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { newIdentity } from './handshake/identity.ts';
import { privateKey, publicKeyOf } from './handshake/identity.ts';
import { compareRefs, formatRef, incarnationOf, maxCounter, parseRef, type Ref } from './ref.ts';
import { seededEntropy } from './testing/seeded-entropy.ts';

const digits = fc.constantFrom(...'0123456789abcdef'.split(''));
const anyRef: fc.Arbitrary<Ref> = fc.record({
  incarnation: fc.string({ unit: digits, minLength: 16, maxLength: 16 }),
  counter: fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: maxCounter })),
});
const bounded = { interruptAfterTimeLimit: 2_000 };

describe('a reference', () => {
  it('is printed as its incarnation and its counter, in hexadecimal', () => {
    expect(formatRef({ incarnation: '89abcdef01234567', counter: 47 })).toBe('89abcdef01234567-2f');
  });

  it('is read back from what was printed', () => {
    fc.assert(
      fc.property(anyRef, (ref) => {
        expect(parseRef(formatRef(ref))).toEqual(ref);
      }),
      bounded,
    );
  });

  it.each([
    '',
    '89abcdef01234567',
    '89abcdef01234567-',
    '89abcdef01234567-0',
    '89abcdef01234567-02f',
    '89abcdef01234567-2F',
    '89ABCDEF01234567-2f',
    '89abcdef0123456-2f',
    '89abcdef01234567-2f-1',
    '89abcdef01234567-1000000000000',
    ' 89abcdef01234567-2f',
    `89abcdef01234567-2f${' '.repeat(100)}`,
  ])('is not "%s"', (text) => {
    expect(() => parseRef(text)).toThrow(expect.objectContaining({ code: 'bad_options' }));
  });

  it('has a counter of up to 48 bits', () => {
    expect(parseRef('89abcdef01234567-ffffffffffff').counter).toBe(maxCounter);
    expect(maxCounter).toBe(281_474_976_710_655);
  });

  it('is ordered by incarnation, then by submission, whatever its counter looks like in print', () => {
    fc.assert(
      fc.property(anyRef, anyRef, (a, b) => {
        const padded = ({ incarnation, counter }: Ref): string => incarnation + counter.toString().padStart(20, '0');
        const obvious = padded(a) < padded(b) ? -1 : padded(a) > padded(b) ? 1 : 0;
        expect(Math.sign(compareRefs(a, b))).toBe(obvious);
      }),
      bounded,
    );
    const [one, two] = [9, 16].map((counter) => ({ incarnation: '0'.repeat(16), counter })) as [Ref, Ref];
    expect(compareRefs(one, two)).toBeLessThan(0);
  });

  it('names an incarnation by the first 64 bits of the SHA-256 of its key, as the handshake does', () => {
    expect(incarnationOf(Buffer.from('abc'))).toBe('ba7816bf8f01cfea');
    const { seed, incarnation } = newIdentity('coordinator', 'c', seededEntropy(1));
    expect(incarnationOf(publicKeyOf(privateKey(seed)))).toBe(incarnation);
  });
});
