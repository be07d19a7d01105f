import { describe, expect, it } from 'vitest';
import { seededEntropy, virtualClock, type VirtualClock } from '@muster/rexi/testing';
import { formatObjectKey } from './object-key.ts';
import type { ObjectPort } from './object-port.ts';
import { ObjectTable } from './object-table.ts';
import { PeerResolver, type PeerResolverOptions } from './peer-resolver.ts';
import { LinkedPort } from './testing/linked-port.ts';
import { pattern, same } from './testing/pattern.ts';

/** Two nodes, a and b; the resolver under test is that of a. */
function setup(options: Partial<PeerResolverOptions> = {}) {
  const clock = virtualClock();
  const a = node('a', 1);
  const b = node('b', 2);
  const dialled: string[] = [];
  const ports: LinkedPort[] = [];
  const network = { down: false };
  const dial = async (address: string, name: string): Promise<ObjectPort> => {
    dialled.push(`${name} ${address}`);
    await new Promise<void>((resolve) => clock.after(10, resolve));
    if (network.down) throw new Error('refused');
    const port = new LinkedPort(clock, { table: b.table });
    ports.push(port);
    return port;
  };
  const resolver = new PeerResolver({ clock, local: { node: 'a', table: a.table }, dial, ...options });
  return { clock, a, b, dialled, ports, network, resolver, ...runs(clock) };
}

function node(name: string, seed: number) {
  const incarnation = `${seed}`.repeat(16);
  const table = new ObjectTable({ incarnation, entropy: seededEntropy(seed) });
  const put = (bytes: Uint8Array): string => {
    const id = table.put({ job: 1, session: 's1' }, bytes);
    return formatObjectKey({ node: name, incarnation, id, size: bytes.length, address: `memory:${name}` });
  };
  return { table, put };
}

function runs(clock: VirtualClock) {
  /** The result of a call; 10 ms pass, which is what dialling takes. */
  const done = async <T>(call: Promise<T>): Promise<T> => {
    call.catch(() => {});
    await clock.pass(10);
    return call;
  };
  return { done };
}

