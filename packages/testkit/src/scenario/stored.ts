import type { Facts } from '../history/history.ts';
import { contentOf } from './object-jobs.ts';
import type { Life } from './workload.ts';

const kinds = { put: 3, get: 5, drop: 1 };

/** So many are remembered; they may be gone long since. */
const most = 24;

/** Milliseconds for a get, less than a slow store takes. */
const timeout = 500;

/** Values in a store beside the cluster: put, asked for, by later lives as well, and dropped. */
export function stored(life: Life): void {
  new Stored(life).goOn();
}

class Stored {
  readonly #life: Life;

  constructor(life: Life) {
    this.#life = life;
  }

  goOn(): void {
    const { coordinator, random, open } = this.#life;
    coordinator.process.clock.after(random.exponential(800), () => {
      if (!open() || coordinator.closed) return;
      void this.#one(random.weighed(kinds));
      this.goOn();
    });
  }

  async #one(what: keyof typeof kinds): Promise<void> {
    const { random, keys, store } = this.#life;
    if (what === 'put') return this.#put();
    const key = keys.length === 0 ? undefined : random.pick(keys);
    if (key === undefined) return;
    if (what === 'get') {
      return this.#told(what, key, async () => {
        const content = String(await store.get(key, { timeout }));
        return { size: content.length, whole: content === contentOf(content.split('/')[0] ?? '', content.length) };
      });
    }
    this.#life.note('stored-drop', { key });
    return this.#told(what, key, async () => (await store.drop(key), {}));
  }

  async #put(): Promise<void> {
    const { random, keys, store, next } = this.#life;
    const size = random.pick([1, 900, 70_000]);
    return this.#told('put', undefined, async () => {
      const { key } = await store.put(contentOf(`value ${next()}`, size));
      keys.push(key);
      if (keys.length > most) keys.shift();
      return { key, size };
    });
  }

  async #told(what: string, key: string | undefined, ask: () => Promise<Facts>): Promise<void> {
    const began = this.#life.coordinator.process.now;
    try {
      this.#life.note('stored-told', { what, key, began, ...(await ask()) });
    } catch (error) {
      const code = (error as { code?: unknown }).code;
      this.#life.note('stored-told', { what, key, began, refused: typeof code === 'string' ? code : String(error) });
    }
  }
}
