import { describe, expect, it } from 'vitest';
import { seededEntropy, virtualClock } from '@muster/rexi/testing';
import { ByteCache } from './byte-cache.ts';
import { ObjectClient, type ObjectClientOptions } from './object-client.ts';
import { formatObjectKey } from './object-key.ts';
import { ObjectTable } from './object-table.ts';
import { LinkedPort } from './testing/linked-port.ts';
import { pattern, same } from './testing/pattern.ts';

const incarnation = '0123456789abcdef';

function setup(options: Partial<ObjectClientOptions> = {}, session: string | undefined = 's1') {
  const clock = virtualClock();
  const table = new ObjectTable({ incarnation, entropy: seededEntropy(1) });
  const port = new LinkedPort(clock, { table, session });
  const client = new ObjectClient(port, { clock, ...options });
  const put = (bytes: Uint8Array, of: string = 's1'): string => {
    const id = table.put({ job: 1, session: of }, bytes);
    return formatObjectKey({ node: 'node-1', incarnation, id, size: bytes.length, address: 'memory:a' });
  };
  /** The result of a call that the virtual clock has to carry. */
  const done = async <T>(call: Promise<T>): Promise<T> => {
    call.catch(() => {});
    await clock.settle();
    return call;
  };
  const asked = (type: string): number => port.asked.filter((message) => message.type === type).length;
  return { clock, table, port, client, put, done, asked };
}

