/** The latest of what comes without end: at least so many of them, and never more than twice as many. */
export class Latest<T> {
  readonly #least: number;
  readonly #kept: T[] = [];

  constructor(least: number) {
    this.#least = least;
  }

  /** Oldest first. */
  get all(): readonly T[] {
    return this.#kept;
  }

  add(item: T): void {
    this.#kept.push(item);
    if (this.#kept.length > 2 * this.#least) this.#kept.splice(0, this.#least);
  }
}
