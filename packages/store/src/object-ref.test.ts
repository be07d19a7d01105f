import { inspect } from 'node:util';
import { describe, expect, it, vi } from 'vitest';
import { StoreError } from './errors.ts';
import { formatObjectKey } from './object-key.ts';
import { isObjectRef, ObjectRef, refHook, type Resolver } from './object-ref.ts';

const key = formatObjectKey({
  node: 'n',
  incarnation: '0123456789abcdef',
  id: Buffer.alloc(16, 7).toString('base64url'),
  size: 1_000_000,
  address: 'memory:a',
});

function resolver(): Resolver & { calls: string[] } {
  const calls: string[] = [];
  return {
    calls,
    get: async (name) => (calls.push(`get ${name}`), 42),
    exists: async (name) => (calls.push(`exists ${name}`), true),
    drop: async (name) => void calls.push(`drop ${name}`),
  };
}

describe('an ObjectRef', () => {
  it('resolves, asks and drops through its resolver', async () => {
    const store = resolver();
    const ref = new ObjectRef<number>(key, store);
    expect(await ref.get()).toBe(42);
    expect(await ref.exists()).toBe(true);
    await ref.drop();
    expect(store.calls).toEqual([`get ${key}`, `exists ${key}`, `drop ${key}`]);
  });

  it('knows the size from an object key, or from whoever made it', () => {
    expect(new ObjectRef(key).size).toBe(1_000_000);
    expect(new ObjectRef('memory.abc', undefined, 7).size).toBe(7);
    expect(new ObjectRef('memory.abc').size).toBeUndefined();
  });

  it('fetches nothing when it is returned, awaited, logged, encoded or put into a Map', async () => {
    const store = resolver();
    const ref = new ObjectRef(key, store);
    expect(await (async () => ref)()).toBe(ref);
    expect(await Promise.resolve(ref)).toBe(ref);
    expect(inspect({ ref })).toContain(`ObjectRef(${key})`);
    expect(JSON.stringify({ ref })).toBe(JSON.stringify({ ref: key }));
    expect(new Map([[ref, 1]]).get(ref)).toBe(1);
    expect(String(ref)).toBe(`ObjectRef(${key})`);
    expect(isObjectRef(ref)).toBe(true);
    expect('then' in ref).toBe(false);
    expect(store.calls).toEqual([]);
  });

  it('cannot be changed', () => {
    const ref = new ObjectRef(key) as { key: string };
    expect(() => {
      ref.key = 'other';
    }).toThrow(TypeError);
  });

  it('refuses a key that is none', () => {
    expect(() => new ObjectRef('a b')).toThrow(StoreError);
    expect(() => new ObjectRef('x'.repeat(150))).toThrow(StoreError);
    expect(() => new ObjectRef(`${key}\n`)).toThrow(StoreError);
    expect(() => new ObjectRef('o1.looks-like-one')).toThrow(StoreError);
  });

  it('says what to do when it is bound to no store', async () => {
    await expect(new ObjectRef(key).get()).rejects.toMatchObject({
      code: 'closed',
      message: expect.stringContaining('store.ref(key)'),
    });
  });

  it('drops its object at the end of an `await using` scope, also when that throws', async () => {
    const store = resolver();
    const work = async (): Promise<void> => {
      await using ref = new ObjectRef(key, store);
      expect(ref.key).toBe(key);
      throw new Error('the work failed');
    };
    await expect(work()).rejects.toThrow('the work failed');
    expect(store.calls).toEqual([`drop ${key}`]);
  });

  it('leaves such a scope quietly when the node is lost, and loudly for anything else', async () => {
    const scope = async (code: 'lost' | 'foreign'): Promise<void> => {
      const drop = (): Promise<void> => Promise.reject(new StoreError(code));
      await using _ref = new ObjectRef(key, { ...resolver(), drop });
    };
    await scope('lost');
    await expect(scope('foreign')).rejects.toMatchObject({ code: 'foreign' });
  });
});

describe('the hook for a codec', () => {
  it('lets a reference leave as its key and arrive bound to the resolver', async () => {
    const hook = refHook(resolver());
    expect(hook.encode(new ObjectRef(key))).toBe(key);
    expect(await (hook.decode(key) as ObjectRef).get()).toBe(42);
  });

  it('takes nothing else for a reference', () => {
    const hook = refHook(resolver());
    expect(hook.encode({ key, size: 1 })).toBeUndefined();
    expect(hook.encode([])).toBeUndefined();
    expect(isObjectRef(null)).toBe(false);
    expect(() => hook.decode('no key\0')).toThrow(StoreError);
  });

  it('knows the references of another copy of the package', async () => {
    vi.resetModules();
    const copy = await import('./object-ref.ts');
    expect(copy.ObjectRef).not.toBe(ObjectRef);
    expect(refHook(resolver()).encode(new copy.ObjectRef(key))).toBe(key);
  });
});
