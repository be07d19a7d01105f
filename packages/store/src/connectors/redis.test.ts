import { createClient } from '@redis/client';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectorSuite } from '../testing/index.ts';
import { pattern, same } from '../testing/pattern.ts';
import { lacks, poll, startRedis, type TestServer } from '../testing/servers.ts';
import type { Connector } from '../connector.ts';
import { redisConnector } from './redis.ts';

describe.skipIf(lacks('redis-server'))('On a real Redis', () => {
  let server: TestServer;
  let small: TestServer;
  let admin: ReturnType<typeof createClient>;
  let prefixes = 0;
  const prefix = (): string => `test-${(prefixes += 1)}:`;
  const keysOf = async (connector: Connector): Promise<number> =>
    (await admin.keys(`${connector.config()['prefix'] as string}*`)).length;

  beforeAll(async () => {
    [server, small] = await Promise.all([startRedis(), startRedis()]);
    admin = createClient({ url: server.url });
    await admin.connect();
    const bound = createClient({ url: small.url });
    await bound.connect();
    const used = Number(/used_memory:(\d+)/.exec(await bound.info('memory'))?.[1]);
    await bound.configSet('maxmemory', `${used + 900_000}`);
    bound.destroy();
  });
  afterAll(async () => {
    admin.destroy();
    await Promise.all([server.stop(), small.stop()]);
  });

  connectorSuite({ describe, it }, 'redisConnector', {
    open: () => redisConnector({ url: server.url, prefix: prefix() }),
    openSmall: () => redisConnector({ url: small.url, prefix: prefix() }),
    count: (connector) => (connector.config()['url'] === server.url ? keysOf(connector) : 1),
  });

  it('has its objects gone by themselves after their time', async () => {
    const connector = await redisConnector({ url: server.url, prefix: prefix(), ttl: 60_000 });
    const key = await connector.put(pattern(10));
    const [name = ''] = await admin.keys(`${connector.config()['prefix'] as string}*`);
    expect(name.endsWith(key.slice('redis.'.length))).toBe(true);
    expect(await admin.pTTL(name)).toBeGreaterThan(50_000);
    await connector.close();
  });

  it('needs a user who may do nothing but its five commands under its prefix', async () => {
    await admin.aclSetUser('narrow', [
      'on',
      '>secret',
      '~narrow:*',
      '-@all',
      '+get',
      '+set',
      '+strlen',
      '+exists',
      '+unlink',
    ]);
    const url = server.url.replace('//', '//narrow:secret@');
    const connector = await redisConnector({ url, prefix: 'narrow:' });
    const replies = await connector.putBatch([pattern(10), pattern(20)]);
    const keys = replies.map((reply) => (reply.ok ? reply.value : reply.error.message));
    expect((await connector.getBatch(keys)).map((reply) => reply.ok && reply.value?.length)).toEqual([10, 20]);
    await connector.evict(keys[0] ?? '');
    expect(await connector.exists(keys[0] ?? '')).toBe(false);
    await connector.close();
    const beside = await redisConnector({ url, prefix: 'beside:' });
    await expect(beside.put(pattern(1))).rejects.toMatchObject({
      code: 'lost',
      detail: expect.stringContaining('NOPERM'),
    });
    await beside.close();
  });

  it('fails in time when the server says nothing, at once when it is gone, and goes on with the next', async () => {
    const own = await startRedis();
    const connector = await redisConnector({ url: own.url, timeout: 200 });
    const key = await connector.put(pattern(10));
    await own.freeze();
    await expect(connector.get(key)).rejects.toMatchObject({ code: 'timeout' });
    own.thaw();
    expect(same(await connector.get(key), pattern(10))).toBe(true);
    await own.stop();
    await expect(connector.get(key)).rejects.toMatchObject({ code: 'lost' });
    const next = await startRedis([], own.port);
    await expect
      .poll(() => connector.get(key).catch(({ code }: { code: string }) => code), { timeout: 10_000 })
      .toBe(undefined);
    await connector.close();
    await next.stop();
  });

  it('says at once that there is no server', async () => {
    await expect(redisConnector({ url: 'redis://127.0.0.1:1' })).rejects.toMatchObject({
      code: 'lost',
      store: 'redis',
    });
  });
});

describe.skipIf(lacks('redis-server'))('On a cluster of two', () => {
  let servers: TestServer[] = [];

  beforeAll(async () => {
    servers = await Promise.all([1, 2].map(() => startRedis(['--cluster-enabled', 'yes'])));
    const clients = servers.map(({ url }) => createClient({ url }));
    const [a, b] = await Promise.all(clients.map((client) => client.connect()));
    await a?.clusterAddSlotsRange({ start: 0, end: 8191 });
    await b?.clusterAddSlotsRange({ start: 8192, end: 16383 });
    await a?.clusterMeet('127.0.0.1', servers[1]?.port ?? 0);
    for (const client of clients) {
      await poll(async () => (await client.clusterInfo()).includes('cluster_state:ok') || undefined);
      client.destroy();
    }
  }, 30_000);
  afterAll(() => Promise.all(servers.map((server) => server.stop())));

  connectorSuite({ describe, it }, 'redisConnector', {
    open: () => redisConnector({ cluster: servers.map(({ url }) => url) }),
    seeds: [1],
  });
});
