import type { Timer } from '@muster/rexi';
import type { Executor, JobEntry, Task, Totals } from '../executor/executor.ts';
import type { Slot } from './lanes.ts';
import type { Session } from './sessions.ts';

/**
 * Where a job is on its way. A job in the table is in exactly one of these:
 *
 *     queued ─slot─> placing ─executor─> sent ─taken─> running ──────────────> (ended)
 *                                          └──taken─> waiting ─start─> resuming ─slot─> streaming ─> (ended)
 *                                                                         ^               │ out of credit
 *                                                                         └──ack── parked <┘
 *     any ─kill, cancel, deadline, session end─> dying ─process gone, or stopped─> (ended)
 *
 * `waiting`, `parked` and `resuming` hold no slot of the lane: what only waits must not keep others from running.
 */
export type JobState =
  'queued' | 'placing' | 'sent' | 'running' | 'waiting' | 'resuming' | 'streaming' | 'parked' | 'dying';

/** One run of one job, as the agent keeps it. */
export interface Job {
  readonly session: Session;
  readonly counter: number;
  readonly entry: JobEntry;
  readonly task: Task;
  readonly priority: number;
  /** When it was cast, on the agent's clock. */
  readonly since: number;
  state: JobState;
  /** Takes back its wait for a slot. */
  turn: AbortController | undefined;
  slot: Slot | undefined;
  executor: Executor | undefined;
  window: Totals;
  sent: Totals;
  acked: Totals;
  lastAck: number;
  /** Notices of it that its executor has no answer to. */
  notices: number;
  deadline: Timer | undefined;
  /** Start wait, ack wait, or grace: at most one of them is true at a time. */
  wait: Timer | undefined;
  /** Told when nothing of it is left. */
  readonly mourners: (() => void)[];
}

const none: Totals = { rows: 0, bytes: 0 };

export function newJob(base: Pick<Job, 'session' | 'counter' | 'entry' | 'task' | 'priority' | 'since'>): Job {
  const { session, counter, entry, task, priority, since } = base;
  return {
    session,
    counter,
    entry,
    task,
    priority,
    since,
    state: 'queued',
    turn: undefined,
    slot: undefined,
    executor: undefined,
    window: none,
    sent: none,
    acked: none,
    lastAck: since,
    notices: 0,
    deadline: undefined,
    wait: undefined,
    mourners: [],
  };
}

/** Whether so many more rows would break the promise that was made with the window. One row may exceed the bytes alone. */
export function exceedsWindow({ window, sent, acked }: Job, rows: number, bytes: number): boolean {
  const openRows = sent.rows + rows - acked.rows;
  const openBytes = sent.bytes + bytes - acked.bytes;
  return openRows > window.rows || (openBytes > window.bytes && openRows > 1);
}
