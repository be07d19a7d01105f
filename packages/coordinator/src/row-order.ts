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
  readonly #copy: (row: T) => T;
  /** What the first key was: keys of two kinds have no order between them. */
  #kind: string | undefined;

  /** `copy` makes a row that shares nothing with the one it is given: for an order of one's own. */
  constructor(merge: MergeBy<T>, job: string, copy: (row: T) => T) {
    this.compare = comparator(merge);
    this.#merge = merge;
    this.#job = job;
    this.#copy = copy;
  }

  /**
   * What is wrong with `row` behind `before` of the same part, which is undefined for the first: `bad_options` with the
   * job, the shard and what came. Undefined: nothing.
   */
  breach(row: T, before: T | undefined, shard: number | string | undefined): ClusterError | undefined {
    const badKey = this.#badKey(row);
    if (badKey === undefined && (before === undefined || this.compare(before, row) <= 0)) return undefined;
    const { by, direction } = this.#merge;
    const order = `in ${direction === 'desc' ? 'descending' : 'ascending'} order`;
    const wanted = `merge needs the rows of each part ${order}${by === undefined ? '' : ` of "${by}"`}`;
    const came = badKey ?? `after ${shown(this.#key(before as T))} came ${shown(this.#key(row))}`;
    return new ClusterError(
      'bad_options',
      `${wanted}, but ${came}. Sort them in the job, or merge by what they are in order of.`,
      {
        job: this.#job,
        shard,
        detail: 'order',
      },
    );
  }

  /** What stands for the row where a later one is compared with it: the row itself is the consumer's, to change. */
  kept(row: T): T {
    const { by, compare } = this.#merge;
    if (compare !== undefined) return this.#copy(row);
    const key = this.#key(row);
    const own = types.isDate(key) ? structuredClone(key) : key;
    return (by === undefined ? own : { [by]: own }) as T;
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
