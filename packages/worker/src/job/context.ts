import type { Trace } from '@muster/rexi';
import type { ObjectRef } from '@muster/store';

/** The store as a job reaches it: through the agent of its node. Calls fail once the job has ended. */
export interface JobStore {
  /**
   * Keeps a value and resolves with its reference, which may be returned, yielded or passed on; what is not goes with
   * the job. `get()` of a reference in the arguments works without this.
   * @throws ClusterError `not_serializable` with the path; StoreError (`full`, …)
   */
  put<T>(value: T): Promise<ObjectRef<T>>;
  /** The reference of a key that was kept as a string. */
  ref<T = unknown>(key: string): ObjectRef<T>;
}

/** The part of a shard map that a job was cast for; see ARCHITECTURE.md, "Data". */
export interface JobShard {
  readonly id: number | string;
  /** From where to where, as the shard map says. */
  readonly range?: readonly [unknown, unknown];
}

/**
 * What a job gets beside its arguments. Its functions may be taken out (`const { log, signal } = ctx`); after the end
 * of the job they do nothing.
 */
export interface JobContext {
  /** Aborted when the job is killed or cancelled, with the reason. What does not end within the grace is killed. */
  readonly signal: AbortSignal;
  /** The job's printable reference. */
  readonly ref: string;
  /**
   * What the caller has said that it belongs to (`trace` of its options), with a span of the job's own in `traceparent`:
   * hand that on as it is. Undefined where the caller has said nothing.
   */
  readonly trace: Trace | undefined;
  /** The id of the node it runs on. */
  readonly node: string;
  /** The shard that it was cast for, else undefined. */
  readonly shard: JobShard | undefined;
  /** When its time is up, on the scale of `performance.now()`; undefined: never. */
  readonly deadline: number | undefined;
  /** The node's own directory for shard data. The working directory is a scratch directory instead. */
  readonly dataDir: string;
  readonly store: JobStore;
  /**
   * Sends a structured line to the coordinator, of at most 64 KiB packed: a longer one arrives clipped, with the field
   * `clipped` for the bytes that it had. Of lines that come faster than they can be read, 256 (256 KiB) wait; how many of
   * the others were dropped says a line at their place. Standard output goes to the node's own error stream.
   * @throws ClusterError `not_serializable`
   */
  log(message: string, fields?: Readonly<Record<string, unknown>>): void;
  /**
   * Says how far the job is: any value that can travel, of at most 2 MiB packed. If it is said faster than it can be
   * read, the newest wins.
   * @throws ClusterError `not_serializable`; `limit` for one that is too large.
   */
  progress(value: unknown): void;
  /** Says that the job is alive although it has nothing to send: resets the coordinator's timeout per message. Several are one. */
  ping(): void;
  /**
   * Something loaded once per executor and kept for the jobs that run there later. Loads that overlap share one call
   * of `load`; one that fails is not kept. Jobs of one executor see the same object: do not change it.
   */
  local<T>(key: string, load: () => T | Promise<T>): Promise<T>;
}
