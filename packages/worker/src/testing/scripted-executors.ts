import type { Clock } from '@muster/rexi';
import { ClusterError } from '@muster/rexi';
import type {
  Executor,
  ExecutorEvents,
  Executors,
  Isolation,
  JobEntry,
  Task,
  Totals,
  Waiting,
} from '../executor/executor.ts';
import type { Script, StoreAnswer } from './script.ts';
import type { ScriptedRunOptions } from './scripted-run.ts';
import { ScriptedRun } from './scripted-run.ts';

export interface ScriptedExecutorsOptions {
  readonly clock: Clock;
  readonly scripts: Readonly<Record<string, Script>>;
  /** Executors that there may be; one more is `overloaded`. Default 64. */
  readonly most?: number;
  /** Milliseconds until an executor is there. Default 0: at once. */
  readonly starts?: number;
  /** Milliseconds until a killed executor is gone. Default 0: by `clock.soon`. */
  readonly dies?: number;
}

/**
 * Executors without processes: jobs are scripts, time is the clock's, and everything that has run is written down.
 * One shared executor serves an incarnation; every exclusive one serves one task and is then gone.
 */
export class ScriptedExecutors implements Executors {
  readonly jobs: ReadonlyMap<string, JobEntry>;
  readonly options: ScriptedExecutorsOptions;
  /** Every task that was ever run, in order. */
  readonly started: Task[] = [];
  readonly retired: string[] = [];
  readonly #alive: Set<ScriptedExecutor> = new Set();
  #ids = 0;

  constructor(options: ScriptedExecutorsOptions) {
    this.options = options;
    this.jobs = new Map(Object.entries(options.scripts).map(([name, script]) => [name, entryOf(name, script)]));
  }

  /** Executors that are alive. */
  get executors(): readonly ScriptedExecutor[] {
    return [...this.#alive];
  }

  /** References of the jobs that live in an executor, heard of or not. */
  get running(): string[] {
    return this.executors.flatMap((executor) => executor.refs);
  }

  acquire(isolation: Isolation, incarnation: string, { left }: Waiting = {}): Promise<Executor> {
    const known = this.executors.find(
      (one) => one.isolation === 'shared' && one.incarnation === incarnation && !one.ending,
    );
    if (isolation === 'shared' && known !== undefined) return Promise.resolve(known);
    if (this.#alive.size >= (this.options.most ?? 64)) {
      return Promise.reject(new ClusterError('overloaded', `There are ${this.#alive.size} executors already.`));
    }
    const executor = new ScriptedExecutor((this.#ids += 1), isolation, incarnation, this);
    this.#alive.add(executor);
    const { starts, clock } = this.options;
    return starts === undefined
      ? Promise.resolve(executor)
      : new Promise((resolve, reject) => {
          const timer = clock.after(starts, () => resolve(executor));
          const signal = left?.();
          signal?.addEventListener('abort', () => {
            timer.cancel();
            this.gone(executor);
            reject(signal.reason as Error);
          });
        });
  }

  release(executor: Executor): void {
    const { isolation, incarnation, refs } = executor as ScriptedExecutor;
    if (isolation === 'exclusive' || (refs.length === 0 && this.retired.includes(incarnation))) this.gone(executor);
  }

  retire(incarnation: string): void {
    this.retired.push(incarnation);
    for (const one of this.executors) if (one.incarnation === incarnation && one.refs.length === 0) this.gone(one);
  }

  gone(executor: Executor): void {
    this.#alive.delete(executor as ScriptedExecutor);
  }

  async close(): Promise<void> {
    await Promise.all(this.executors.map((executor) => executor.kill('the node closes')));
  }
}

/** An executor that is no process. What it says while it is paused waits, as it would in a socket. */
export class ScriptedExecutor implements Executor {
  readonly id: number;
  readonly pid: undefined = undefined;
  readonly isolation: Isolation;
  readonly incarnation: string;
  /** What it was told of each task, in words. */
  readonly heard: string[] = [];
  paused = false;
  readonly #all: ScriptedExecutors;
  readonly #runs: Map<number, ScriptedRun> = new Map();
  readonly #unread: (() => void)[] = [];
  readonly #questions: Map<number, (answer: StoreAnswer) => void> = new Map();
  #asked = 0;
  #gone: Promise<void> | undefined;

  constructor(id: number, isolation: Isolation, incarnation: string, all: ScriptedExecutors) {
    this.id = id;
    this.isolation = isolation;
    this.incarnation = incarnation;
    this.#all = all;
  }

  get ending(): boolean {
    return this.#gone !== undefined;
  }

  get refs(): string[] {
    return [...this.#runs.values()].map(({ task }) => task.ref);
  }

  run(task: Task, events: ExecutorEvents): void {
    const { clock, scripts } = this.#all.options;
    const script = scripts[task.job];
    if (script === undefined) throw new Error(`There is no script "${task.job}".`);
    this.#all.started.push(task);
    this.heard.push(`run ${task.id}`);
    const over = (): void => void this.#runs.delete(task.id);
    const ask: ScriptedRunOptions['ask'] = (operation, payload, answered) => {
      this.#asked += 1;
      this.#questions.set(this.#asked, answered);
      this.#read(events).request(task.id, this.#asked, operation, payload);
    };
    const die = (): void => void this.kill('it died');
    this.#runs.set(task.id, new ScriptedRun({ clock, task, script, events: this.#read(events), over, die, ask }));
  }

  start(task: number, window: Totals): void {
    this.heard.push(`start ${task} ${window.rows}`);
    this.#runs.get(task)?.start(window);
  }

  credit(task: number, acked: Totals): void {
    this.heard.push(`credit ${task} ${acked.rows}`);
    this.#runs.get(task)?.credit(acked);
  }

  abort(task: number, reason: string): void {
    this.heard.push(`abort ${task} ${reason}`);
    this.#runs.get(task)?.abort();
  }

  answer(request: number, ok: boolean, payload: Uint8Array): void {
    const answered = this.#questions.get(request);
    this.#questions.delete(request);
    answered?.({ ok, payload });
  }

  noted(task: number, taken: boolean): void {
    this.#runs.get(task)?.notices.noted(taken);
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
    while (!this.paused && this.#unread.length > 0) this.#unread.shift()?.();
  }

  kill(why: string): Promise<void> {
    this.heard.push(`kill ${why}`);
    this.#gone ??= new Promise((resolve) => {
      const { clock, dies } = this.#all.options;
      const gone = (): void => (this.#die(why), resolve());
      if (dies === undefined) clock.soon(gone);
      else clock.after(dies, gone);
    });
    return this.#gone;
  }

  #die(why: string): void {
    const lost = [...this.#runs.values()];
    this.#runs.clear();
    this.#all.gone(this);
    for (const run of lost) run.lost();
    this.resume();
    for (const run of lost) run.events.exited(why);
  }

  /** The same events, each as soon as this executor is read. */
  #read(events: ExecutorEvents): ExecutorEvents {
    return new Proxy(events, {
      get:
        (target, name: keyof ExecutorEvents) =>
        (...said: never[]) => {
          const tell = (): void => Reflect.apply(target[name], target, said);
          if (this.paused) this.#unread.push(tell);
          else tell();
        },
    });
  }
}

function entryOf(name: string, { stream = false, isolation, lane = 'default' }: Script): JobEntry {
  return { name, stream, isolation: isolation ?? (stream ? 'shared' : 'exclusive'), lane };
}