describe('ObjectClient', () => {
  it('brings objects of every size over the link', async () => {
    const { client, put, done, clock } = setup();
    for (const size of [0, 1, 65_497, 65_498, 200_000, 3_000_000]) {
      const bytes = pattern(size);
      expect(same(await done(client.get(put(bytes))), bytes)).toBe(true);
      expect(clock.waiting).toBe(0);
    }
  });

  it('brings many at once, also more than may be under way', async () => {
    const { client, put, done } = setup({ transfers: 3, credit: 1000 });
    const all = [10, 3_000, 0, 20_000, 5, 6, 7, 70_000].map((size) => pattern(size));
    const found = await done(Promise.all(all.map((bytes) => client.get(put(bytes)))));
    expect(found.map((bytes, index) => same(bytes, all[index] as Uint8Array))).toEqual(all.map(() => true));
  });

  it('has no more exchanges open than it may', async () => {
    const { client, put, port, done, clock } = setup({ transfers: 3 });
    port.mute = true;
    const calls = Array.from({ length: 8 }, () => client.get(put(pattern(10_000_000))));
    for (const call of calls) call.catch(() => {});
    await clock.settle();
    expect(port.service.active).toBe(3);
    client.close();
    await expect(done(calls[7] as Promise<Uint8Array>)).rejects.toMatchObject({ code: 'closed' });
  });

  it('has no more open either where the cancels of those given up wait behind other bytes', async () => {
    const { client, put, port, done, clock } = setup({ transfers: 3 });
    port.congested = port.mute = true;
    for (let i = 0; i < 5; i += 1) {
      const control = new AbortController();
      const call = client.get(put(pattern(10_000_000)), { signal: control.signal });
      call.catch(() => {});
      await clock.settle();
      control.abort();
      await expect(done(call)).rejects.toMatchObject({ code: 'cancelled' });
      expect(port.service.active).toBeLessThanOrEqual(3);
    }
    const later = client.exists(put(pattern(10)));
    port.mute = false;
    port.clear();
    expect(await done(later)).toBe(true);
    await clock.settle();
    expect(port.service.active).toBe(0);
  });

  it('lets those who wait behind such cancels go when the link ends', async () => {
    const { client, put, port, done, clock } = setup({ transfers: 1 });
    port.congested = port.mute = true;
    const control = new AbortController();
    const first = client.get(put(pattern(10_000)), { signal: control.signal });
    first.catch(() => {});
    await clock.settle();
    control.abort();
    await expect(done(first)).rejects.toMatchObject({ code: 'cancelled' });
    const later = client.get(put(pattern(10)));
    later.catch(() => {});
    await clock.settle();
    port.cut('gone');
    await expect(done(later)).rejects.toMatchObject({ code: 'lost' });
  });

  it('asks once for gets that overlap, and not at all for what it has', async () => {
    const { client, put, done, asked } = setup();
    const key = put(pattern(1000));
    await done(Promise.all([client.get(key), client.get(key)]));
    await done(client.get(key));
    expect(asked('object-get')).toBe(1);
  });

  it('does not cache what is above a quarter of the cache', async () => {
    const { client, put, done, asked } = setup({ cache: new ByteCache(4_000) });
    const [small, large] = [put(pattern(1_000)), put(pattern(1_001))];
    for (const key of [small, large, small, large]) await done(client.get(key));
    expect(asked('object-get')).toBe(3);
  });

  it('says `missing`, `evicted` and `lost` apart, with key and node, and asks again next time', async () => {
    const { client, put, table, done, asked } = setup();
    const evicted = put(pattern(10));
    table.endSession('s1');
    const never = evicted.replace(/\.[^.]{22}\./, `.${'A'.repeat(22)}.`);
    const old = evicted.replace(incarnation, 'fedcba9876543210');
    await expect(done(client.get(evicted))).rejects.toMatchObject({ code: 'evicted', key: evicted, store: 'node-1' });
    await expect(done(client.get(never))).rejects.toMatchObject({ code: 'missing' });
    await expect(done(client.get(old))).rejects.toMatchObject({ code: 'lost' });
    await expect(done(client.get(evicted))).rejects.toMatchObject({ code: 'evicted' });
    expect(asked('object-get')).toBe(4);
  });

  it('fails what is under way with `lost` when the link goes, what waits for its turn too, and what comes later', async () => {
    const { client, put, port, done } = setup({ transfers: 1 });
    const keys = [put(pattern(3_000_000)), put(pattern(10)), put(pattern(10))];
    port.mute = true;
    const calls = keys.slice(0, 2).map((key) => client.get(key));
    for (const call of calls) call.catch(() => {});
    port.cut('reset by peer');
    for (const call of calls) {
      await expect(done(call)).rejects.toMatchObject({ code: 'lost', detail: 'reset by peer' });
    }
    await expect(done(client.get(keys[2] ?? ''))).rejects.toMatchObject({ code: 'lost' });
  });

  it('gives up on a node that says nothing, and lets go of the transfer there', async () => {
    const { client, put, port, clock, done } = setup({ silence: 100 });
    port.mute = true;
    const call = client.get(put(pattern(3_000_000)));
    call.catch(() => {});
    await clock.pass(99);
    expect(port.service.active).toBe(1);
    await clock.pass(1);
    await expect(call).rejects.toMatchObject({ code: 'timeout' });
    await done(Promise.resolve());
    expect(port.service.active).toBe(0);
    expect(clock.waiting).toBe(0);
  });

  it('waits on for a node that is slow but not silent', async () => {
    const { client, port, clock, table } = setup({ silence: 100, credit: 100 });
    const bytes = pattern(450);
    const id = table.put({ job: 1, session: 's1' }, bytes);
    const key = formatObjectKey({ node: 'n', incarnation, id, size: 450, address: 'memory:a' });
    port.mute = true;
    const call = client.get(key);
    await clock.settle();
    port.mute = false;
    port.answer({ type: 'object-head', id: 1, size: 450 });
    for (let at = 0; at < 450; at += 50) {
      await clock.pass(90);
      port.answer({ type: 'object-chunk', id: 1, offset: at, bytes: bytes.subarray(at, at + 50) });
      port.service.closed();
    }
    await clock.settle();
    expect(same(await call, bytes)).toBe(true);
  });

  it('ends the transfer when its last caller leaves, and ignores what still comes', async () => {
    const { client, put, port, clock, asked } = setup();
    const control = new AbortController();
    const key = put(pattern(3_000_000));
    const calls = [client.get(key, { signal: control.signal }), client.get(key, { timeout: 50 })];
    for (const call of calls) call.catch(() => {});
    port.mute = true;
    await clock.settle();
    control.abort();
    await clock.settle();
    expect(port.service.active).toBe(1);
    port.mute = false;
    await clock.pass(50);
    await expect(calls[0]).rejects.toMatchObject({ code: 'cancelled' });
    await expect(calls[1]).rejects.toMatchObject({ code: 'timeout' });
    expect(asked('object-end')).toBe(1);
    expect(port.service.active).toBe(0);
  });

  it('asks the node whether an object exists, not its cache, and lets no byte come', async () => {
    const { client, put, port, table, done } = setup();
    const key = put(pattern(1000));
    await done(client.get(key));
    expect(await done(client.exists(key))).toBe(true);
    table.endSession('s1');
    expect(await done(client.exists(key))).toBe(false);
    expect(port.service.active).toBe(0);
    expect(port.answered.filter(({ type }) => type === 'object-chunk')).toHaveLength(1);
  });

  it('drops an object of its session, and an empty one as well', async () => {
    const { client, put, table, done, port } = setup();
    for (const size of [0, 1000]) {
      const key = put(pattern(size));
      await done(client.get(key));
      expect(await done(client.drop(key))).toBe(true);
      expect(await done(client.drop(key))).toBe(false);
      await expect(done(client.get(key))).rejects.toMatchObject({ code: 'evicted' });
    }
    expect(table.stats().objects).toBe(0);
    expect(port.service.active).toBe(0);
  });

  it('does not cache what was dropped while it was under way', async () => {
    const { client, put, done } = setup();
    const key = put(pattern(3_000_000));
    const [got, dropped] = await done(Promise.all([client.get(key), client.drop(key)]));
    expect(got).toHaveLength(3_000_000);
    expect(dropped).toBe(true);
    await expect(done(client.get(key))).rejects.toMatchObject({ code: 'evicted' });
  });

  it('may not drop an object of another session', async () => {
    const { client, put, table, done } = setup();
    const key = put(pattern(10), 's2');
    await expect(done(client.drop(key))).rejects.toMatchObject({ code: 'foreign', key });
    expect(table.stats().objects).toBe(1);
  });

  it('fails calls under way with `closed` when it is closed, and lets the port go', async () => {
    const { client, put, port } = setup();
    const call = client.get(put(pattern(10)));
    call.catch(() => {});
    await Promise.resolve();
    client.close();
    client.close();
    await expect(call).rejects.toMatchObject({ code: 'closed' });
    expect(port.closed).toBe(true);
  });

  it('fails the get with `corrupt` and lets the link be closed when the node breaks the protocol', async () => {
    const { client, put, port, clock } = setup();
    const call = client.get(put(pattern(100)));
    call.catch(() => {});
    port.mute = true;
    await clock.settle();
    port.mute = false;
    port.answer({ type: 'object-chunk', id: 1, offset: 5, bytes: pattern(5) });
    expect(() => clock.runSoon()).toThrow(expect.objectContaining({ closeCode: 4005 }));
    await expect(call).rejects.toMatchObject({ code: 'corrupt' });
  });

  it('refuses a key that is none, and a credit out of range', async () => {
    const { client } = setup();
    await expect(client.get('nonsense')).rejects.toMatchObject({ code: 'bad_key' });
    expect(() => setup({ credit: 0 })).toThrow(expect.objectContaining({ code: 'bad_options' }));
    expect(() => setup({ credit: 2 ** 30 })).toThrow(expect.objectContaining({ code: 'bad_options' }));
  });
});
