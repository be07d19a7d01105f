import type { Backend } from './backend.ts';
import { BackendConnector, type ConnectorSeams } from './backend-connector.ts';
import { entryOverhead } from './byte-cache.ts';
import { StoreError } from './errors.ts';
import { ownBytes } from './own-bytes.ts';

export interface MemoryConnectorOptions extends ConnectorSeams {
  /** Named in keys and errors: 1 to 32 letters, digits, `-` and `_`. Default `memory`. */
  readonly name?: string;
  /** Most bytes, each object counted with 128 more for its entry. Default 256 MiB. */
  readonly budget?: number;
}

/**
 * Bytes in a Map: the connector of one process. Nothing is copied; keys are random, so no other instance has them. What is
 * above the budget is refused. Its objects go when it is closed, since nobody can reach them any more.
 */
export class MemoryConnector extends BackendConnector {
  readonly #backend: MemoryBackend;

  constructor({ name = 'memory', budget = 256 * 2 ** 20, ...seams }: MemoryConnectorOptions = {}) {
    const backend = new MemoryBackend(name, budget);
    super({
      ...seams,
      backend,
      config: { kind: 'memory', name, budget },
      capabilities: { reach: 'instance', durable: false, largest: budget },
    });
    this.#backend = backend;
  }

  /** Bytes kept, with what their entries cost. */
  get used(): number {
    return this.#backend.used;
  }

  /** Objects kept. */
  get count(): number {
    return this.#backend.objects.size;
  }
}

class MemoryBackend implements Backend {
  readonly objects = new Map<string, Uint8Array>();
  used = 0;
  readonly #name: string;
  readonly #budget: number;

  constructor(name: string, budget: number) {
    this.#name = name;
    this.#budget = budget;
  }

  async read(id: string): Promise<Uint8Array | undefined> {
    return this.objects.get(id);
  }

  async write(id: string, bytes: Uint8Array): Promise<void> {
    await this.remove(id);
    const cost = bytes.length + entryOverhead;
    if (this.used + cost > this.#budget) {
      const detail = `${cost} bytes more than ${this.used} exceed the budget of ${this.#budget}`;
      throw new StoreError('full', { store: this.#name, detail });
    }
    this.objects.set(id, ownBytes(bytes));
    this.used += cost;
  }

  async size(id: string): Promise<number | undefined> {
    return this.objects.get(id)?.length;
  }

  async remove(id: string): Promise<void> {
    const bytes = this.objects.get(id);
    if (bytes === undefined) return;
    this.objects.delete(id);
    this.used -= bytes.length + entryOverhead;
  }

  async close(): Promise<void> {
    this.objects.clear();
    this.used = 0;
  }
}
