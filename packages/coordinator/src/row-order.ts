import { ClusterError } from '@muster/rexi';
import { types } from 'node:util';
import type { Compare } from './merge.ts';
import { shown } from './rules.ts';

/** How the rows of several sources become one stream in order; each source must already be in this order. */
export type MergeBy<T> = {
  /** Default `asc`. */
  readonly direction?: 'asc' | 'desc';
} & (
  | {
      /** The field to order by; numbers and dates by value, strings by code unit. Absent: the rows are keys themselves. */
      readonly by?: keyof T & string;
      readonly compare?: never;
    }
  | {
      /** An order of one's own. */
      readonly compare: Compare<T>;
      readonly by?: never;
    }
);

/** The order of a merge, and what it takes to be one: a part that does not keep it would make the whole come out wrong. */
export class RowOrder<T> {
  readonly compare: Compare<T>;
  readonly #merge: MergeBy<T>;
  readonly #job: string;
  /** What the first key was: keys of two kinds have no order between them. */
  #kind: string | undefined;

  constructor(merge: MergeBy<T>, job: string) {
    this.compare = comparator(merge);
    this.#merge = merge;
    this.#job = job;
  }

  /** Whether `row` may come behind `before` of the same part; undefined: it is the first. */
  holds(row: T, before: T | undefined): boolean {
    return this.#badKey(row) === undefined && (before === undefined || this.compare(before, row) <= 0);
  }

  /** @throws ClusterError `bad_options` with the job, the shard and what came, when it may not. */
  check(row: T, before: T | undefined, shard: number | string | undefined): void {
    if (this.holds(row, before)) return;
    const { by, direction } = this.#merge;
    const order = `in ${direction === 'desc' ? 'descending' : 'ascending'} order`;
    const wanted = `merge needs the rows of each part ${order}${by === undefined ? '' : ` of "${by}"`}`;
    const came = this.#badKey(row) ?? `after ${shown(this.#key(before as T))} came ${shown(this.#key(row))}`;
    throw new ClusterError(
      'bad_options',
      `${wanted}, but ${came}. Sort them in the job, or merge by what they are in order of.`,
      {
        job: this.#job,
        shard,
        detail: 'order',
      },
    );
  }

  #key(row: T): unknown {
    return keyOf(row, this.#merge.by);
  }

  /** What is wrong with the row's key; undefined: nothing, or there is an order of one's own. */
  #badKey(row: T): string | undefined {
    const { by, compare } = this.#merge;
    if (compare !== undefined) return undefined;
    const key = this.#key(row);
    if (key === undefined) return by === undefined ? 'one of them is undefined' : `there came a row without "${by}"`;
    const kind = kindOf(key);
    this.#kind ??= kind;
    if (kind !== undefined && kind === this.#kind) return undefined;
    const what = by === undefined ? 'a row' : `"${by}"`;
    return `${what} is ${shown(key)}${kind === undefined ? ', which has no order' : `, and was ${this.#kind} before`}`;
  }
}

export function comparator<T>({ by, compare, direction = 'asc' }: MergeBy<T>): Compare<T> {
  const ascending: Compare<T> = compare ?? ((a, b) => order(keyOf(a, by), keyOf(b, by)));
  return direction === 'asc' ? ascending : (a, b) => ascending(b, a);
}

function keyOf<T>(row: T, by: (keyof T & string) | undefined): unknown {
  return by === undefined ? row : (row as T | null | undefined)?.[by];
}

/** Keys of one kind have an order; undefined: none. */
function kindOf(key: unknown): string | undefined {
  if (typeof key === 'number') return Number.isNaN(key) ? undefined : 'a number';
  if (typeof key === 'bigint') return 'a number';
  if (typeof key === 'string') return 'a text';
  if (typeof key === 'boolean') return 'true or false';
  return types.isDate(key) && !Number.isNaN(Number(key)) ? 'a date' : undefined;
}

function order(a: unknown, b: unknown): number {
  const x = a as number;
  const y = b as number;
  return x < y ? -1 : x > y ? 1 : 0;
}
