import { ClusterError } from '@muster/rexi';
import { isObjectRef } from '@muster/store';
import type { LoadedJob } from '../job/load.ts';
import { asError, refused, thrown } from './failure.ts';
import type { Failure } from './executor.ts';
import type { Host } from './host.ts';
import { Notices } from './notices.ts';
import { TaskContext } from './task-context.ts';
import type { FromExecutor, Run } from './words.ts';

/** What one run of one job is made of. */
export interface Order {
  readonly host: Host;
  readonly word: Run;
  readonly job: LoadedJob;
  readonly args: unknown;
}

/** A value on its way out, and the objects that it refers to. */
interface Packed {
  readonly keys: readonly string[];
  readonly value: Uint8Array;
}

/** A job that runs here. It ends once; what it says afterwards is not heard. */
export abstract class RunningTask {
  readonly id: number;
  readonly alone: boolean;
  readonly host: Host;
  readonly job: LoadedJob;
  readonly context: TaskContext;
  state: 'open' | 'aborting' | 'ended' = 'open';
  protected readonly inlineUpTo: number | undefined;
  protected readonly args: unknown;
  #notices: Notices | undefined;

  constructor({ host, word, job, args }: Order) {
    this.host = host;
    this.id = word.task;
    this.alone = word.alone;
    this.inlineUpTo = word.inlineUpTo;
    this.job = job;
    this.args = args;
    this.context = new TaskContext(this, word);
  }

  /** What it says beside its rows and its value. */
  get notices(): Notices {
    const { host, id } = this;
    return (this.#notices ??= new Notices({
      codec: host.codec,
      send: (notice) => host.send({ type: 'notice', task: id, ...notice }),
      atEnd: (run) => host.turn.atEnd(run),
    }));
  }

  /** The job has been taken. */
  abstract begin(): void;
  /** Ends what runs as far as it can be ended; calls `finish` when it has. */
  protected abstract unwind(): void;

  /** Asks the job to end. However it then does, it is `stopped`. */
  abort(reason: string): void {
    if (this.state !== 'open') return;
    this.state = 'aborting';
    this.context.abort(new ClusterError('cancelled', reason));
    this.unwind();
  }

  /** An error of this job that nobody has caught: the job has failed, whatever its code still does. */
  blame(error: unknown): void {
    if (this.state === 'ended') return;
    this.fail(thrown(error, this.host.codec));
    this.context.abort(asError(error));
    this.unwind();
  }

  protected fail(failure: Failure): void {
    this.finish({ type: 'failed', task: this.id, ...failure });
  }

  /** Says the end, unless it was said. */
  protected finish(word: FromExecutor): void {
    if (this.state === 'ended') return;
    // In every end: what they have planned for the end of this turn would come behind it.
    if (this.state === 'open') this.#notices?.close();
    else this.#notices?.abort();
    this.host.send(this.state === 'aborting' ? { type: 'stopped', task: this.id } : word);
    this.state = 'ended';
    this.context.close();
    this.host.ended(this);
  }

  /** Ends with a value, or with the key of what is kept of it. */
  protected conclude(type: 'reply' | 'last', value: unknown): void {
    if (this.state !== 'open') return this.finish({ type: 'stopped', task: this.id });
    const { host, inlineUpTo } = this;
    if (inlineUpTo === undefined || isObjectRef(value)) return this.#say(type, value);
    const small = inlineUpTo === 0 ? undefined : this.#packed(value, inlineUpTo);
    if (small !== undefined) return this.finish({ type, task: this.id, ...small });
    const kept = host.as(this, () => host.store.put(value));
    kept.then((ref) => this.#say(type, ref), this.#unkept);
  }

  #say(type: 'reply' | 'last', value: unknown): void {
    try {
      this.finish({ type, task: this.id, ...this.#pack(value) });
    } catch (error) {
      this.fail(refused(error));
    }
  }

  #pack(value: unknown): Packed {
    const { codec } = this.host;
    const snapshot = codec.snapshot(value, 'result');
    const keys = snapshot.refs.length === 0 ? snapshot.refs : [...new Set(snapshot.refs)];
    return { keys, value: codec.packSnapshot(snapshot) };
  }

  /** The value as it is replied, if it has no more bytes than that. What no message could carry, the store may still take. */
  #packed(value: unknown, most: number): Packed | undefined {
    try {
      const packed = this.#pack(value);
      return packed.value.length <= most ? packed : undefined;
    } catch {
      return undefined; // The store says what is wrong with it, if anything is.
    }
  }

  /** The value could not be packed, or the store would not have it. */
  readonly #unkept = (error: unknown): void => {
    const { code } = error as { readonly code?: unknown };
    this.fail(code === 'not_serializable' ? refused(error) : thrown(error, this.host.codec));
  };
}
