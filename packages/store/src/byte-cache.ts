import { ClusterError } from '@muster/rexi';
import { ownBytes } from './own-bytes.ts';

const MiB = 2 ** 20;

/** What an entry costs beside its bytes, so that a million empty ones are bounded as well. */
export const entryOverhead = 128;

/** Bytes by key, at most `limit` of them: what was not used for longest goes first. */
export class ByteCache {
  readonly limit: number;
  readonly #largest: number;
  /** In the order of use, oldest first: a Map keeps the order of insertion. */
  readonly #entries = new Map<string, Uint8Array>();
  #used = 0;

  /**
   * @param limit Bytes, 64 MiB by default; 0 caches nothing.
   * @param largest Bytes of the largest object worth it, by default a quarter: one object must not empty the cache.
   * @throws ClusterError `bad_options` for a limit that is no number from 0.
   */
  constructor(limit: number = 64 * MiB, largest: number = limit / 4) {
    if (!(limit >= 0)) throw new ClusterError('bad_options', `A cache takes a limit of 0 bytes or more, not ${limit}.`);
    this.limit = limit;
    this.#largest = largest;
  }

  /** Bytes kept, with what their entries cost. */
  get used(): number {
    return this.#used;
  }

  get(key: string): Uint8Array | undefined {
    const bytes = this.#entries.get(key);
    if (bytes === undefined) return undefined;
    this.#entries.delete(key);
    this.#entries.set(key, bytes);
    return bytes;
  }

  set(key: string, bytes: Uint8Array): void {
    this.delete(key);
    const cost = bytes.length + entryOverhead;
    if (bytes.length > this.#largest || cost > this.limit) return;
    this.#makeRoom(cost);
    this.#entries.set(key, ownBytes(bytes));
    this.#used += cost;
  }

  delete(key: string): void {
    const bytes = this.#entries.get(key);
    if (bytes === undefined) return;
    this.#entries.delete(key);
    this.#used -= bytes.length + entryOverhead;
  }

  clear(): void {
    this.#entries.clear();
    this.#used = 0;
  }

  #makeRoom(cost: number): void {
    for (const key of this.#entries.keys()) {
      if (this.#used + cost <= this.limit) return;
      this.delete(key);
    }
  }
}
