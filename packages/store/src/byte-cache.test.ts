import { describe, expect, it } from 'vitest';
import { ByteCache, entryOverhead } from './byte-cache.ts';

const bytes = (size: number): Uint8Array => new Uint8Array(size);
const cost = (size: number): number => size + entryOverhead;

describe('ByteCache', () => {
  it('lets go what was not used for longest', () => {
    const cache = new ByteCache(3 * cost(100), 100);
    for (const key of ['a', 'b', 'c']) cache.set(key, bytes(100));
    cache.get('a');
    cache.set('d', bytes(100));
    expect(['a', 'b', 'c', 'd'].map((key) => cache.get(key) !== undefined)).toEqual([true, false, true, true]);
    expect(cache.used).toBe(3 * cost(100));
  });

  it('keeps only the last of two when there is room for one', () => {
    const cache = new ByteCache(cost(100), 100);
    cache.set('a', bytes(100));
    cache.set('b', bytes(100));
    expect(cache.get('a')).toBeUndefined();
    expect(cache.get('b')).toBeDefined();
  });

  it('does not take an object above a quarter of the limit, which would empty it', () => {
    const cache = new ByteCache(4_000);
    cache.set('small', bytes(1_000));
    cache.set('large', bytes(1_001));
    expect(cache.get('small')).toBeDefined();
    expect(cache.get('large')).toBeUndefined();
  });

  it('caches nothing with a limit of 0, not even nothing', () => {
    const cache = new ByteCache(0);
    cache.set('a', bytes(0));
    expect(cache.get('a')).toBeUndefined();
  });

  it.each([-1, Number.NaN])('refuses a limit of %s', (limit) => {
    expect(() => new ByteCache(limit)).toThrow(expect.objectContaining({ code: 'bad_options' }));
  });

  it('counts a key that is set twice once', () => {
    const cache = new ByteCache(10_000);
    cache.set('a', bytes(100));
    cache.set('a', bytes(50));
    expect(cache.used).toBe(cost(50));
    cache.delete('a');
    cache.delete('a');
    expect(cache.used).toBe(0);
  });

  it('is empty after clear', () => {
    const cache = new ByteCache();
    cache.set('a', bytes(100));
    cache.clear();
    expect(cache.get('a')).toBeUndefined();
    expect(cache.used).toBe(0);
  });

  it('does not keep a whole buffer alive for a small view on it', () => {
    const cache = new ByteCache();
    cache.set('view', bytes(1_000_000).subarray(10, 20));
    expect(cache.get('view')?.buffer.byteLength).toBe(10);
    const whole = bytes(100);
    cache.set('whole', whole);
    expect(cache.get('whole')).toBe(whole);
  });
});
