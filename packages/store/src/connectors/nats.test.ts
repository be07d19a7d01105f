import { jetstreamManager, type JetStreamManager } from '@nats-io/jetstream';
import { connect, type NatsConnection } from '@nats-io/transport-node';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { connectorSuite } from '../testing/index.ts';
import { pattern, same } from '../testing/pattern.ts';
import { lacks, startNats, type TestServer } from '../testing/servers.ts';
import { natsConnector } from './nats.ts';

describe.skipIf(lacks('nats-server'))('On a real NATS server', () => {
  let server: TestServer;
  let connection: NatsConnection;
  let manager: JetStreamManager;
  let streams = 0;
  const options = (): { servers: string[]; stream: string } => ({
    servers: [server.url],
    stream: `T${(streams += 1)}`,
  });

  beforeAll(async () => {
    server = await startNats();
    connection = await connect({ servers: server.url });
    manager = await jetstreamManager(connection);
  });
  afterAll(async () => {
    await connection.close();
    await server.stop();
  });

  connectorSuite({ describe, it }, 'natsConnector', {
    open: () => natsConnector(options()),
    openSmall: () => natsConnector({ ...options(), budget: 200_000 }),
    async count(connector) {
      const stream = connector.config()['stream'] as string;
      const { state } = await manager.streams.info(stream, { subjects_filter: `${stream}.*.0` });
      const objects = Object.keys(state.subjects ?? {}).length;
      const chunks = await manager.streams.info(stream, { subjects_filter: `${stream}.*.*` });
      // Chunks of an object that is not there count as well.
      const ids = new Set(Object.keys(chunks.state.subjects ?? {}).map((subject) => subject.split('.')[1]));
      return ids.size === objects ? objects : Number.NaN;
    },
  });

  it('cuts what is larger than a message, and leaves nothing of it when it is evicted', async () => {
    const { stream, ...rest } = options();
    const connector = await natsConnector({ ...rest, stream });
    const key = await connector.put(pattern(3_000_000));
    expect((await manager.streams.info(stream)).state.messages).toBe(12);
    expect(same(await connector.get(key), pattern(3_000_000))).toBe(true);
    await connector.evict(key);
    expect((await manager.streams.info(stream)).state).toMatchObject({ messages: 0, bytes: 0 });
    await connector.close();
  });

  it("does not touch somebody else's stream", async () => {
    await manager.streams.add({ name: 'THEIRS', subjects: ['theirs.>'] });
    const failure = natsConnector({ servers: [server.url], stream: 'THEIRS' });
    await expect(failure).rejects.toMatchObject({ code: 'bad_options' });
  });

  it('fails in time when the server says nothing', async () => {
    const own = await startNats();
    const connector = await natsConnector({ servers: [own.url], timeout: 200 });
    const key = await connector.put(pattern(10));
    await own.freeze();
    await expect(connector.get(key)).rejects.toMatchObject({ code: 'timeout' });
    own.thaw();
    expect(same(await connector.get(key, { timeout: 5_000 }), pattern(10))).toBe(true);
    await connector.close();
    await own.stop();
  });

  it('says at once that there is no server', async () => {
    const failure = natsConnector({ servers: ['nats://127.0.0.1:1'] });
    await expect(failure).rejects.toMatchObject({ code: 'lost', store: 'nats' });
  });
});
