import type { Trace } from '@muster/rexi';
import type { MergeBy } from './row-order.ts';

/** A shard of a map: who holds it. */
export interface Shard {
  readonly id: number | string;
  /** Names of nodes that hold a copy. */
  readonly nodes: readonly string[];
  /** From where to where, in values that can travel: its jobs are told as `ctx.shard.range`, and nobody else looks at it. */
  readonly range?: readonly [unknown, unknown];
}

/** Where shards are: plain data. */
export interface ShardMap {
  /** Higher for a newer map; `reshard` takes no older one. */
  readonly version: number;
  /**
   * The ranges are places of keys on a ring, and cover it: requests can be sent by `key`. Absent: what ranges mean is the
   * jobs' own affair. See `ring`.
   */
  readonly hash?: 'sha256-32';
  readonly shards: readonly Shard[];
}

/** What a node can be asked about itself. */
export type NodeQuestion = 'stats' | 'jobs' | 'errors' | 'ping';

/** Who has said something beside rows and values. */
export interface NoticeSource {
  /** The reference of the job that says it. */
  readonly ref: string;
  readonly node: string;
  /** The request's trace with the job's own span; undefined where the request has none. */
  readonly trace: Trace | undefined;
}

/** What every request takes. */
export interface RequestOptions {
  /** Aborting it kills the request's jobs; the error is `cancelled` with the signal's reason as its cause. */
  readonly signal?: AbortSignal;
  /** Milliseconds for everything. Default: none. */
  readonly timeout?: number;
  /**
   * Milliseconds without a row, a progress or a ping of a part that is waited for: its copy is killed, and the next one
   * asked while there is one. Default: none.
   */
  readonly messageTimeout?: number;
  /**
   * What the request is done for: a W3C `traceparent` (with `tracestate`), a correlation id, or both. Its jobs see it as
   * `ctx.trace`, each as a child span of its own; errors, progress and lines of logs carry it. Default: none.
   */
  readonly trace?: Trace;
  /** 0 to 255; higher runs first within a lane. Default 128. */
  readonly priority?: number;
  /** `ctx.progress(value)` of its jobs. */
  readonly onProgress?: (value: unknown, part: number | string | undefined, from: NoticeSource) => void;
  /** `ctx.log(…)` of its jobs. */
  readonly onLog?: (line: unknown, part: number | string | undefined, from: NoticeSource) => void;
}

/**
 * Where one call or stream runs: on a copy of a shard, on a node by name, where a key belongs, or on the least loaded node.
 * A key belongs to its shard of a ring; without a shard map, to the node that it suits best (rendezvous hashing over the
 * nodes of the cluster), and to the next one while that is down.
 */
export type Place =
  | { readonly shard?: number | string; readonly node?: never; readonly key?: never }
  | { readonly shard?: never; readonly node?: string; readonly key?: never }
  | { readonly shard?: never; readonly node?: never; readonly key?: string | Uint8Array };

/** Values of so many packed bytes come as they are, larger ones by reference. */
export interface InlineUpTo {
  /** 0 to 16,711,680. */
  readonly inlineUpTo: number;
}

export type CallOptions = RequestOptions &
  Place & {
    /**
     * `key`: the value stays at its node, and a reference to it comes back. `{ inlineUpTo }`: so does one of more packed
     * bytes than that, and a smaller one comes as it is. Default `value`.
     */
    readonly result?: 'value' | 'key' | InlineUpTo;
  };

export type StreamOptions = RequestOptions &
  Place & {
    /** Ends after so many rows. Default: none. */
    readonly limit?: number;
  };

export interface ScatterOptions<Row> extends RequestOptions {
  /** One job for each shard (by default, where there is a shard map), for each node, or for these shards. */
  readonly over?: 'shards' | 'nodes' | readonly (number | string)[];
  /** Rows come in order; each job must yield them so. Absent: as they come. */
  readonly merge?: MergeBy<Row>;
  /** Ends after so many rows. Default: none. */
  readonly limit?: number;
  /** Cast all copies of a shard at once and keep the first that is ready. Default: one, the next when it fails or is slow. */
  readonly race?: boolean;
  /** Return what there is, and what is `missing`. Default: throw. */
  readonly partial?: boolean;
}

export interface ReduceOptions<Row, Result> extends Omit<ScatterOptions<Row>, 'merge' | 'limit'> {
  readonly initial: Result;
  /** Folds one row, or one value, into the result. */
  readonly reduce: (result: Result, row: Row) => Result;
}
