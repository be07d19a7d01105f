/** So many at a time; the rest wait in order. Who leaves the queue takes no place. */
export class Slots {
  #free: number;
  readonly #queue = new Set<() => void>();

  constructor(count: number) {
    this.#free = count;
  }

  /** Resolves when the caller's turn has come. @throws the signal's reason when it is aborted before. */
  async take(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free -= 1;
      return;
    }
    await new Promise<void>((resolve, reject) => {
      const turn = (): void => {
        signal.removeEventListener('abort', leave);
        resolve();
      };
      const leave = (): void => {
        this.#queue.delete(turn);
        reject(signal.reason as Error);
      };
      this.#queue.add(turn);
      signal.addEventListener('abort', leave, { once: true });
    });
  }

  /** Takes a place at once, be it one more than there are: of those given back next, one goes to nobody. */
  hold(): void {
    this.#free -= 1;
  }

  /** Gives a place back, which goes to whoever has waited longest. */
  give(): void {
    this.#free += 1;
    const [next] = this.#queue;
    if (next === undefined || this.#free < 1) return;
    this.#free -= 1;
    this.#queue.delete(next);
    next();
  }
}
