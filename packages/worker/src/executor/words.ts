/**
 * Everything that agent and executor say to each other over fd 3. One file owns the words; their layout is beside it in
 * wording.ts. `task` is the agent's own number (48 bits), times are milliseconds, payloads are packed values.
 */

import type { Trace } from '@muster/rexi';
import type { Notice } from './notice.ts';

/** The first message: what the executor is for. Sent once the reaper knows the process, since loading runs user code. */
export interface Init {
  readonly type: 'init';
  /** The file URL of the jobs module. */
  readonly jobs: string;
  readonly node: string;
  readonly dataDir: string;
}

export interface Run {
  readonly type: 'run';
  readonly task: number;
  /** Nobody else uses the executor now: an error that nobody caught is this job's. */
  readonly alone: boolean;
  /** A larger packed value stays in the store; absent: none does. */
  readonly inlineUpTo?: number | undefined;
  readonly trace?: Trace | undefined;
  /** Negative: no deadline. */
  readonly timeLeft: number;
  readonly job: string;
  readonly ref: string;
  readonly shard: Uint8Array;
  readonly args: Uint8Array;
}

export interface Start {
  readonly type: 'start';
  readonly task: number;
  readonly rows: number;
  readonly bytes: number;
}

export interface Credit {
  readonly type: 'credit';
  readonly task: number;
  readonly rows: number;
  readonly bytes: number;
}

export interface Abort {
  readonly type: 'abort';
  readonly task: number;
  readonly reason: string;
}

export interface Answer {
  readonly type: 'answer';
  readonly request: number;
  readonly ok: boolean;
  readonly payload: Uint8Array;
}

/** A notice was passed on; or not `taken`: there was no room for it, and it is to be said again. */
export interface Noted {
  readonly type: 'noted';
  readonly task: number;
  readonly taken: boolean;
}

export type ToExecutor = Init | Run | Start | Credit | Abort | Answer | Noted;

/** The jobs module is loaded; `jobs` is the JSON of its `JobEntry` list. */
export interface Loaded {
  readonly type: 'loaded';
  readonly jobs: string;
}

/** The jobs module cannot be loaded; the executor ends. */
export interface Broken {
  readonly type: 'broken';
  readonly message: string;
  readonly stack: string;
}

export interface Taken {
  readonly type: 'taken';
  readonly task: number;
}

export interface Rows {
  readonly type: 'rows';
  readonly task: number;
  readonly count: number;
  readonly batch: Uint8Array;
}

export interface RowKeys {
  readonly type: 'rowKeys';
  readonly task: number;
  readonly keys: readonly string[];
}

export interface Parked {
  readonly type: 'parked';
  readonly task: number;
  readonly rows: number;
  readonly bytes: number;
}

export interface Reply {
  readonly type: 'reply';
  readonly task: number;
  readonly keys: readonly string[];
  readonly value: Uint8Array;
}

export interface Last {
  readonly type: 'last';
  readonly task: number;
  readonly keys: readonly string[];
  readonly value: Uint8Array;
}

export interface Failed {
  readonly type: 'failed';
  readonly task: number;
  readonly code: string;
  readonly detail: string;
  readonly message: string;
  readonly error: Uint8Array;
}

export interface Stopped {
  readonly type: 'stopped';
  readonly task: number;
}

/** One of a task is under way at a time, until it is answered `noted`; the end of the task may have one more before it. */
export interface Noticed extends Notice {
  readonly type: 'notice';
  readonly task: number;
}

export interface Request {
  readonly type: 'request';
  readonly task: number;
  readonly request: number;
  readonly operation: string;
  readonly payload: Uint8Array;
}

/**
 * Whether the executor may be used again. After each job that was alone: `clean`, or `forked` when it has started
 * processes, of which the agent makes sure that none is left. At any time: `spoiled`, and why.
 */
export interface Fit {
  readonly type: 'fit';
  readonly verdict: Verdict;
  readonly why: string;
}

export type Verdict = 'clean' | 'forked' | 'spoiled';

export type FromExecutor =
  Loaded | Broken | Taken | Rows | RowKeys | Parked | Reply | Last | Failed | Stopped | Noticed | Request | Fit;
