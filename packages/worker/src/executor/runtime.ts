import type { Clock } from '@muster/rexi';
import { ValueCodec } from '@muster/rexi';
import { Store } from '@muster/store';
import type { LoadedJob } from '../job/load.ts';
import type { SchemaResult } from '../job/standard-schema.ts';
import { describeIssues } from '../job/standard-schema.ts';
import { agentConnector } from './agent-connector.ts';
import type { Failure } from './executor.ts';
import { failure, thrown } from './failure.ts';
import { FunctionTask } from './function-task.ts';
import { largestAnswer } from './inbox.ts';
import type { Host } from './host.ts';
import { Bearings } from './host.ts';
import { Locals } from './locals.ts';
import { Questions } from './questions.ts';
import type { Quiet } from './quiet.ts';
import type { Order, RunningTask } from './running-task.ts';
import { StreamTask } from './stream-task.ts';
import type { Turn } from './turn.ts';
import type { FromExecutor, Run, ToExecutor } from './words.ts';

export interface RuntimeOptions {
  readonly node: string;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly turn: Turn;
  readonly jobs: ReadonlyMap<string, LoadedJob>;
  readonly quiet: Quiet;
  send(word: FromExecutor): void;
  congested(again: () => void): boolean;
}

/** Objects travel in chunks between nodes, and may be larger than any message: here, as large as a frame to the agent. */
const objectLimits = { bytes: largestAnswer, items: 2 ** 26 };

/** What runs inside an executor: the table of its tasks, and what they share. */
export class Runtime implements Host {
  readonly node: string;
  readonly dataDir: string;
  readonly clock: Clock;
  readonly turn: Turn;
  readonly store: Store;
  readonly locals: Locals = new Locals();
  readonly send: (word: FromExecutor) => void;
  readonly congested: (again: () => void) => boolean;
  /** Set before the store is made, which takes the codec's place for references. */
  codec!: ValueCodec;
  readonly #jobs: ReadonlyMap<string, LoadedJob>;
  readonly #quiet: Quiet;
  readonly #bearings: Bearings = new Bearings();
  readonly #questions: Questions = new Questions();
  readonly #tasks: Map<number, RunningTask> = new Map();
  /** A shared job has ended that was not followed all the time. */
  #strays = false;
  /** Arguments of these are being checked; the reason once they were aborted meanwhile. */
  readonly #checking: Map<number, string | undefined> = new Map();

  constructor({ node, dataDir, clock, turn, jobs, quiet, send, congested }: RuntimeOptions) {
    this.node = node;
    this.dataDir = dataDir;
    this.clock = clock;
    this.turn = turn;
    this.send = send;
    this.congested = congested;
    this.#jobs = jobs;
    this.#quiet = quiet;
    const connector = agentConnector((operation, payload) => this.#ask(operation, payload));
    this.store = new Store({
      name: node,
      connector,
      clock,
      codec: (refs) => {
        this.codec = new ValueCodec({ refs });
        const objects = new ValueCodec({ refs, limits: objectLimits });
        return { encode: (value) => objects.pack(value), decode: (bytes) => objects.unpack(bytes) };
      },
    });
  }

  hear(word: Exclude<ToExecutor, { readonly type: 'init' }>): void {
    switch (word.type) {
      case 'run':
        return this.#run(word);
      case 'start':
        return this.#stream(word.task)?.start(word);
      case 'credit':
        return this.#stream(word.task)?.credit(word);
      case 'abort':
        return this.#abort(word.task, word.reason);
      case 'noted':
        return this.#tasks.get(word.task)?.notices.noted(word.taken);
      case 'answer':
        return this.#questions.answer(word.request, word.ok, word.payload);
    }
  }

  /**
   * An error that nobody caught. True when one job could be blamed for it, or none is hurt; the executor is to be
   * replaced in any case. False: it may be anybody's, and all of them have to go.
   */
  blame(error: unknown): boolean {
    const culprit = this.#bearings.task ?? this.#suspect;
    culprit?.blame(error);
    return culprit !== undefined || this.#tasks.size === 0;
  }

  inside<T>(task: RunningTask, run: () => T): T {
    return this.#bearings.inside(task, this.#tasks.size > 1, run);
  }

  as<T>(task: RunningTask, run: () => T): T {
    return this.#bearings.as(task, run);
  }

  ended(task: RunningTask): void {
    this.#tasks.delete(task.id);
    if (!task.alone && this.#bearings.wasUnfollowed(task)) this.#strays = true;
    if (task.alone) this.turn.next(() => this.#quiet.look((verdict, why) => this.send({ type: 'fit', verdict, why })));
  }

  /** Whose it is when nothing says so: the only job's, unless one that has ended may have left it behind. */
  get #suspect(): RunningTask | undefined {
    const [only, other] = this.#tasks.values();
    return other === undefined && (only?.alone === true || !this.#strays) ? only : undefined;
  }

  #run(word: Run): void {
    const job = this.#jobs.get(word.job);
    if (job === undefined) return this.#refuse(word, failure('unknown_job', `There is no job "${word.job}".`));
    let args: unknown;
    try {
      args = word.args.length === 0 ? undefined : this.codec.unpack(word.args);
    } catch (error) {
      return this.#refuse(word, failure('protocol_error', `The arguments cannot be read: ${String(error)}`));
    }
    if (job.schema === undefined) this.#take({ host: this, word, job, args });
    else void this.#check({ host: this, word, job, args });
  }

  /** Holds the arguments against the job's schema, which may take its time. */
  async #check(order: Order): Promise<void> {
    const { word, job, args } = order;
    this.#checking.set(word.task, undefined);
    const checked = await this.#validated(job, args);
    const aborted = this.#checking.get(word.task);
    this.#checking.delete(word.task);
    if (aborted !== undefined) this.send({ type: 'stopped', task: word.task });
    else if ('code' in checked) this.#refuse(word, checked);
    else this.#take({ ...order, args: checked.value });
  }

  async #validated({ name, schema }: LoadedJob, args: unknown): Promise<Failure | { readonly value: unknown }> {
    try {
      const result = (await schema?.['~standard'].validate(args)) as SchemaResult<unknown>;
      if (result.issues === undefined) return result;
      const text = describeIssues(result.issues);
      return failure('invalid_args', `The arguments do not fit the schema of job "${name}". ${text}`, text);
    } catch (error) {
      return thrown(error, this.codec); // the schema's own code failed
    }
  }

  #take(order: Order): void {
    const task = order.job.stream ? new StreamTask(order) : new FunctionTask(order);
    this.#tasks.set(task.id, task);
    this.send({ type: 'taken', task: task.id });
    task.begin();
  }

  #refuse({ task, alone }: Run, failed: Failure): void {
    this.send({ type: 'failed', task, ...failed });
    if (alone) this.send({ type: 'fit', verdict: 'clean', why: '' });
  }

  #stream(id: number): StreamTask | undefined {
    const task = this.#tasks.get(id);
    return task instanceof StreamTask ? task : undefined;
  }

  #abort(id: number, reason: string): void {
    if (this.#checking.has(id)) this.#checking.set(id, reason);
    else this.#tasks.get(id)?.abort(reason);
  }

  /** A question belongs to the job whose code runs; one of nobody's is asked on behalf of any. */
  #ask(operation: string, payload: Uint8Array): Promise<Uint8Array> {
    const [any] = this.#tasks.values();
    const task = this.#bearings.task ?? any;
    if (task === undefined) return Promise.reject(new Error('No job runs here any more.'));
    return this.#questions.ask((request) => this.send({ type: 'request', task: task.id, request, operation, payload }));
  }
}
