import type { RefHook } from '@muster/rexi';
import type { CallOptions } from './connector.ts';
import { StoreError } from './errors.ts';
import { checkKeyText, looksLikeObjectKey, parseObjectKey } from './object-key.ts';

/** Who turns keys into values: a store. */
export interface Resolver {
  /** @throws StoreError `missing`, `evicted`, `lost`, `timeout`, `cancelled`, `corrupt` or `closed`. */
  get(key: string, options: CallOptions): Promise<unknown>;
  exists(key: string, options: CallOptions): Promise<boolean>;
  /** A key that is not there any more is no error. */
  drop(key: string, options: CallOptions): Promise<void>;
}

/** In the global registry, so that two copies of this package know each other's references. */
const brand = Symbol.for('muster.object-ref');
const inspect = Symbol.for('nodejs.util.inspect.custom');

/**
 * A value that stays where it was made: a small frozen key which travels in arguments, rows and replies, and resolves
 * where it is used. It has no `then`, so returning or awaiting it fetches nothing; `await using` drops the object.
 */
export class ObjectRef<T = unknown> {
  /** Under 150 bytes of printable ASCII; all that is ever sent of a reference. */
  readonly key: string;
  /** Bytes of the packed object; undefined where neither the key nor the store says. */
  readonly size: number | undefined;
  readonly #resolver: Resolver | undefined;

  /** @throws StoreError `bad_key` */
  constructor(key: string, resolver?: Resolver, size?: number) {
    this.key = checkKeyText(key);
    this.size = looksLikeObjectKey(key) ? parseObjectKey(key).size : size;
    this.#resolver = resolver;
    Object.freeze(this);
  }

  /** The value, decoded anew for each call: changing it changes nobody else's. @throws StoreError, see `Resolver.get`. */
  async get(options: CallOptions = {}): Promise<T> {
    return (await this.#bound().get(this.key, options)) as T;
  }

  /** Whether the object is there now; asks its holder, never a cache. */
  async exists(options: CallOptions = {}): Promise<boolean> {
    return this.#bound().exists(this.key, options);
  }

  /** Releases the object. May be called twice. @throws StoreError `foreign` when another session owns it. */
  async drop(options: CallOptions = {}): Promise<void> {
    await this.#bound().drop(this.key, options);
  }

  toJSON(): string {
    return this.key;
  }

  toString(): string {
    return `ObjectRef(${this.key})`;
  }

  /**
   * Drops the object at the end of an `await using` scope. A node that is gone is no error here: what it held is gone
   * as well, or goes with the session, and the scope may be ending because of that very loss.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    try {
      await this.drop();
    } catch (error) {
      if (!(error instanceof Error && 'code' in error && error.code === 'lost')) throw error;
    }
  }

  #bound(): Resolver {
    if (this.#resolver) return this.#resolver;
    const detail = 'the reference is not bound to one: take it where the cluster delivered it, or use store.ref(key)';
    throw new StoreError('closed', { key: this.key, detail });
  }
}

Object.defineProperties(ObjectRef.prototype, {
  [brand]: { value: true },
  [inspect]: {
    value(this: ObjectRef): string {
      return this.toString();
    },
  },
});

/** Whether `value` is a reference, made by this copy of the package or another. */
export function isObjectRef(value: unknown): value is ObjectRef {
  return typeof value === 'object' && value !== null && (value as Record<symbol, unknown>)[brand] === true;
}

/** The hook for a value codec: references leave as keys and arrive bound to `resolver`. */
export function refHook(resolver: Resolver): RefHook {
  return {
    encode: (value) => (isObjectRef(value) ? checkKeyText(value.key) : undefined),
    decode: (key) => new ObjectRef(key, resolver),
  };
}
