import { describe, expect, it } from 'vitest';
import type { RefHook } from '@muster/rexi';
import { seededEntropy, virtualClock } from '@muster/rexi/testing';
import type { ByteStore, CallOptions } from './connector.ts';
import { MemoryConnector } from './memory-connector.ts';
import type { ObjectRef } from './object-ref.ts';
import { Store, type StoreCodec } from './store.ts';

/** JSON, with references as the hook says. */
function jsonCodec(refs: RefHook): StoreCodec {
  const swap = (value: unknown): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const key = refs.encode(value);
    if (key !== undefined) return { $ref: key };
    return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, swap(each)]));
  };
  return {
    encode: (value) => Buffer.from(JSON.stringify({ value: swap(value) })),
    decode: (bytes) => {
      const back = (_: string, value: { $ref?: string } | null): unknown =>
        typeof value?.$ref === 'string' ? refs.decode(value.$ref) : value;
      return (JSON.parse(Buffer.from(bytes).toString(), back) as { value: unknown }).value;
    },
  };
}

/** Counts gets, and holds them back while a test says so. */
class Watched extends MemoryConnector {
  gets = 0;
  hold: Promise<void> | undefined;
  failure: Error | undefined;
  override async get(key: string, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    this.gets += 1;
    await this.hold;
    if (this.failure) throw this.failure;
    return super.get(key, options);
  }
}

function setup(options: { cacheBytes?: number; connector?: ByteStore } = {}) {
  const clock = virtualClock();
  const connector = new Watched({ entropy: seededEntropy(1) });
  const store = new Store({ name: 'things', connector, codec: jsonCodec, clock, ...options });
  return { clock, connector, store };
}

function gate(): { opened: Promise<void>; open: () => void } {
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => {
    open = resolve;
  });
  return { opened, open };
}

describe('a Store', () => {
  it('gives back what was put, null as well', async () => {
    const { store } = setup();
    const ref = await store.put({ city: 'Kiel' });
    expect(ref.size).toBeGreaterThan(0);
    expect(await ref.get()).toEqual({ city: 'Kiel' });
    expect(await (await store.put(null)).get()).toBeNull();
  });

  it('keeps references inside values as keys, and gives them back bound', async () => {
    const { store } = setup();
    const inner = await store.put('inside');
    const outer = await store.put({ inner });
    expect(outer.size).toBeLessThan(150);
    const { inner: found } = await outer.get();
    expect(await found.get()).toBe('inside');
  });

  it('fetches once, and then serves from its cache', async () => {
    const { store, connector } = setup();
    const ref = await store.put([1, 2, 3]);
    await ref.get();
    await ref.get();
    expect(connector.gets).toBe(1);
  });

  it('fetches each time with a cache of 0 bytes', async () => {
    const { store, connector } = setup({ cacheBytes: 0 });
    const ref = await store.put([1, 2, 3]);
    await ref.get();
    await ref.get();
    expect(connector.gets).toBe(2);
  });

  it('gives everybody a value of his own, so that nobody changes another one', async () => {
    const { store } = setup();
    const ref = await store.put({ list: { first: 1 } });
    const mine = await ref.get();
    mine.list.first = 99;
    expect(await ref.get()).toEqual({ list: { first: 1 } });
  });

  it('fetches once for gets that overlap, each with a value of its own', async () => {
    const { store, connector } = setup();
    const ref = await store.put({ n: 1 });
    const { opened, open } = gate();
    connector.hold = opened;
    const both = Promise.all([ref.get(), store.ref<{ n: number }>(ref.key).get()]);
    open();
    const [one, other] = await both;
    expect(connector.gets).toBe(1);
    expect(one).toEqual(other);
    expect(one).not.toBe(other);
  });

  it('tries again after a get that failed', async () => {
    const { store, connector } = setup();
    const ref = await store.put('there');
    connector.failure = new Error('network');
    await expect(ref.get()).rejects.toThrow('network');
    connector.failure = undefined;
    expect(await ref.get()).toBe('there');
  });

  it('says `missing` with key and store for what is not there', async () => {
    const { store } = setup();
    await expect(store.ref('nothing-here').get()).rejects.toMatchObject({
      code: 'missing',
      key: 'nothing-here',
      store: 'things',
    });
  });

  it('says `corrupt` for bytes that do not decode, with the cause', async () => {
    const { store, connector } = setup();
    const key = await connector.put(Buffer.from('not json'));
    await expect(store.get(key)).rejects.toMatchObject({ code: 'corrupt', key, cause: expect.any(SyntaxError) });
  });

  it('refuses what cannot be a key before it asks anybody', async () => {
    const { store, connector } = setup();
    await expect(store.get('a\nb')).rejects.toMatchObject({ code: 'bad_key' });
    await expect(store.exists('')).rejects.toMatchObject({ code: 'bad_key' });
    expect(connector.gets).toBe(0);
  });

  it('asks the connector whether an object exists, not its cache', async () => {
    const { store, connector } = setup();
    const ref = await store.put(1);
    await ref.get();
    await connector.evict(ref.key);
    expect(await ref.exists()).toBe(false);
  });

  it('has nothing of a dropped object in its cache', async () => {
    const { store } = setup();
    const ref = await store.put(1);
    await ref.get();
    await ref.drop();
    await ref.drop();
    expect(await ref.exists()).toBe(false);
    await expect(ref.get()).rejects.toMatchObject({ code: 'missing' });
  });

  it('does not cache what was dropped while it was fetched', async () => {
    const { connector, store } = setup();
    const ref = await store.put(1);
    const { opened, open } = gate();
    connector.hold = opened;
    const bytes = await MemoryConnector.prototype.get.call(connector, ref.key);
    connector.get = async () => (await opened, bytes);
    const early = ref.get();
    await ref.drop();
    open();
    expect(await early).toBe(1);
    connector.get = async () => undefined;
    await expect(ref.get()).rejects.toMatchObject({ code: 'missing' });
  });

  it('stops waiting when time is up, and for a caller who cancels', async () => {
    const { store, connector, clock } = setup();
    const ref = await store.put(1);
    connector.hold = new Promise(() => {});
    const late = ref.get({ timeout: 50 });
    const control = new AbortController();
    const cancelled = ref.get({ signal: control.signal });
    for (const each of [late, cancelled]) each.catch(() => {});
    await clock.pass(50);
    control.abort();
    await expect(late).rejects.toMatchObject({ code: 'timeout', key: ref.key, store: 'things' });
    await expect(cancelled).rejects.toMatchObject({ code: 'cancelled' });
  });

  it('refuses everything after close, which may be called twice', async () => {
    const { store } = setup();
    const ref: ObjectRef<number> = await store.put(1);
    await store.close();
    await store.close();
    const closed = { code: 'closed', store: 'things' };
    await expect(store.put(1)).rejects.toMatchObject(closed);
    await expect(ref.get()).rejects.toMatchObject(closed);
    await expect(ref.exists()).rejects.toMatchObject(closed);
    await expect(ref.drop()).rejects.toMatchObject(closed);
  });

  it('closes its connector with an `await using` scope', async () => {
    const { store, connector } = setup();
    {
      await using scoped = store;
      await scoped.put(1);
    }
    await expect(connector.put(new Uint8Array())).rejects.toMatchObject({ code: 'closed' });
  });
});
