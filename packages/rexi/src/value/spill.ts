import type { Shape, Shapes } from './shape.ts';
import { MARK, MAX_RECORDS, escapeKey, mapWeight } from './wire.ts';

/** A tree in which no more shapes are left than a message may define, and what that has added to its weight. */
export interface Spilled {
  readonly tree: unknown;
  readonly items: number;
}

/**
 * Turns the objects of all shapes but the first ones met into marked maps. The tree stays as it is, since a caller may
 * pack its snapshots again.
 */
export function spill(tree: unknown, shapes: Shapes): Spilled {
  const spilling = new Spilling(shapes);
  return { tree: spilling.of(tree), items: spilling.items };
}

class Spilling {
  items = 0;
  readonly #shapes: Shapes;
  readonly #kept = new Set<Shape>();

  constructor(shapes: Shapes) {
    this.#shapes = shapes;
  }

  of(value: unknown): unknown {
    if (typeof value !== 'object' || value === null) return value;
    if (Array.isArray(value)) return value.map((item) => this.of(item));
    if (value instanceof Map) return new Map(Array.from(value, ([key, item]) => [key, this.of(item)]));
    if (value instanceof Set) return new Set(Array.from(value, (item) => this.of(item)));
    return Object.getPrototypeOf(value) === Object.prototype ? this.#object(value) : value;
  }

  #object(value: object): unknown {
    const keep = this.#keep(this.#shapes.of(value));
    const entries = Object.entries(value).map(([key, item]): [string, unknown] => [key, this.of(item)]);
    if (keep) return Object.fromEntries(entries);
    this.items += mapWeight(entries.length + 1) - entries.length;
    return new Map<string, unknown>([
      [MARK, 'object'],
      ...entries.map(([key, item]): [string, unknown] => [escapeKey(key), item]),
    ]);
  }

  #keep(shape: Shape): boolean {
    if (this.#kept.has(shape)) return true;
    if (this.#kept.size === MAX_RECORDS) return false;
    this.#kept.add(shape);
    return true;
  }
}
