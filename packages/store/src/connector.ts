import type { StoreError } from './errors.ts';

/** Bytes by key: the five calls that a store needs. Whatever keeps the bytes of a `Store` has them. */
export interface ByteStore {
  readonly name: string;
  /**
   * Keeps the bytes and returns their key: new each time, under 150 bytes of printable ASCII, never to be guessed. They are
   * not copied: what was given must not be changed afterwards.
   * @throws StoreError `full` without having kept anything. A put that fails in another way, or whose caller has left, is undone.
   */
  put(bytes: Uint8Array, options?: PutOptions): Promise<string>;
  /**
   * The bytes, not to be changed, or undefined where there are none under this key.
   * @throws StoreError where the connector knows more than that: `evicted`, `lost`, `timeout`, …
   */
  get(key: string, options?: CallOptions): Promise<Uint8Array | undefined>;
  exists(key: string, options?: CallOptions): Promise<boolean>;
  /** A key that is not there is no error. */
  evict(key: string, options?: CallOptions): Promise<void>;
  /** Lets what is under way finish, then ends; never stops a shared server and never wipes shared data. May be called twice. */
  close(): Promise<void>;
}

/**
 * The seam under every store. All bundled connectors, and those of users, pass one suite (`@muster/store/testing`). Objects
 * are written once and read many times.
 */
export interface Connector extends ByteStore {
  readonly capabilities: Capabilities;
  /** What is known of an object without reading it, or undefined where there is none. */
  stat(key: string, options?: CallOptions): Promise<ObjectStat | undefined>;
  /**
   * Keeps many objects: a reply for each, in order. One that fails hurts no other and leaves nothing behind.
   * @throws StoreError only where the whole call was refused or has ended early (`closed`, `cancelled`, `timeout`): nothing is kept.
   */
  putBatch(objects: readonly Uint8Array[], options?: PutOptions): Promise<Reply<string>[]>;
  /** Reads many objects: a reply for each, in order. @throws StoreError as `putBatch` does. */
  getBatch(keys: readonly string[], options?: CallOptions): Promise<Reply<Uint8Array | undefined>[]>;
  /** A key for an object that is to come. Where the connector is `deferrable`. */
  newKey?(options?: PutOptions): Promise<string>;
  /**
   * Keeps the object of a key that `newKey` made, once. What is kept when it is set twice is not said; one that fails may or
   * may not have been kept. Where the connector is `deferrable`.
   */
  set?(key: string, bytes: Uint8Array, options?: PutOptions): Promise<void>;
  /**
   * Plain data from which `openConnector` makes another such connector, in any process that its `reach` covers. It holds the
   * credentials that this one was opened with.
   */
  config(): ConnectorConfig;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for this call; by default the connector's own. */
  readonly timeout?: number | undefined;
}

export interface PutOptions extends CallOptions {
  /** What the object is, in words that the policies of a multi connector know. Others pass over them. */
  readonly tags?: readonly string[] | undefined;
}

/** What a connector can do, for those who choose one. */
export interface Capabilities {
  /** Who sees the same objects through a connector made from the same config: nobody, every process here, or everybody. */
  readonly reach: 'instance' | 'machine' | 'network';
  /** Whether objects outlive the processes that keep them. */
  readonly durable: boolean;
  /** Whether there are `newKey` and `set`. */
  readonly deferrable: boolean;
  /** Bytes of the largest object; one above is refused with `full`. */
  readonly largest: number;
}

export interface ObjectStat {
  /** Bytes. */
  readonly size: number;
}

/** What became of one item of a batch. */
export type Reply<T> = { readonly ok: true; readonly value: T } | { readonly ok: false; readonly error: StoreError };

/** A connector as plain data: JSON, structured clone and msgpack all keep it. */
export interface ConnectorConfig {
  /** Which connector: `memory`, `file`, `lmdb`, `redis`, `nats`, `multi`, or one that was registered. */
  readonly kind: string;
  /** Named in keys and errors. */
  readonly name: string;
  /** The connector's own options. */
  readonly [option: string]: unknown;
}
