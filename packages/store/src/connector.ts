/**
 * Bytes by key: the seam under every store. All bundled ones, and those of users, pass one suite (`@muster/store/testing`).
 * Objects are written once and read many times. Bytes change hands uncopied: what was given to `put` or came from `get`
 * must not be changed afterwards.
 */
export interface Connector {
  readonly name: string;
  /**
   * Keeps the bytes and returns their key: new each time, under 150 bytes of printable ASCII, never to be guessed.
   * @throws StoreError `full` without having kept anything.
   */
  put(bytes: Uint8Array, options?: CallOptions): Promise<string>;
  /**
   * The bytes, or undefined where there are none under this key.
   * @throws StoreError where the connector knows more than that: `evicted`, `lost`, `timeout`, …
   */
  get(key: string, options?: CallOptions): Promise<Uint8Array | undefined>;
  exists(key: string, options?: CallOptions): Promise<boolean>;
  /** A key that is not there is no error. */
  evict(key: string, options?: CallOptions): Promise<void>;
  /** Ends this connector; never stops a shared server and never wipes shared data. May be called twice. */
  close(): Promise<void>;
}

export interface CallOptions {
  readonly signal?: AbortSignal | undefined;
  /** Milliseconds for this call. */
  readonly timeout?: number | undefined;
}
