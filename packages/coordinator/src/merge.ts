/** Orders two rows: negative when `a` comes first. */
export type Compare<T> = (a: T, b: T) => number;

/**
 * A heap of sources by their first row. What a k-way merge needs and a general priority queue lacks is to replace the
 * top: the source whose row was taken sinks to where its next row belongs.
 */
export class Heads<S, T> {
  readonly #heap: { readonly source: S; readonly rank: number; row: T }[] = [];
  readonly #compare: Compare<T>;

  constructor(compare: Compare<T>) {
    this.#compare = compare;
  }

  get size(): number {
    return this.#heap.length;
  }

  /** Adds a source; rows that compare equal come in the order of the ranks, so that the result is the same every time. */
  add(source: S, rank: number, row: T): void {
    this.#heap.push({ source, rank, row });
    this.#rise(this.#heap.length - 1);
  }

  top(): { readonly source: S; readonly row: T } | undefined {
    return this.#heap[0];
  }

  /** The top's source has moved on to its next row. */
  replaceTop(row: T): void {
    const top = this.#heap[0];
    if (top === undefined) return;
    top.row = row;
    this.#sink(0);
  }

  /** The top's source has no row for now. */
  removeTop(): void {
    const last = this.#heap.pop();
    if (last === undefined || this.#heap.length === 0) return;
    this.#heap[0] = last;
    this.#sink(0);
  }

  remove(source: S): void {
    const at = this.#heap.findIndex((head) => head.source === source);
    if (at < 0) return;
    const last = this.#heap.pop();
    if (last === undefined || at === this.#heap.length) return;
    this.#heap[at] = last;
    this.#sink(at);
    this.#rise(at);
  }

  #before(i: number, j: number): boolean {
    const a = this.#heap[i];
    const b = this.#heap[j];
    if (a === undefined || b === undefined) return false;
    const order = this.#compare(a.row, b.row);
    return order < 0 || (order === 0 && a.rank < b.rank);
  }

  #swap(i: number, j: number): void {
    const a = this.#heap[i];
    const b = this.#heap[j];
    if (a === undefined || b === undefined) return;
    this.#heap[i] = b;
    this.#heap[j] = a;
  }

  #rise(from: number): void {
    for (let at = from; at > 0;) {
      const parent = (at - 1) >> 1;
      if (!this.#before(at, parent)) return;
      this.#swap(at, parent);
      at = parent;
    }
  }

  #sink(from: number): void {
    for (let at = from; ;) {
      const left = 2 * at + 1;
      const least = this.#before(left + 1, left) ? left + 1 : left;
      if (!this.#before(least, at)) return;
      this.#swap(at, least);
      at = least;
    }
  }
}
