import type { Entropy } from '@muster/rexi';
import { entryOverhead } from './byte-cache.ts';
import type { CallOptions, Connector } from './connector.ts';
import { StoreError } from './errors.ts';
import { ownBytes } from './own-bytes.ts';
import { refuseAborted } from './single-flight.ts';

export interface MemoryConnectorOptions {
  readonly entropy: Entropy;
  /** Named in keys and errors: printable ASCII without spaces, default `memory`. */
  readonly name?: string;
  /** Most bytes, each object counted with 128 more for its entry. Default 256 MiB. */
  readonly budget?: number;
}

/** Bytes in a Map: the connector of one process. Nothing is copied; keys are random, so no other instance has them. */
export class MemoryConnector implements Connector {
  readonly name: string;
  readonly #entropy: Entropy;
  readonly #budget: number;
  readonly #objects = new Map<string, Uint8Array>();
  #used = 0;
  #closed = false;

  constructor({ entropy, name = 'memory', budget = 256 * 2 ** 20 }: MemoryConnectorOptions) {
    this.#entropy = entropy;
    this.name = name;
    this.#budget = budget;
  }

  /** Bytes kept, with what their entries cost. */
  get used(): number {
    return this.#used;
  }

  async put(bytes: Uint8Array, options: CallOptions = {}): Promise<string> {
    this.#check(options);
    const cost = bytes.length + entryOverhead;
    if (this.#used + cost > this.#budget) {
      const detail = `${cost} bytes more than ${this.#used} exceed the budget of ${this.#budget}`;
      throw new StoreError('full', { store: this.name, detail });
    }
    const key = `${this.name}.${Buffer.from(this.#entropy.bytes(16)).toString('base64url')}`;
    this.#objects.set(key, ownBytes(bytes));
    this.#used += cost;
    return key;
  }

  async get(key: string, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    this.#check(options, key);
    return this.#objects.get(key);
  }

  async exists(key: string, options: CallOptions = {}): Promise<boolean> {
    this.#check(options, key);
    return this.#objects.has(key);
  }

  async evict(key: string, options: CallOptions = {}): Promise<void> {
    this.#check(options, key);
    const bytes = this.#objects.get(key);
    if (bytes === undefined) return;
    this.#objects.delete(key);
    this.#used -= bytes.length + entryOverhead;
  }

  /** The data is the process's own and nobody can reach it any more: it goes. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#objects.clear();
    this.#used = 0;
  }

  #check(options: CallOptions, key?: string): void {
    const about = { key, store: this.name };
    if (this.#closed) throw new StoreError('closed', { ...about, detail: 'it was closed' });
    refuseAborted(options, about);
  }
}
