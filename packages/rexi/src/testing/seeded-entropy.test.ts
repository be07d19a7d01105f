import { describe, expect, it } from 'vitest';
import { seededEntropy } from './seeded-entropy.ts';

describe('seeded entropy', () => {
  it('gives the same bytes for the same seed and calls', () => {
    const [one, two] = [seededEntropy('a'), seededEntropy('a')];
    expect(one.bytes(100)).toEqual(two.bytes(100));
    expect(one.bytes(7)).toEqual(two.bytes(7));
  });

  it('gives other bytes for another seed and for every call', () => {
    const entropy = seededEntropy(1);
    const first = entropy.bytes(32);
    expect(entropy.bytes(32)).not.toEqual(first);
    expect(seededEntropy(2).bytes(32)).not.toEqual(first);
  });

  it('gives exactly as many bytes as asked for', () => {
    for (const count of [0, 1, 31, 32, 33, 64, 100]) expect(seededEntropy(3).bytes(count)).toHaveLength(count);
  });
});
