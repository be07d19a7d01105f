import type { JetStreamClient, JetStreamManager, StoredMsg } from '@nats-io/jetstream';
import type { NatsConnection } from '@nats-io/transport-node';
import { ClusterError } from '@muster/rexi';
import { settleEach, type Backend } from '../backend.ts';
import { BackendConnector, type ConnectorSeams } from '../backend-connector.ts';
import type { Connector } from '../connector.ts';
import { StoreError, type StoreErrorCode } from '../errors.ts';
import { importPeer } from './import-peer.ts';

export interface NatsConnectorOptions extends ConnectorSeams {
  /** Addresses of servers. Default `nats://127.0.0.1:4222`. */
  readonly servers?: readonly string[];
  readonly user?: string;
  readonly password?: string;
  readonly token?: string;
  /** Named in keys and errors. Default `nats`. */
  readonly name?: string;
  /** The JetStream stream that holds the objects; made when it is not there, and never changed or removed. Default `MUSTER`. */
  readonly stream?: string;
  /** Copies of each object, when the stream is made. Default 1. */
  readonly replicas?: number;
  /** Most bytes in the stream, when it is made: a put above is refused. Default: what the server allows. */
  readonly budget?: number;
  /** Milliseconds for connecting, and for a call that says none itself. Default 10 s. */
  readonly timeout?: number;
}

/** Bytes of a message. The server's own bound is 1 MiB, unless it is told otherwise. */
const chunkBytes = 256 * 1024;
/** Chunks of one object that are under way. */
const chunksUnderWay = 8;
/** Says in the first message of an object in several how many bytes it has. */
const sizeHeader = 'Muster-Size';

/** The errors of JetStream, by number, that mean that there is no room: account, server, disk, stream. */
const fullCodes = [10_002, 10_023, 10_028, 10_047, 10_077, 10_122];

/**
 * Bytes as messages of a JetStream stream, which is what the object and key-value stores of NATS are made of; unlike these it
 * leaves no marker of what was evicted. Needs `@nats-io/transport-node` and `@nats-io/jetstream`. Objects above 256 KiB are
 * several messages, and are there when the last was acknowledged. A stream at its bound refuses with `full`.
 * @throws ClusterError `bad_options` where a package is not installed, or for a stream that is none of ours; StoreError `lost`.
 */
export async function natsConnector(options: NatsConnectorOptions = {}): Promise<Connector> {
  const { name = 'nats', servers = ['nats://127.0.0.1:4222'], stream = 'MUSTER', timeout = 10_000 } = options;
  const { clock, entropy, user, password, token, replicas = 1, budget } = options;
  const transport = await importPeer('nats', '@nats-io/transport-node', () => import('@nats-io/transport-node'));
  const library = await importPeer('nats', '@nats-io/jetstream', () => import('@nats-io/jetstream'));
  const credentials = defined({ user, pass: password, token });
  let connection: NatsConnection | undefined;
  try {
    connection = await transport.connect({ servers: [...servers], timeout, maxReconnectAttempts: -1, ...credentials });
    const manager = await library.jetstreamManager(connection, { timeout });
    const direct = await haveStream(manager, stream, { num_replicas: replicas, max_bytes: budget ?? -1 });
    const client = library.jetstream(connection, { timeout });
    const sized = (size: number): ReturnType<typeof transport.headers> => {
      const headers = transport.headers();
      headers.set(sizeHeader, String(size));
      return headers;
    };
    const chunk = Math.min(chunkBytes, (connection.info?.max_payload ?? chunkBytes) - 1024);
    return new BackendConnector({
      clock,
      entropy,
      timeout,
      backend: new NatsBackend({ connection, manager, client, stream, direct, chunk, sized }),
      config: { kind: 'nats', name, servers, stream, replicas, timeout, ...defined({ user, password, token, budget }) },
      capabilities: { reach: 'network', durable: true, largest: 2 ** 30 },
    });
  } catch (cause) {
    await connection?.close();
    if (cause instanceof ClusterError) throw cause;
    throw new StoreError('lost', { store: name, detail: `no JetStream answers: ${(cause as Error).message}`, cause });
  }
}

