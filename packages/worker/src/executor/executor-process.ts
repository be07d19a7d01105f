import type { Clock } from '@muster/rexi';
import type { Hunter, Prey } from '../reaper/hunter.ts';
import type { ExecutorEvents, Failure, Isolation, Task, Totals } from './executor.ts';
import { Inbox, largestFrame } from './inbox.ts';
import { Outbox } from './outbox.ts';
import type { Keeper, Lent } from './pool-slot.ts';
import type { Spawned } from './spawn.ts';
import { BadWord } from './bad-word.ts';
import { jobOver } from './refusal.ts';
import { readEntries } from './job-entries.ts';
import type { Broken, FromExecutor, Init, Loaded, ToExecutor, Verdict } from './words.ts';
import { agentWording, executorWording } from './wording.ts';

export interface ExecutorProcessOptions {
  readonly id: number;
  readonly spawned: Spawned;
  readonly clock: Clock;
  readonly hunter: Hunter;
  readonly keeper: Keeper;
}

/** After its exit the rest of an executor's output is read, but not for longer than this: somebody else may hold the socket. */
const lastWords = 200;

/** An executor as its agent holds it: its process, its socket, and who listens to which task. */
export class ExecutorProcess implements Lent {
  readonly id: number;
  readonly prey: Prey;
  isolation: Isolation = 'shared';
  used = false;
  readonly #spawned: Spawned;
  readonly #clock: Clock;
  readonly #hunter: Hunter;
  readonly #keeper: Keeper;
  readonly #outbox: Outbox;
  readonly #events: Map<number, ExecutorEvents> = new Map();
  readonly #aborted: Set<number> = new Set();
  readonly #gone: Promise<void>;
  #hunted: Promise<void> | undefined;
  #why = '';
  /** It has said whether its jobs could be loaded. */
  #introduced = false;
  #spoiled = false;
  /** It has said what none says: nothing of it is heard any more. */
  #mute = false;

  constructor({ id, spawned, clock, hunter, keeper }: ExecutorProcessOptions) {
    this.id = id;
    this.prey = spawned.prey;
    this.#spawned = spawned;
    this.#clock = clock;
    this.#hunter = hunter;
    this.#keeper = keeper;
    this.#outbox = new Outbox(spawned.socket, (flush) => clock.soon(flush));
    this.#gone = this.#live();
  }

  get pid(): number {
    return this.prey.pid;
  }

  get ending(): boolean {
    return this.#hunted !== undefined;
  }

  lend(isolation: Isolation): void {
    this.isolation = isolation;
    this.used = false;
  }

  init(word: Omit<Init, 'type'>): void {
    this.#say({ type: 'init', ...word });
  }

  run(task: Task, events: ExecutorEvents): void {
    const { id, job, ref, args, shard, timeLeft = -1, inlineUpTo, trace } = task;
    this.used = true;
    this.#events.set(id, events);
    const alone = this.isolation === 'exclusive';
    this.#say({ type: 'run', task: id, alone, inlineUpTo, trace, timeLeft, job, ref, shard, args });
  }

  start(task: number, { rows, bytes }: Totals): void {
    this.#say({ type: 'start', task, rows, bytes });
  }

  credit(task: number, { rows, bytes }: Totals): void {
    this.#say({ type: 'credit', task, rows, bytes });
  }

  abort(task: number, reason: string): void {
    this.#aborted.add(task);
    this.#say({ type: 'abort', task, reason });
  }

