/** One thing and when it is due. */
export interface Due<K> {
  readonly key: K;
  readonly at: number;
}

/**
 * What is due when, soonest first: a binary heap that knows the place of each key. Looking at the first costs nothing,
 * and everything else the logarithm of what is in it, since it is asked with each message.
 */
export class Agenda<K> {
  readonly #heap: Due<K>[] = [];
  readonly #places: Map<K, number> = new Map();

  get size(): number {
    return this.#heap.length;
  }

  /** What is due first. */
  get first(): Due<K> | undefined {
    return this.#heap[0];
  }

  has(key: K): boolean {
    return this.#places.has(key);
  }

  /** It is due then, whenever it was due before. */
  set(key: K, at: number): void {
    const place = this.#places.get(key);
    if (place !== undefined && this.#at(place) === at) return;
    this.#settle(place ?? this.#heap.length, { key, at });
  }

  delete(key: K): void {
    const place = this.#places.get(key);
    if (place === undefined) return;
    this.#places.delete(key);
    const last = this.#heap.pop() as Due<K>;
    if (place < this.#heap.length) this.#settle(place, last);
  }

  /** Puts it into the heap, at this place or where it belongs from there. */
  #settle(place: number, due: Due<K>): void {
    let at = place;
    for (let parent = (at - 1) >> 1; at > 0 && due.at < this.#at(parent); parent = (at - 1) >> 1) {
      this.#move(parent, at);
      at = parent;
    }
    for (let child = this.#sooner(at); child !== undefined && this.#at(child) < due.at; child = this.#sooner(at)) {
      this.#move(child, at);
      at = child;
    }
    this.#put(due, at);
  }

  /** The child that is due first. */
  #sooner(place: number): number | undefined {
    const [left, right] = [2 * place + 1, 2 * place + 2];
    if (right < this.#heap.length && this.#at(right) < this.#at(left)) return right;
    return left < this.#heap.length ? left : undefined;
  }

  #move(from: number, to: number): void {
    this.#put(this.#heap[from] as Due<K>, to);
  }

  #put(due: Due<K>, place: number): void {
    this.#heap[place] = due;
    this.#places.set(due.key, place);
  }

  #at(place: number): number {
    return (this.#heap[place] as Due<K>).at;
  }
}
