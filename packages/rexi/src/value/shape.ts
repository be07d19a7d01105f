import { MAX_FIELDS } from './wire.ts';

/** Nodes kept: what has more shapes than this is a dictionary, and remembering it is no use. */
const MOST_NODES = 4_096;

/** The encoder keeps a list of its own under this name and takes a user's key for it. */
const RESERVED = '__keys__';

/**
 * A list of keys: a node of the trie of all lists seen. A row like the one before finds its shape with one comparison
 * per key, and the keys of a known shape need no second check.
 */
export class Shape {
  readonly size: number;
  /** Whether an object of this shape can be a record. */
  readonly record: boolean;
  /** This shape alone, so that rows of one shape share one list. */
  readonly alone: readonly Shape[] = [this];
  /** The walk or batch that met it last. */
  seen = 0;
  /** The child taken last. */
  key: string | undefined = undefined;
  next: Shape | undefined = undefined;
  #children: Map<string, Shape> | undefined;

  constructor(size: number, record: boolean) {
    this.size = size;
    this.record = record;
  }

  /** The child for `key`, remembered as taken last. */
  follow(key: string): Shape | undefined {
    const child = this.#children?.get(key);
    if (child) this.#take(key, child);
    return child;
  }

  add(key: string, child: Shape): void {
    if (this.next) this.#children ??= new Map([[this.key!, this.next]]);
    this.#children?.set(key, child);
    this.#take(key, child);
  }

  #take(key: string, child: Shape): void {
    this.key = key;
    this.next = child;
  }
}

/** The trie of one codec. */
export class Shapes {
  root: Shape = new Shape(0, true);
  /** Where all lists of more keys than a record may have end. It has no children: their keys are checked each time. */
  readonly #wide = new Shape(MAX_FIELDS + 1, false);
  #nodes = 0;
  #walks = 0;

  /** A number for a walk or batch, to mark the shapes that it has met. */
  begin(): number {
    return ++this.#walks;
  }

  /** The shape of `shape`'s keys and `key`, which is new there and has been checked. */
  grow(shape: Shape, key: string): Shape {
    if (shape.size >= MAX_FIELDS) return this.#wide;
    if (++this.#nodes > MOST_NODES) this.#forget();
    const child = new Shape(shape.size + 1, shape.record && key !== RESERVED);
    shape.add(key, child);
    return child;
  }

  /** The shape of an object of a snapshot: its keys have been checked. */
  of(object: object): Shape {
    let shape = this.root;
    for (const key of Object.keys(object)) {
      shape = shape.key === key ? shape.next! : (shape.follow(key) ?? this.grow(shape, key));
    }
    return shape;
  }

  #forget(): void {
    this.root = new Shape(0, true);
    this.#nodes = 0;
  }
}
