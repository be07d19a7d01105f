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
  /** Sessions before whose link too much waits, and their executors that are not read for that. */
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
      executor = await executors.acquire(isolation, job.session.incarnation, {
        left: () => leaving(job),
        parks: stream,
      });
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
    if (jobs?.size === 0) {
      this.#jobs.delete(executor);
      this.#read(job.session, executor);
    }
    this.#options.executors.release(executor);
  }

  /** Whether other jobs would die with its executor that are not meant to. */
  hasNeighbours(job: Job): boolean {
    return this.#with(job.executor).some((other) => other !== job && other.state !== 'dying');
  }

  /**
   * The executors of the job's session are not read until its link has room, those included in which its next jobs
   * begin; but one in which a job is dying must be heard, until it is dead.
   */
  pause({ session, executor }: Job): void {
    if (this.#paused.has(session)) return this.#pause(session, executor);
    this.#paused.set(session, new Set());
    for (const [one, [any]] of this.#jobs) if (any?.session === session) this.#pause(session, one);
  }

  /** What the job's executor has to say is heard again. */
  hear(job: Job): void {
    if (job.executor !== undefined) this.#read(job.session, job.executor);
  }

  /** The session's link has room again, or there is none any more. */
  drained(session: Session): void {
    const paused = this.#paused.get(session) ?? [];
    this.#paused.delete(session);
    for (const executor of paused) executor.resume();
  }

  #enter(job: Job, executor: Executor): void {
    job.turn = undefined;
    job.executor = executor;
    job.state = 'sent';
    this.#jobs.set(executor, (this.#jobs.get(executor) ?? new Set<Job>()).add(job));
    this.#pause(job.session, executor);
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

  #pause(session: Session, executor: Executor | undefined): void {
    const paused = this.#paused.get(session);
    if (executor === undefined || paused === undefined || paused.has(executor)) return;
    if (this.#with(executor).some(({ state }) => state === 'dying')) return;
    paused.add(executor);
    executor.pause();
  }

  #read(session: Session, executor: Executor): void {
    if (this.#paused.get(session)?.delete(executor) === true) executor.resume();
  }
}

/** What takes the job's wait for a slot back. */
function leaving(job: Job): AbortSignal {
  job.turn = new AbortController();
  return job.turn.signal;
}