describe('PeerResolver', () => {
  it('reads objects of its own node from the table, uncopied and without a link', async () => {
    const { resolver, a, dialled } = setup();
    const bytes = pattern(100);
    const key = a.put(bytes);
    expect(await resolver.get(key)).toBe(bytes);
    expect(await resolver.exists(key)).toBe(true);
    expect(dialled).toEqual([]);
  });

  it('says at once that an object of an older incarnation of its own node is lost', async () => {
    const { resolver, a, dialled } = setup();
    const key = a.put(pattern(1)).replace('1'.repeat(16), '9'.repeat(16));
    await expect(resolver.get(key)).rejects.toMatchObject({ code: 'lost', store: 'a' });
    expect(await resolver.exists(key)).toBe(false);
    expect(dialled).toEqual([]);
  });

  it('fetches an object of another node from there, dialling the address of the key', async () => {
    const { resolver, b, dialled, done } = setup();
    const bytes = pattern(300_000);
    expect(same(await done(resolver.get(b.put(bytes))), bytes)).toBe(true);
    expect(dialled).toEqual(['b memory:b']);
  });

  it('dials once for gets that overlap, and keeps the link', async () => {
    const { resolver, b, dialled, done } = setup();
    const keys = [1, 2, 3].map((size) => b.put(pattern(size)));
    await done(Promise.all(keys.map((key) => resolver.get(key))));
    await done(resolver.exists(keys[0] ?? ''));
    expect(dialled).toHaveLength(1);
  });

  it('fetches each object once per node, and then has its bytes', async () => {
    const { resolver, b, ports, clock, done } = setup();
    const key = b.put(pattern(10));
    const [one, other] = await done(Promise.all([resolver.get(key), resolver.get(key)]));
    expect(one).toBe(other);
    expect(await resolver.get(key)).toBe(one);
    expect(ports[0]?.asked.filter(({ type }) => type === 'object-get')).toHaveLength(1);
    await clock.pass(30_000);
    expect(await resolver.get(key)).toBe(one);
    expect(ports).toHaveLength(1);
  });

  it('says `lost` with the cause when the node cannot be reached, and dials again next time', async () => {
    const { resolver, b, network, dialled, done } = setup();
    const key = b.put(pattern(10));
    network.down = true;
    const other = b.put(pattern(20));
    const [got, asked] = await done(Promise.allSettled([resolver.get(key), resolver.exists(other)]));
    expect(got).toMatchObject({ reason: { code: 'lost', key, store: 'b', cause: new Error('refused') } });
    expect(asked).toMatchObject({ reason: { code: 'lost', key: other } });
    expect(resolver.links).toBe(0);
    network.down = false;
    expect(same(await done(resolver.get(key)), pattern(10))).toBe(true);
    expect(dialled).toHaveLength(2);
  });

  it('lets no forged key with another address come between an honest one and its node', async () => {
    const world = setup();
    const dialled: string[] = [];
    const dial = async (address: string): Promise<ObjectPort> => {
      dialled.push(address);
      if (address !== 'memory:b') return new Promise<never>(() => {});
      return new LinkedPort(world.clock, { table: world.b.table });
    };
    const resolver = new PeerResolver({ clock: world.clock, dial });
    const honest = world.b.put(pattern(300));
    void resolver.get(honest.replace('memory:b', 'memory:evil')).catch(() => {});
    expect(same(await world.done(resolver.get(honest, { timeout: 1_000 })), pattern(300))).toBe(true);
    expect(dialled).toEqual(['memory:evil', 'memory:b']);
    resolver.close();
  });

  it('says `lost` when the link goes under a transfer, and dials again next time', async () => {
    const { resolver, b, ports, clock, done } = setup();
    const key = b.put(pattern(3_000_000));
    await done(resolver.exists(key));
    const call = resolver.get(key);
    call.catch(() => {});
    await Promise.resolve();
    ports[0]?.cut('reset by peer');
    await clock.settle();
    await expect(call).rejects.toMatchObject({ code: 'lost', detail: 'reset by peer' });
    expect(same(await done(resolver.get(key)), pattern(3_000_000))).toBe(true);
    expect(ports).toHaveLength(2);
  });

  it('closes a link that nobody has used for 30 s, and not before', async () => {
    const { resolver, b, ports, clock, done } = setup();
    const key = b.put(pattern(10));
    await done(resolver.exists(key));
    await clock.pass(29_000);
    await done(resolver.exists(key));
    await clock.pass(29_980);
    expect(ports[0]?.closed).toBe(false);
    await clock.pass(20);
    expect(ports[0]?.closed).toBe(true);
    expect(resolver.links).toBe(0);
    await done(resolver.exists(key));
    expect(ports).toHaveLength(2);
  });

  it('does not close a link under a long transfer, though others have ended on it', async () => {
    const { resolver, b, ports, clock, done } = setup({ idle: 100, silence: 1_000 });
    const key = b.put(pattern(3_000_000));
    await done(resolver.exists(key));
    (ports[0] as LinkedPort).mute = true;
    const call = resolver.get(key);
    const short = resolver.exists(key, { timeout: 50 });
    for (const each of [call, short]) each.catch(() => {});
    await clock.pass(500);
    await expect(short).rejects.toMatchObject({ code: 'timeout' });
    expect(ports[0]?.closed).toBe(false);
    await clock.pass(500);
    await expect(call).rejects.toMatchObject({ code: 'timeout' });
  });

  it('counts the time to dial against the timeout of a call, and keeps the link for the next', async () => {
    const { resolver, b, dialled, clock, done } = setup();
    const key = b.put(pattern(10));
    const call = resolver.get(key, { timeout: 5 });
    call.catch(() => {});
    await clock.pass(5);
    await expect(call).rejects.toMatchObject({ code: 'timeout', key, store: 'b' });
    await done(resolver.get(key));
    expect(dialled).toHaveLength(1);
  });

  it('makes room for a new link by closing an unused one, and is full when all are in use', async () => {
    const { resolver, b, ports, clock, done } = setup({ links: 1, silence: 1_000 });
    const key = b.put(pattern(3_000_000));
    const elsewhere = key.replace('.b@', '.c@');
    await done(resolver.exists(key));
    await done(resolver.exists(elsewhere));
    expect(ports[0]?.closed).toBe(true);
    (ports[1] as LinkedPort).mute = true;
    const busy = resolver.get(elsewhere);
    busy.catch(() => {});
    await clock.settle();
    await expect(resolver.get(key)).rejects.toMatchObject({ code: 'full' });
    await clock.pass(1_000);
  });

  it('drops objects of its own node for their own session, and none for another', async () => {
    const { resolver, a } = setup();
    const key = a.put(pattern(10));
    await expect(resolver.drop(key, 's2')).rejects.toMatchObject({ code: 'foreign' });
    expect(await resolver.drop(key, 's1')).toBe(true);
    expect(await resolver.drop(key, 's1')).toBe(false);
  });

  it('may not drop objects of other nodes over a link that speaks for no session', async () => {
    const { resolver, b, done } = setup();
    await expect(done(resolver.drop(b.put(pattern(1)), 's1'))).rejects.toMatchObject({ code: 'foreign' });
  });

  it('closes its links and fails what is under way, also what is being dialled', async () => {
    const { resolver, b, ports, clock } = setup();
    const key = b.put(pattern(10));
    const call = resolver.get(key);
    call.catch(() => {});
    await clock.settle();
    resolver.close();
    resolver.close();
    await clock.pass(10);
    await expect(call).rejects.toMatchObject({ code: 'closed' });
    await expect(resolver.get(key)).rejects.toMatchObject({ code: 'closed' });
    expect(ports[0]?.closed).toBe(true);
    expect(clock.waiting).toBe(0);
  });

  it('holds no objects itself in a coordinator', async () => {
    const clock = virtualClock();
    const { b } = setup();
    const dial = async (): Promise<ObjectPort> => new LinkedPort(clock, { table: b.table, session: 's1' });
    const resolver = new PeerResolver({ clock, dial });
    const key = b.put(pattern(10));
    expect(same(await runs(clock).done(resolver.get(key)), pattern(10))).toBe(true);
    expect(await runs(clock).done(resolver.drop(key, 's1'))).toBe(true);
  });
});
