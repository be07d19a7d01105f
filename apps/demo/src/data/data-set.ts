import type { Measure, Row } from './row.ts';

/** Rows, and what is asked of them. */
export interface DataSet {
  /** What its rows are called, in the plural. */
  readonly what: string;
  readonly rows: readonly Row[];
  /** The field that names a row, and decides its shard. */
  readonly key: string;
  /** Undefined: no row has a number to be near to. */
  readonly near: Near | undefined;
  readonly group: Grouping;
  readonly prefix: Prefix;
  /** Fields worth showing. */
  readonly columns: readonly string[];
}

export interface Near {
  readonly measure: Measure;
  /** The place, in words. */
  readonly place: string;
  /** What distances are in, as a heading. */
  readonly unit: string;
}

export interface Grouping {
  readonly field: string;
  /** A numeric field that is added up; undefined: rows are only counted. */
  readonly sum: string | undefined;
}

export interface Prefix {
  readonly field: string;
  readonly text: string;
}
