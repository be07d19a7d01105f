import { describe, expect, it } from 'vitest';
import { isStoreErrorCode, StoreError, storeCodes } from './errors.ts';

describe('StoreError', () => {
  it('says what is so, what to do, and names key and store', () => {
    const error = new StoreError('evicted', { key: 'k1', store: 'node-1' });
    expect(error.message).toMatch(/^The object was dropped.*\. Resolve a reference .* \(key k1, store node-1\)$/);
    expect(error).toMatchObject({ name: 'StoreError', code: 'evicted', key: 'k1', store: 'node-1' });
  });

  it('keeps the cause, and has none where none was given', () => {
    const cause = new Error('socket');
    expect(new StoreError('lost', { cause }).cause).toBe(cause);
    expect('cause' in new StoreError('lost')).toBe(false);
  });

  it('puts neither control characters nor whole books into its text', () => {
    const { message } = new StoreError('bad_key', { key: `\u001b[31m\n${'x'.repeat(10_000)}` });
    expect(message).toContain('\\u001b[31m\\n');
    expect(message.length).toBeLessThan(500);
  });

  it('has a sentence and an advice for every code, and knows no other', () => {
    for (const [code, { says, todo }] of Object.entries(storeCodes)) {
      expect(isStoreErrorCode(code)).toBe(true);
      expect(says.length * todo.length).toBeGreaterThan(100);
    }
    expect(isStoreErrorCode('toString')).toBe(false);
  });
});
