import type { Clock } from '@muster/rexi';
import type { Executor, ExecutorEvents, Executors, Task } from '../executor/executor.ts';
import type { Job } from './job.ts';
import type { Lanes } from './lanes.ts';
import type { Session } from './sessions.ts';

export interface PlacingOptions {
  readonly clock: Clock;
  readonly executors: Executors;
  readonly lanes: Lanes;
  /** Who listens to what an executor says of the job. */
  readonly listen: (job: Job) => ExecutorEvents;
  readonly started: (job: Job, executor: Executor) => void;
}

/** Where jobs run: their slots in the lanes, their executors, and who shares one. */
export class Placing {
  readonly #options: PlacingOptions;
  readonly #jobs: Map<Executor, Set<Job>> = new Map();
  /** Executors that are not read because their rows would pile up in front of their session's link. */
  readonly #paused: Map<Session, Set<Executor>> = new Map();

  constructor(options: PlacingOptions) {
    this.#options = options;
  }

  /**
   * Slot, executor, task: each may come after the job was killed.
   * @throws ClusterError `overloaded`, `unavailable`
   */
  async place(job: Job): Promise<void> {
    const { lanes, executors } = this.#options;
    const slot = await lanes.enter(job.entry.lane, job.priority, () => leaving(job));
    if (job.state !== 'queued') return slot();
    job.slot = slot;
    job.state = 'placing';
    const { isolation, stream } = job.entry;
    let executor: Executor;
    do {
      executor = await executors.acquire(isolation, job.session.incarnation, { signal: leaving(job), parks: stream });
      if (job.state !== 'placing') return executors.release(executor);
      // Between its promise and here it may have been killed for the sake of another job.
    } while (executor.ending);
    this.#enter(job, executor);
  }

  /** A parked job takes its slot again before it goes on. */
  resume(job: Job, go: (executor: Executor) => void): void {
    job.state = 'resuming';
    this.#options.lanes
      .reenter(job.entry.lane, () => leaving(job))
      .then(
        (slot) => {
          if (job.state !== 'resuming' || job.executor === undefined) return slot();
          job.slot = slot;
          job.state = 'streaming';
          return go(job.executor);
        },
        () => undefined, // Killed while it waited for its turn.
      );
  }

  /** Gives the slot back, or the wait for one up: a job that waits must not keep others from running. */
  park(job: Job): void {
    job.turn?.abort();
    job.turn = undefined;
    job.slot?.();
    job.slot = undefined;
  }

  /** Nothing of the job runs there any more. */
  leave(job: Job): void {
    const { executor } = job;
    if (executor === undefined) return;
    const jobs = this.#jobs.get(executor);
    jobs?.delete(job);
    if (jobs?.size === 0) this.#jobs.delete(executor);
    this.#read(job.session, executor);
    this.#options.executors.release(executor);
  }

  /** Whether other jobs would die with its executor that are not meant to. */
  hasNeighbours(job: Job): boolean {
    return this.#with(job.executor).some((other) => other !== job && other.state !== 'dying');
  }

  /** The job's executor is not read until the session's link has room; but one in which a job is dying must be heard. */
  pause(job: Job): void {
    const { executor, session } = job;
    if (executor === undefined || this.#with(executor).some(({ state }) => state === 'dying')) return;
    const paused = this.#paused.get(session) ?? new Set();
    this.#paused.set(session, paused.add(executor));
    executor.pause();
  }

  /** What the job's executor has to say is heard again. */
  hear(job: Job): void {
    if (job.executor !== undefined) this.#read(job.session, job.executor);
  }

  /** The session's link has room again. */
  drained(session: Session): void {
    for (const executor of this.#paused.get(session) ?? []) this.#read(session, executor);
  }

  #enter(job: Job, executor: Executor): void {
    job.turn = undefined;
    job.executor = executor;
    job.state = 'sent';
    this.#jobs.set(executor, (this.#jobs.get(executor) ?? new Set<Job>()).add(job));
    this.#options.started(job, executor);
    executor.run(this.#taskNow(job), this.#options.listen(job));
  }

  /** The task with the time that is left of it after its wait for a place. */
  #taskNow({ task, since }: Job): Task {
    if (task.timeLeft === undefined) return task;
    return { ...task, timeLeft: Math.max(1, Math.ceil(since + task.timeLeft - this.#options.clock.now())) };
  }

  #with(executor: Executor | undefined): Job[] {
    return executor === undefined ? [] : [...(this.#jobs.get(executor) ?? [])];
  }

  #read(session: Session, executor: Executor): void {
    const paused = this.#paused.get(session);
    if (paused?.delete(executor) !== true) return;
    if (paused.size === 0) this.#paused.delete(session);
    executor.resume();
  }
}

/** What takes the job's wait for a slot back. */
function leaving(job: Job): AbortSignal {
  job.turn = new AbortController();
  return job.turn.signal;
}