  get condemned(): number {
    for (const task of this.#aborted) if (!this.#events.has(task)) this.#aborted.delete(task);
    return this.#aborted.size;
  }

  answer(request: number, ok: boolean, payload: Uint8Array): void {
    this.#say({ type: 'answer', request, ok, payload });
  }

  noted(task: number, taken: boolean): void {
    this.#say({ type: 'noted', task, taken });
  }

  pause(): void {
    this.#spawned.socket.pause();
  }

  resume(): void {
    this.#spawned.socket.resume();
  }

  kill(why: string): Promise<void> {
    if (this.#hunted === undefined) {
      this.#why = why;
      // What it has still said is read, so that a job which has ended is not called lost.
      this.resume();
      this.#hunted = this.#hunter.kill(this.prey);
      this.#keeper.ending(why, true);
    }
    return this.#gone;
  }

  #say(word: ToExecutor): void {
    agentWording.write(this.#outbox, word);
  }

  /** From the first byte to the last word; resolves when nothing of it is left. */
  async #live(): Promise<void> {
    const { child, socket } = this.#spawned;
    const inbox = new Inbox(largestFrame, (type, fields) => this.#hear(executorWording.read(type, fields)));
    socket.on('data', (chunk: Buffer) => this.#read(inbox, chunk));
    // A broken socket is an executor that is ending, which `exit` tells of.
    socket.on('error', () => undefined);
    const closed = new Promise<void>((resolve) => void socket.once('close', () => resolve()));
    const cause = await new Promise<string>((resolve) => {
      child.once('exit', (code, signal) => resolve(causeOf(code, signal)));
    });
    this.resume();
    if (this.#hunted === undefined) {
      this.#hunted = this.#hunter.kill(this.prey);
      this.#keeper.ending(cause, false);
    }
    const patience = this.#clock.after(lastWords, () => socket.destroy());
    await Promise.all([this.#hunted, closed]);
    patience.cancel();
    this.#end(this.#why === '' ? cause : `${cause}: ${this.#why}`);
  }

  #end(cause: string): void {
    const listeners = [...this.#events.values()];
    this.#events.clear();
    for (const events of listeners) events.exited(cause);
    this.#keeper.gone(cause);
  }

  /** User code can write to the socket as well: what none of ours says ends the executor, and nobody else. */
  #read(inbox: Inbox, chunk: Buffer): void {
    if (this.#mute) return;
    try {
      inbox.push(chunk);
    } catch (error) {
      // Whatever its words have set off here: it is the executor that breaks off, and not the agent.
      this.#mute = true;
      void this.kill(`it wrote to its agent's socket: ${String(error).slice(0, 256)}`);
    }
  }

  #hear(word: FromExecutor): void {
    if (word.type === 'loaded' || word.type === 'broken') return this.#introduce(word);
    if (word.type === 'fit') return this.#judge(word.verdict, word.why);
    const events = this.#events.get(word.task);
    if (events !== undefined) return this.#tell(events, word);
    // Code that a job has left behind may still ask for something on its behalf.
    if (word.type === 'request') return this.answer(word.request, false, jobOver);
    throw new BadWord(`"${word.type}" of a job that is not in it`);
  }

  #introduce(word: Loaded | Broken): void {
    if (this.#introduced) throw new BadWord(`"${word.type}" for the second time`);
    this.#introduced = true;
    if (word.type === 'loaded') return this.#keeper.loaded(readEntries(word.jobs));
    this.#keeper.broken(word.message, word.stack);
  }

  #judge(verdict: Verdict, why: string): void {
    if (this.#spoiled) return;
    this.#spoiled = verdict === 'spoiled';
    const short = why.slice(0, 256);
    if (this.#spoiled) this.#why ||= short;
    this.#keeper.fit(verdict, short);
  }

  /** One that is no end of this job leaves it to hear of the executor's. */
  #tellEnd(events: ExecutorEvents, word: End): void {
    this.#events.delete(word.task);
    try {
      tellEnd(events, word);
    } catch (error) {
      this.#events.set(word.task, events);
      throw error;
    }
  }

  #tell(events: ExecutorEvents, word: Exclude<FromExecutor, { readonly type: 'loaded' | 'broken' | 'fit' }>): void {
    const { task } = word;
    switch (word.type) {
      case 'taken':
        return events.taken(task);
      case 'rows':
        return events.rows(task, word.count, word.batch);
      case 'rowKeys':
        return events.rowKeys(task, word.keys);
      case 'parked':
        return events.parked(task, { rows: word.rows, bytes: word.bytes });
      case 'notice':
        return events.notice(task, word);
      case 'request':
        return events.request(task, word.request, word.operation, word.payload);
      default:
        return this.#tellEnd(events, word);
    }
  }
}

type End = Extract<FromExecutor, { readonly type: 'reply' | 'last' | 'failed' | 'stopped' }>;

function tellEnd(events: ExecutorEvents, word: End): void {
  switch (word.type) {
    case 'reply':
      return events.reply(word.task, word.value, word.keys);
    case 'last':
      return events.last(word.task, word.value, word.keys);
    case 'failed':
      return events.failed(word.task, failureOf(word));
    case 'stopped':
      return events.stopped(word.task);
  }
}

const known: ReadonlySet<string> = new Set<Failure['code']>([
  'job_failed',
  'invalid_args',
  'not_serializable',
  'unknown_job',
  'limit',
  'protocol_error',
]);

/** User code shares the executor's socket: a code of its own invention is none. */
function failureOf({ code, detail, message, error }: Extract<End, { readonly type: 'failed' }>): Failure {
  return { code: known.has(code) ? (code as Failure['code']) : 'job_failed', detail, message, error };
}

function causeOf(code: number | null, signal: NodeJS.Signals | null): string {
  return signal === null ? `it exited with code ${code}` : `it was ended by ${signal}`;
}
