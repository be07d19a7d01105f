import type { Executor, ExecutorEvents, Executors, Isolation, JobEntry, Task, Totals, Waiting } from '@muster/worker';
import type { ScriptedExecutor, ScriptedExecutorsOptions } from '@muster/worker/testing';
import { ScriptedExecutors } from '@muster/worker/testing';
import type { SimProcess } from '../simulation/sim-process.ts';

/** What is seen of a job where it runs, whatever its agent knows of it. */
export interface JobWitness {
  begun(task: Task): void;
  started(ref: string, window: Totals): void;
  credited(ref: string, acked: Totals): void;
  rows(ref: string, count: number, bytes: number): void;
  over(ref: string, how: string): void;
}

export interface SimExecutorsOptions extends ScriptedExecutorsOptions {
  readonly agent: SimProcess;
  readonly witness: JobWitness;
}

/**
 * Executors of an agent that is a process of its own: they live on when it dies, what they say waits while it is
 * stopped, and what it says after its death reaches nobody.
 */
export class SimExecutors implements Executors {
  readonly all: ScriptedExecutors;
  readonly #options: SimExecutorsOptions;
  readonly #seats: Map<ScriptedExecutor, Seat> = new Map();

  constructor(options: SimExecutorsOptions) {
    this.#options = options;
    this.all = new ScriptedExecutors(options);
  }

  get jobs(): ReadonlyMap<string, JobEntry> {
    return this.all.jobs;
  }

  async acquire(isolation: Isolation, incarnation: string, waiting?: Waiting): Promise<Executor> {
    const executor = (await this.all.acquire(isolation, incarnation, waiting)) as ScriptedExecutor;
    await new Promise<void>((resolve) => this.#options.agent.enter('sockets', resolve));
    const known = this.#seats.get(executor);
    if (known !== undefined) return known;
    const seat = new Seat(executor, this.#options);
    this.#seats.set(executor, seat);
    return seat;
  }

  release(executor: Executor): void {
    this.all.release((executor as Seat).inner);
  }

  retire(incarnation: string): void {
    this.all.retire(incarnation);
  }

  /** SIGKILL of one of them, by nobody's order. False where there is none. */
  crash(which: number): boolean {
    const { executors } = this.all;
    if (executors.length === 0) return false;
    void executors[which % executors.length]?.kill('it crashed');
    return true;
  }

  /** The reaper's work: none of them outlives its agent for long. */
  reap(): void {
    // Also one that was retired between being given to a job and running it: its process is there all the same.
    for (const executor of new Set([...this.all.executors, ...this.#seats.keys()])) void executor.kill('reaped');
  }

  close(): Promise<void> {
    return this.all.close();
  }
}

/** One executor as its agent holds it. */
class Seat implements Executor {
  readonly inner: ScriptedExecutor;
  readonly #agent: SimProcess;
  readonly #witness: JobWitness;
  readonly #refs: Map<number, string> = new Map();

  constructor(inner: ScriptedExecutor, { agent, witness }: SimExecutorsOptions) {
    this.inner = inner;
    this.#agent = agent;
    this.#witness = witness;
  }

  get id(): number {
    return this.inner.id;
  }

  get pid(): undefined {
    return undefined;
  }

  get isolation(): Isolation {
    return this.inner.isolation;
  }

  get ending(): boolean {
    return this.inner.ending;
  }

  run(task: Task, events: ExecutorEvents): void {
    if (this.#agent.isDead) return;
    this.#refs.set(task.id, task.ref);
    this.#witness.begun(task);
    this.inner.run(task, this.#through(task, events));
  }

  start(task: number, window: Totals): void {
    this.#tell(task, (ref) => {
      this.#witness.started(ref, window);
      this.inner.start(task, window);
    });
  }

  credit(task: number, acked: Totals): void {
    this.#tell(task, (ref) => {
      this.#witness.credited(ref, acked);
      this.inner.credit(task, acked);
    });
  }

  abort(task: number, reason: string): void {
    this.#tell(task, () => this.inner.abort(task, reason));
  }

  answer(request: number, ok: boolean, payload: Uint8Array): void {
    if (!this.#agent.isDead) this.inner.answer(request, ok, payload);
  }

  noted(task: number, taken: boolean): void {
    this.#tell(task, () => this.inner.noted(task, taken));
  }

  pause(): void {
    if (!this.#agent.isDead) this.inner.pause();
  }

  resume(): void {
    if (!this.#agent.isDead) this.inner.resume();
  }

  async kill(why: string): Promise<void> {
    if (this.#agent.isDead) return new Promise(() => undefined);
    await this.inner.kill(why);
    await new Promise<void>((resolve) => this.#agent.enter('sockets', resolve));
  }

  #tell(task: number, say: (ref: string) => void): void {
    const ref = this.#refs.get(task);
    if (!this.#agent.isDead && ref !== undefined) say(ref);
  }

  /** What the job says: seen here first, then told to the agent as soon as that reads it. */
  #through({ ref, id }: Task, events: ExecutorEvents): ExecutorEvents {
    const witness = this.#witness;
    const over = (how: string): void => {
      this.#refs.delete(id);
      witness.over(ref, how);
    };
    const tell = (run: () => void): void => this.#agent.enter('sockets', run);
    return {
      taken: (task) => tell(() => events.taken(task)),
      rows(task, count, batch) {
        witness.rows(ref, count, batch.length);
        tell(() => events.rows(task, count, batch));
      },
      parked: (task, seen) => tell(() => events.parked(task, seen)),
      reply(task, value, keys) {
        over('reply');
        tell(() => events.reply(task, value, keys));
      },
      last(task, value, keys) {
        over('last');
        tell(() => events.last(task, value, keys));
      },
      rowKeys: (task, keys) => tell(() => events.rowKeys(task, keys)),
      failed(task, failure) {
        over(`failed ${failure.code}`);
        tell(() => events.failed(task, failure));
      },
      stopped(task) {
        over('stopped');
        tell(() => events.stopped(task));
      },
      notice: (task, notice) => tell(() => events.notice(task, notice)),
      request: (task, request, operation, payload) => tell(() => events.request(task, request, operation, payload)),
      exited(cause) {
        over('exited');
        tell(() => events.exited(cause));
      },
    };
  }
}
