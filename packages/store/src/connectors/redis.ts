import type { Backend } from '../backend.ts';
import { BackendConnector, type ConnectorSeams } from '../backend-connector.ts';
import type { Connector } from '../connector.ts';
import { StoreError, type StoreErrorCode } from '../errors.ts';
import { importPeer } from './import-peer.ts';

export interface RedisConnectorOptions extends ConnectorSeams {
  /** `redis://user:password@host:port/database`, `rediss:` for TLS. Default `redis://127.0.0.1:6379`. */
  readonly url?: string;
  /** Instead: addresses of some nodes of a cluster. */
  readonly cluster?: readonly string[];
  /** Named in keys and errors. Default `redis`. */
  readonly name?: string;
  /** Begins each key in Redis: all that the connector's user need be allowed. Default `muster:`. */
  readonly prefix?: string;
  /** Milliseconds after which an object is gone by itself. Default: never. */
  readonly ttl?: number;
  /** Milliseconds for connecting, and for a call that says none itself. Default 10 s. */
  readonly timeout?: number;
}

/** The five commands of the connector, which are also all that its user need be allowed. */
interface Commands {
  get(key: string): Promise<Buffer | null>;
  set(key: string, value: Buffer, options?: object): Promise<unknown>;
  strLen(key: string): Promise<number>;
  exists(key: string): Promise<number>;
  unlink(key: string): Promise<number>;
}

interface Client extends Commands {
  on(event: 'error', heard: (error: Error) => void): void;
  connect(): Promise<unknown>;
  destroy(): void;
  withTypeMapping(mapping: object): Commands;
}

/** Bytes of the largest string that Redis takes, unless it is told otherwise. */
const largest = 512 * 2 ** 20;

/**
 * Bytes in a Redis or Valkey, alone or a cluster. Needs the package `@redis/client`. Commands of one turn leave together,
 * each with its own reply; keys are neither listed nor flushed. A server at its `maxmemory` without a policy that evicts
 * refuses with `full`; with one that does, objects may go `missing`.
 * @throws ClusterError `bad_options` where `@redis/client` is not installed, StoreError `lost` where nobody answers.
 */
export async function redisConnector(options: RedisConnectorOptions = {}): Promise<Connector> {
  const { name = 'redis', prefix = 'muster:', timeout = 10_000, ttl, clock, entropy } = options;
  const { url = 'redis://127.0.0.1:6379', cluster } = options;
  const library = await importPeer('redis', '@redis/client', () => import('@redis/client'));
  const state = { reached: false };
  // The first time nobody waits for a server that is not there; later it may be restarting.
  const reconnectStrategy = (tries: number, cause: Error): number | Error =>
    state.reached ? Math.min(2_000, 50 * 2 ** tries) : cause;
  const common = { disableOfflineQueue: true, socket: { connectTimeout: timeout, reconnectStrategy } };
  const client = (cluster === undefined
    ? library.createClient({ ...common, url })
    : library.createCluster({ rootNodes: cluster.map((url) => ({ url })), defaults: common })) as unknown as Client;
  // Each call says itself what failed.
  client.on('error', () => {});
  try {
    await client.connect();
  } catch (cause) {
    throw new StoreError('lost', { store: name, detail: `no Redis answers: ${(cause as Error).message}`, cause });
  }
  state.reached = true;
  const commands = client.withTypeMapping({ [library.RESP_TYPES.BLOB_STRING]: Buffer });
  const own = cluster === undefined ? { url } : { cluster };
  return new BackendConnector({
    clock,
    entropy,
    timeout,
    backend: new RedisBackend(client, commands, prefix, ttl),
    config: { kind: 'redis', name, ...own, prefix, timeout, ...(ttl === undefined ? {} : { ttl }) },
    capabilities: { reach: 'network', durable: true, largest },
  });
}

class RedisBackend implements Backend {
  readonly #client: Client;
  readonly #commands: Commands;
  readonly #prefix: string;
  readonly #expiry: object | undefined;

  constructor(client: Client, commands: Commands, prefix: string, ttl: number | undefined) {
    this.#client = client;
    this.#commands = commands;
    this.#prefix = prefix;
    this.#expiry = ttl === undefined ? undefined : { expiration: { type: 'PX', value: ttl } };
  }

  async read(id: string): Promise<Uint8Array | undefined> {
    return (await this.#commands.get(this.#prefix + id)) ?? undefined;
  }

  async write(id: string, bytes: Uint8Array): Promise<void> {
    const value = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    await this.#commands.set(this.#prefix + id, value, this.#expiry);
  }

  async size(id: string): Promise<number | undefined> {
    const key = this.#prefix + id;
    const size = await this.#commands.strLen(key);
    // 0 is what is said of an empty object and of none.
    return size > 0 || (await this.#commands.exists(key)) === 1 ? size : undefined;
  }

  async remove(id: string): Promise<void> {
    await this.#commands.unlink(this.#prefix + id);
  }

  async close(): Promise<void> {
    this.#client.destroy();
  }

  codeOf(error: unknown): StoreErrorCode | undefined {
    return error instanceof Error && error.message.startsWith('OOM') ? 'full' : undefined;
  }
}
