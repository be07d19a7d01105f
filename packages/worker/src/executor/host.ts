import { AsyncLocalStorage } from 'node:async_hooks';
import type { Clock, ValueCodec } from '@muster/rexi';
import type { Store } from '@muster/store';
import type { Locals } from './locals.ts';
import type { RunningTask } from './running-task.ts';
import type { Turn } from './turn.ts';
import type { FromExecutor } from './words.ts';

/** What a running job needs of the executor around it. */
export interface Host {
  readonly node: string;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly turn: Turn;
  readonly codec: ValueCodec;
  readonly store: Store;
  readonly locals: Locals;
  send(word: FromExecutor): void;
  /** Runs the job's own code, so that what it starts and does not catch is known to be its own. */
  inside<T>(task: RunningTask, run: () => T): T;
  /** Runs code of ours whose store operations belong to the job. */
  as<T>(task: RunningTask, run: () => T): T;
  /** Whether too much waits for the socket; `again` is then called once it does not. */
  congested(again: () => void): boolean;
  ended(task: RunningTask): void;
}

/**
 * Whose code runs. Following every promise costs a third of a microsecond a row, so a job is followed only while it has
 * company. What it began while it was alone is not known as its own once it has: an error there is anybody's.
 */
export class Bearings {
  readonly #storage: AsyncLocalStorage<RunningTask> = new AsyncLocalStorage();
  readonly #unfollowed: WeakSet<RunningTask> = new WeakSet();
  #now: RunningTask | undefined;

  /** The job on whose behalf this code runs, as far as it is known. */
  get task(): RunningTask | undefined {
    return this.#now ?? this.#storage.getStore();
  }

  inside<T>(task: RunningTask, company: boolean, run: () => T): T {
    if (company && !task.alone) return this.#storage.run(task, run);
    this.#unfollowed.add(task);
    return run();
  }

  /** Whether something that the job has begun may go on without being known as its own. */
  wasUnfollowed(task: RunningTask): boolean {
    return this.#unfollowed.has(task);
  }

  /** Only until `run` returns, not in what it starts. */
  as<T>(task: RunningTask, run: () => T): T {
    const before = this.#now;
    this.#now = task;
    try {
      return run();
    } finally {
      this.#now = before;
    }
  }
}
