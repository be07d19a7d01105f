/** What jobs have loaded and keep for those that come later: one load at a time per key, and a failed one is not kept. */
export class Locals {
  readonly #loads: Map<string, Promise<unknown>> = new Map();

  async get<T>(key: string, load: () => T | Promise<T>): Promise<T> {
    const known = this.#loads.get(key);
    if (known !== undefined) return known as Promise<T>;
    const loading = (async () => load())();
    this.#loads.set(key, loading);
    try {
      return await loading;
    } catch (error) {
      this.#loads.delete(key);
      throw error;
    }
  }
}
