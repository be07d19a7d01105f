import type { Clock, Entropy } from '@muster/rexi';
import { ValueCodec } from '@muster/rexi';
import type { ByteStore } from '@muster/store';
import { MemoryConnector, Store } from '@muster/store';
import { StoreHealth } from './store-health.ts';

/** A store that outlives every process, and may ail; each process has a client of its own. */
export class SharedStore {
  readonly health: StoreHealth = new StoreHealth();
  readonly #memory: MemoryConnector;
  readonly #keys: Set<string> = new Set();

  constructor(entropy: Entropy) {
    this.#memory = new MemoryConnector({ entropy, name: 'shared' });
    this.health.lose = () => this.#lose();
  }

  /** A store over it, as a process opens one. */
  open(clock: Clock): Store {
    const codec: ConstructorParameters<typeof Store>[0]['codec'] = (refs) => {
      const values = new ValueCodec({ refs });
      return { encode: (value) => values.pack(value), decode: (bytes) => values.unpack(bytes) };
    };
    return new Store({ name: 'shared', connector: this.#connector(clock), codec, clock });
  }

  #connector(clock: Clock): ByteStore {
    const memory = this.#memory;
    const asked = async <T>(keeps: boolean, ask: () => Promise<T>): Promise<T> => {
      await this.health.answered(clock);
      this.health.check(keeps);
      return ask();
    };
    return {
      name: memory.name,
      put: async (bytes) => {
        const key = await asked(true, () => memory.put(bytes));
        this.#keys.add(key);
        return key;
      },
      get: (key) => asked(false, () => memory.get(key)),
      exists: (key) => asked(false, () => memory.exists(key)),
      evict: (key) => asked(false, () => memory.evict(key)),
      close: () => Promise.resolve(), // Others use it.
    };
  }

  #lose(): boolean {
    const had = this.#memory.used > 0;
    for (const key of this.#keys) void this.#memory.evict(key);
    this.#keys.clear();
    return had;
  }
}
