/**
 * The seam between the agent, which owns links, leases and kills and never runs user code, and the places where jobs
 * run. Production: a prefork pool of child processes. Tests and simulation: a scripted executor.
 */

import type { Trace } from '@muster/rexi';
import type { Notice } from './notice.ts';

/** How a job shares its executor with others; see ARCHITECTURE.md. */
export type Isolation = 'shared' | 'exclusive';

/** What a node knows of a registered job without loading it: told by the first executor that has. */
export interface JobEntry {
  readonly name: string;
  /** A generator that yields rows, or a function with one value. */
  readonly stream: boolean;
  readonly isolation: Isolation;
  readonly lane: string;
}

/** One run of one job. */
export interface Task {
  /** Unique within the agent. */
  readonly id: number;
  readonly job: string;
  /** The printable reference. */
  readonly ref: string;
  /** Packed arguments. */
  readonly args: Uint8Array;
  /** Packed shard, empty for none. */
  readonly shard: Uint8Array;
  /** Milliseconds until the job's deadline; absent: none. */
  readonly timeLeft?: number;
  /** A packed value of more bytes than this stays in the store, and its reference is the end. Absent: none does. */
  readonly inlineUpTo?: number | undefined;
  /** What the job belongs to, with a span of its own; absent: nobody has said. */
  readonly trace?: Trace | undefined;
}

/** Totals of one stream since its start: what the consumer has acknowledged, or what was sent. */
export interface Totals {
  readonly rows: number;
  readonly bytes: number;
}

/** An end without a value, as the executor tells it. */
export interface Failure {
  /** `job_failed`, `invalid_args`, `not_serializable`, … */
  readonly code: 'job_failed' | 'invalid_args' | 'not_serializable' | 'unknown_job' | 'limit' | 'protocol_error';
  readonly detail: string;
  readonly message: string;
  /** The packed error of a job that threw, else empty. */
  readonly error: Uint8Array;
}

/** What an executor tells the agent. Everything about one task comes in order, and nothing after its end. */
export interface ExecutorEvents {
  /** The job is known and its arguments fit; a stream now waits for its start, a function runs. */
  taken(task: number): void;
  rows(task: number, count: number, batch: Uint8Array): void;
  /** The stream has stopped for want of credit, having seen these acknowledged totals. Newer credit wakes it by itself. */
  parked(task: number, seen: Totals): void;
  /** `keys` are the object references inside the value: ownership moves with them. */
  reply(task: number, value: Uint8Array, keys: readonly string[]): void;
  last(task: number, value: Uint8Array, keys: readonly string[]): void;
  /** Object references inside the rows just sent. */
  rowKeys(task: number, keys: readonly string[]): void;
  failed(task: number, failure: Failure): void;
  /** Cancelled or aborted: ended without a word to anybody. */
  stopped(task: number): void;
  /** Answer with `noted(task, …)`: until then there comes at most one more, and that just before the task's end. */
  notice(task: number, notice: Notice): void;
  /** A store operation of a job (see agent-connector.ts); answer with `answer(request, …)`. */
  request(task: number, request: number, operation: string, payload: Uint8Array): void;
  /** The process is gone, with everything it has started, and the task with it. Last; only where it had not ended. */
  exited(cause: string): void;
}

/** One place where jobs run. */
export interface Executor {
  readonly id: number;
  readonly pid: number | undefined;
  readonly isolation: Isolation;
  /** It was killed or has died, and takes no task any more: what is run there now is lost. */
  readonly ending: boolean;
  run(task: Task, events: ExecutorEvents): void;
  /** Rows may be computed; at most `window` may be unacknowledged, but one row may exceed the bytes alone. */
  start(task: number, window: Totals): void;
  /** Totals acknowledged since the start. */
  credit(task: number, acked: Totals): void;
  /** Aborts the job's signal and calls `return()` on its generator. What does not end is killed by the agent. */
  abort(task: number, reason: string): void;
  answer(request: number, ok: boolean, payload: Uint8Array): void;
  /** A notice was passed on; or there was no room for it, and it is to be said again. */
  noted(task: number, taken: boolean): void;
  /** Stops and continues reading its rows: the agent's own backpressure. */
  pause(): void;
  resume(): void;
  /** SIGKILLs the whole process group; resolves when it and its descendants are gone. May be called twice. */
  kill(why: string): Promise<void>;
}

/** How an executor is waited for. */
export interface Waiting {
  /** What takes the wish back; asked for only where it has to wait, since a signal costs more than the rest of an acquisition. */
  readonly left?: () => AbortSignal;
  /**
   * The task may keep its executor for as long as others like, as a stream does that waits for its start or for credit.
   * Default: yes. Others wait for an executor only where a task will give it back that does not.
   */
  readonly parks?: boolean;
}

/** Hands out executors. */
export interface Executors {
  readonly jobs: ReadonlyMap<string, JobEntry>;
  /**
   * An executor for one task. `exclusive`: nobody else's until released. `shared`: serves one incarnation at a time.
   * What was given may have begun to end before it is used: see `ending`.
   * @throws ClusterError `overloaded` when one more would be needed than there may be and none will surely be given back,
   * `unavailable` when none can be started; the signal's reason when it was aborted.
   */
  acquire(isolation: Isolation, incarnation: string, waiting?: Waiting): Promise<Executor>;
  /** The task has ended, or was never run: then the executor is as good as before. An exclusive executor that is not quiescent, and a shared one without tasks whose incarnation has ended, are replaced. */
  release(executor: Executor): void;
  /** The incarnation has ended: its shared executors, free by now or killed, are replaced. */
  retire(incarnation: string): void;
  /** Kills everything; resolves when no executor and no descendant is left. */
  close(): Promise<void>;
}
