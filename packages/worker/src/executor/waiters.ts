import type { Executor } from './executor.ts';
import type { Wish } from './slots.ts';

interface Waiter {
  readonly wish: Wish;
  resolve(executor: Executor): void;
  reject(error: Error): void;
}

/** Wishes that wait for an executor, in their order. Each is met, refused or taken back, once. */
export class Waiters {
  #waiters: Waiter[] = [];

  get wishes(): readonly Wish[] {
    return this.#waiters.map(({ wish }) => wish);
  }

  /** `signal` takes the wish back; the promise then rejects with its reason. */
  add(wish: Wish, signal?: AbortSignal): Promise<Executor> {
    if (signal?.aborted === true) return Promise.reject(signal.reason as Error);
    return new Promise<Executor>((resolve, reject) => {
      const leave = (): void => {
        this.#waiters = this.#waiters.filter((other) => other !== waiter);
        reject(signal?.reason as Error);
      };
      const stay = (): void => signal?.removeEventListener('abort', leave);
      const waiter: Waiter = {
        wish,
        resolve: (executor) => (stay(), resolve(executor)),
        reject: (error) => (stay(), reject(error)),
      };
      signal?.addEventListener('abort', leave, { once: true });
      this.#waiters.push(waiter);
    });
  }

  /** Goes through all once; those for which `give` has something leave with it. */
  serve(give: (wish: Wish) => Executor | undefined): void {
    for (const waiter of this.#waiters) {
      const executor = give(waiter.wish);
      if (executor === undefined) continue;
      this.#waiters = this.#waiters.filter((other) => other !== waiter);
      waiter.resolve(executor);
    }
  }

  /** Refuses those that are meant; all where nothing is said. */
  refuse(error: Error, meant: (wish: Wish) => boolean = () => true): void {
    const refused = this.#waiters.filter(({ wish }) => meant(wish));
    this.#waiters = this.#waiters.filter((waiter) => !refused.includes(waiter));
    for (const waiter of refused) waiter.reject(error);
  }
}