/** Finds the stream or makes it. True when any of its copies may be asked: with several, only its leader knows the newest. */
async function haveStream(
  manager: JetStreamManager,
  name: string,
  { num_replicas, max_bytes }: { num_replicas: number; max_bytes: number },
): Promise<boolean> {
  const subjects = [`${name}.*.*`];
  const { config } = await manager.streams.info(name).catch(() =>
    manager.streams.add({
      name,
      subjects,
      num_replicas,
      max_bytes,
      allow_direct: true,
      max_msgs_per_subject: 1,
      // Nothing goes to make room for something else.
      discard: 'new',
    }),
  );
  if (config.subjects?.[0] !== subjects[0] || config.discard !== 'new' || config.max_age > 0) {
    const sentence = `The stream ${name} is there, and is none that keeps objects: give another name as "stream".`;
    throw new ClusterError('bad_options', sentence);
  }
  return config.num_replicas === 1 && config.allow_direct;
}

interface NatsParts {
  readonly connection: NatsConnection;
  readonly manager: JetStreamManager;
  readonly client: JetStreamClient;
  readonly stream: string;
  readonly direct: boolean;
  readonly chunk: number;
  readonly sized: (size: number) => object;
}

class NatsBackend implements Backend {
  readonly #parts: NatsParts;

  constructor(parts: NatsParts) {
    this.#parts = parts;
  }

  async read(id: string): Promise<Uint8Array | undefined> {
    const first = await this.#message(id, 0);
    if (first === undefined) return undefined;
    const size = sizeOf(first);
    if (size === first.data.length) return first.data;
    // What the writer's chunks were is told by the first, whatever this server's bound is.
    const rest = Array.from({ length: Math.ceil(size / first.data.length) - 1 }, (_, index) => index + 1);
    const outcomes = await settleEach(rest, chunksUnderWay, (index) => this.#message(id, index));
    const chunks = [first, ...outcomes.map(valueOf)];
    // One that is not there was evicted meanwhile.
    if (!chunks.every((chunk) => chunk !== undefined)) return undefined;
    return Buffer.concat(
      chunks.map(({ data }) => data),
      size,
    );
  }

  /** The first chunk comes last: with it the object is there. */
  async write(id: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const { client, chunk, sized } = this.#parts;
    const count = Math.ceil(bytes.length / chunk);
    for (let at = 1; at < count; at += chunksUnderWay) {
      signal.throwIfAborted();
      const indexes = Array.from({ length: Math.min(chunksUnderWay, count - at) }, (_, n) => at + n);
      const parts = indexes.map((index) =>
        client.publish(this.#subject(id, index), bytes.subarray(index * chunk, (index + 1) * chunk)),
      );
      // All of them, before one that failed is undone.
      for (const outcome of await Promise.allSettled(parts)) valueOf(outcome);
    }
    signal.throwIfAborted();
    const options = count > 1 ? { headers: sized(bytes.length) as never } : {};
    await client.publish(this.#subject(id, 0), bytes.subarray(0, chunk), options);
  }

  async size(id: string): Promise<number | undefined> {
    const first = await this.#message(id, 0);
    return first && sizeOf(first);
  }

  async remove(id: string): Promise<void> {
    const { manager, stream } = this.#parts;
    await manager.streams.purge(stream, { filter: `${stream}.${id}.*` });
  }

  async close(): Promise<void> {
    await this.#parts.connection.close();
  }

  codeOf(error: unknown): StoreErrorCode | undefined {
    const { name, code } = error as { name?: string; code?: number };
    if (name === 'TimeoutError') return 'timeout';
    return fullCodes.includes(code ?? 0) ? 'full' : undefined;
  }

  async #message(id: string, index: number): Promise<StoredMsg | undefined> {
    const { manager, stream, direct } = this.#parts;
    const query = { last_by_subj: this.#subject(id, index) };
    const asked = direct ? manager.direct.getMessage(stream, query) : manager.streams.getMessage(stream, query);
    return (await asked) ?? undefined;
  }

  #subject(id: string, index: number): string {
    return `${this.#parts.stream}.${id}.${index}`;
  }
}

function sizeOf({ header, data }: StoredMsg): number {
  const said = header?.get(sizeHeader);
  return said ? Number(said) : data.length;
}

function valueOf<T>(outcome: PromiseSettledResult<T>): T {
  if (outcome.status === 'fulfilled') return outcome.value;
  throw outcome.reason;
}

/** Without what is undefined. */
function defined(options: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return Object.fromEntries(Object.entries(options).filter(([, value]) => value !== undefined));
}
