import type { Trace } from '@muster/rexi';
import type { JobContext, JobShard, JobStore } from '../job/context.ts';
import { packLine, packProgress } from './notice.ts';
import type { RunningTask } from './running-task.ts';
import type { Run } from './words.ts';

/**
 * What a job gets. Most jobs use little of it and tens of thousands of them start in a second, so everything is made
 * when it is first asked for; and as functions that may be taken out of it.
 */
export class TaskContext implements JobContext {
  readonly ref: string;
  readonly deadline: number | undefined;
  readonly trace: Trace | undefined;
  readonly #task: RunningTask;
  readonly #packedShard: Uint8Array;
  #shard: JobShard | undefined;
  #controller: AbortController | undefined;
  #aborted: Error | undefined;
  #store: JobStore | undefined;

  constructor(task: RunningTask, { ref, timeLeft, shard, trace }: Run) {
    this.#task = task;
    this.ref = ref;
    this.trace = trace;
    this.deadline = timeLeft < 0 ? undefined : task.host.clock.now() + timeLeft;
    this.#packedShard = shard;
  }

  get node(): string {
    return this.#task.host.node;
  }

  get dataDir(): string {
    return this.#task.host.dataDir;
  }

  get signal(): AbortSignal {
    if (this.#controller === undefined) {
      this.#controller = new AbortController();
      if (this.#aborted !== undefined) this.#controller.abort(this.#aborted);
    }
    return this.#controller.signal;
  }

  get shard(): JobShard | undefined {
    if (this.#packedShard.length === 0) return undefined;
    return (this.#shard ??= this.#task.host.codec.unpack(this.#packedShard) as JobShard);
  }

  get store(): JobStore {
    const { host } = this.#task;
    return (this.#store ??= {
      put: async (value) => host.as(this.#task, () => host.store.put(value)),
      ref: (key) => host.store.ref(key),
    });
  }

  get log(): JobContext['log'] {
    const { host, notices } = this.#task;
    return (message, fields) => {
      if (this.#open) notices.log(packLine(host.codec, String(message), fields));
    };
  }

  get progress(): JobContext['progress'] {
    const { host, notices } = this.#task;
    return (value) => {
      if (this.#open) notices.progress(packProgress(host.codec, value));
    };
  }

  get ping(): JobContext['ping'] {
    const { notices } = this.#task;
    return () => {
      if (this.#open) notices.ping();
    };
  }

  get local(): JobContext['local'] {
    const { host } = this.#task;
    return (key, load) => host.locals.get(key, load);
  }

  /** Aborts the signal, now or when it is first asked for. */
  abort(reason: Error): void {
    this.#aborted ??= reason;
    this.#controller?.abort(this.#aborted);
  }

  /** The job has ended: nothing it says is heard any more. */
  close(): void {
    this.#store = undefined;
  }

  get #open(): boolean {
    return this.#task.state !== 'ended';
  }
}
