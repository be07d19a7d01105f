import type { Clock, RefHook } from '@muster/rexi';
import { ByteCache } from './byte-cache.ts';
import type { ByteStore, CallOptions, PutOptions } from './connector.ts';
import { StoreError } from './errors.ts';
import { checkKeyText } from './object-key.ts';
import { ObjectRef, refHook, type Resolver } from './object-ref.ts';
import { SingleFlight } from './single-flight.ts';

/** Values as bytes. `decode` must not keep views on what it is given: those bytes are shared with the cache. */
export interface StoreCodec {
  encode(value: unknown): Uint8Array;
  decode(bytes: Uint8Array): unknown;
}

export interface StoreOptions {
  /** Named in errors. */
  readonly name: string;
  /** Becomes the store's: it is closed with it. */
  readonly connector: ByteStore;
  /** Makes the codec, given the hook that turns references inside values into keys and back into references of this store. */
  readonly codec: (refs: RefHook) => StoreCodec;
  readonly clock: Clock;
  /** Most bytes of the cache, 64 MiB by default; 0: none. Objects above a quarter of it are not cached. */
  readonly cacheBytes?: number;
}

/**
 * Values by reference, over any connector. What is cached is *bytes*, and every get decodes anew: a value belongs to
 * whoever got it and may be changed by him, which a shared one may not (deep freezing reaches neither Map, Date nor
 * typed arrays). Objects are written once, so cached bytes are never wrong; whether one still exists, the server says.
 */
export class Store implements Resolver {
  readonly name: string;
  readonly #connector: ByteStore;
  readonly #codec: StoreCodec;
  readonly #cache: ByteCache;
  readonly #fetches: SingleFlight<Uint8Array>;
  #drops = 0;
  #closed = false;

  constructor({ name, connector, codec, clock, cacheBytes }: StoreOptions) {
    this.name = name;
    this.#connector = connector;
    this.#codec = codec(refHook(this));
    this.#cache = new ByteCache(cacheBytes);
    this.#fetches = new SingleFlight(clock);
  }

  /** Keeps a value and returns its reference. @throws what the codec refuses (`not_serializable`), StoreError `full` */
  async put<T>(value: T, options: PutOptions = {}): Promise<ObjectRef<T>> {
    this.#mustBeOpen();
    const bytes = this.#codec.encode(value);
    return new ObjectRef<T>(await this.#connector.put(bytes, options), this, bytes.length);
  }

  /** A reference to an object known by its key. Fetches nothing. @throws StoreError `bad_key` */
  ref<T>(key: string): ObjectRef<T> {
    return new ObjectRef<T>(key, this);
  }

  /**
   * The value under a key, decoded anew. Calls that overlap are one fetch; one that failed is tried again next time.
   * @throws StoreError `missing`, `evicted`, `lost`, `timeout`, `cancelled`, `corrupt`, `bad_key` or `closed`.
   */
  async get(key: string, options: CallOptions = {}): Promise<unknown> {
    this.#mustBeOpen(key);
    const bytes = this.#cache.get(checkKeyText(key)) ?? (await this.#fetch(key, options));
    try {
      return this.#codec.decode(bytes);
    } catch (cause) {
      throw new StoreError('corrupt', { key, store: this.name, detail: 'they do not decode', cause });
    }
  }

  /** Asks the connector, never the cache. */
  async exists(key: string, options: CallOptions = {}): Promise<boolean> {
    this.#mustBeOpen(key);
    return this.#connector.exists(checkKeyText(key), options);
  }

  /** Evicts the object, here at once. A key that is not there is no error. */
  async drop(key: string, options: CallOptions = {}): Promise<void> {
    this.#mustBeOpen(key);
    this.#drops += 1;
    this.#cache.delete(checkKeyText(key));
    await this.#connector.evict(key, options);
  }

  /** Refuses what comes from now on and closes the connector. Nothing that is stored is dropped. May be called twice. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#cache.clear();
    await this.#connector.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #fetch(key: string, options: CallOptions): Promise<Uint8Array> {
    const about = { key, store: this.name };
    return this.#fetches.run(key, options, about, async (signal) => {
      const drops = this.#drops;
      const bytes = await this.#connector.get(key, { signal });
      if (bytes === undefined) throw new StoreError('missing', about);
      // What was dropped meanwhile must not come back by way of the cache.
      if (drops === this.#drops && !this.#closed) this.#cache.set(key, bytes);
      return bytes;
    });
  }

  #mustBeOpen(key?: string): void {
    if (this.#closed) throw new StoreError('closed', { key, store: this.name, detail: 'it was closed' });
  }
}
