import type { Executor, Isolation, JobEntry } from './executor.ts';
import type { Slot } from './slots.ts';
import type { Verdict } from './words.ts';

/** An executor as its pool holds it. */
export interface Lent extends Executor {
  /** Whether a task was run there since it was lent. */
  readonly used: boolean;
  /** Tasks that were asked to end and have not. */
  readonly condemned: number;
  lend(isolation: Isolation): void;
}

/** What a pool hears of an executor. */
export interface Keeper {
  loaded(jobs: readonly JobEntry[]): void;
  broken(message: string, stack: string): void;
  fit(verdict: Verdict, why: string): void;
  /** Once, at the moment from which it takes no task any more: it was killed, or has died by itself. */
  ending(cause: string, killed: boolean): void;
  /** The process and all it has started are gone; its jobs have been told. */
  gone(cause: string): void;
}

/** Where executors come from: processes in production, scripts in tests. */
export interface Launching<E extends Lent = Lent> {
  /** Starts a process that has nothing to run yet. @throws the system's error where none can be had. */
  launch(keeper: Keeper): Promise<E>;
  /** Lets it load the jobs module. No line of the user's runs before the reaper knows the process. */
  introduce(executor: E): Promise<void>;
  /** Whether anything is alive that its jobs have started, or may be. */
  hasCompany(executor: E): boolean;
  /** Removes what is left of one that is gone. */
  clear(executor: E): Promise<void>;
  /** Ends the reaper, which takes with it what it still watches. */
  close(): Promise<void>;
}

/** One place for an executor, with the executor once there is a process. */
export class PoolSlot implements Slot {
  state: Slot['state'] = { is: 'starting' };
  spoiled = false;
  verdict: Verdict | undefined;
  idleSince = 0;
  executor: Lent | undefined;

  get condemned(): number {
    return this.executor?.condemned ?? 0;
  }
}
