import type { Clock } from '@muster/rexi';
import { ValueCodec } from '@muster/rexi';
import type { ExecutorEvents, Task, Totals } from '../executor/executor.ts';
import { Notices } from '../executor/notices.ts';
import { isObjectRef, ObjectRef } from '@muster/store';
import type { Script, Step, StoreAnswer } from './script.ts';

/** References stay what they are: a script asks the store itself. */
const codec = new ValueCodec({
  refs: { encode: (value) => (isObjectRef(value) ? value.key : undefined), decode: (key) => new ObjectRef(key) },
});
const none: Totals = { rows: 0, bytes: 0 };

export interface ScriptedRunOptions {
  readonly clock: Clock;
  readonly task: Task;
  readonly script: Script;
  readonly events: ExecutorEvents;
  /** The run has ended by itself, or has heeded an abort. */
  readonly over: () => void;
  /** Asks the node's store. */
  readonly ask: (operation: string, payload: Uint8Array, answered: (answer: StoreAnswer) => void) => void;
  /** The script brings its executor down. */
  readonly die: () => void;
}

/** One run of a scripted job: takes its steps in order, waits for its start and for credit, and ends once. */
export class ScriptedRun {
  readonly task: Task;
  readonly events: ExecutorEvents;
  readonly notices: Notices;
  readonly #options: ScriptedRunOptions;
  /** Those that are still to be taken. */
  readonly #steps: Step[];
  readonly #held: { readonly bytes: Uint8Array; readonly count: number }[] = [];
  #started = false;
  #over = false;
  #window: Totals = none;
  #acked: Totals = none;
  #sent: Totals = none;

  constructor(options: ScriptedRunOptions) {
    const { clock, task, script } = options;
    this.task = task;
    this.events = options.events;
    this.#options = options;
    this.notices = new Notices({
      codec,
      send: (notice) => this.events.notice(task.id, notice),
      atEnd: (run) => clock.soon(() => this.#over || run()),
    });
    this.#steps = [...stepsOf(script, task)];
    later(clock, script.takes, () => this.#taken());
  }

  start(window: Totals): void {
    this.#window = window;
    this.#started = true;
    this.#play();
  }

  credit(acked: Totals): void {
    this.#acked = acked;
    if (this.#held.length > 0) this.#play();
  }

  abort(): void {
    const { clock, script } = this.#options;
    later(clock, script.stops, () => this.#end(() => this.events.stopped(this.task.id)));
  }

  /** Its executor is gone: whatever it waits for, it says nothing more. */
  lost(): void {
    this.#over = true;
  }

  #taken(): void {
    if (this.#over) return;
    this.events.taken(this.task.id);
    if (this.#options.script.stream !== true) this.start(none);
  }

  #play(): void {
    while (!this.#over && this.#started) {
      if (this.#held.length > 0) {
        if (!this.#sendHeld()) return;
        continue;
      }
      const step = this.#steps.shift();
      if (!this.#take(step ?? { do: 'end' })) return;
    }
  }

  /** Takes one step; false where the next has to wait. */
  #take(step: Step): boolean {
    const { id } = this.task;
    switch (step.do) {
      case 'rows':
        this.#held.push(...batches(step.rows, step.batch ?? 1));
        return true;
      case 'flood':
        for (const { bytes, count } of batches(step.rows, 1)) this.events.rows(id, count, bytes);
        return true;
      case 'wait':
        this.#options.clock.after(step.ms, () => this.#play());
        return false;
      case 'hang':
        return false;
      case 'ping':
        this.notices.ping();
        return true;
      case 'progress':
        this.notices.progress(codec.pack(step.value));
        return true;
      case 'log':
        this.notices.log(codec.pack(step.value));
        return true;
      case 'ask':
        this.#options.ask(step.operation, step.payload, (answer) => {
          this.#steps.unshift(...step.next(answer));
          this.#play();
        });
        return false;
      case 'die':
        this.#options.die();
        return false;
      default:
        this.#finish(step);
        return false;
    }
  }

  #finish(step: Extract<Step, { do: 'end' | 'fail' }>): void {
    const { id } = this.task;
    if (step.do === 'fail') {
      const { code = 'job_failed', message = 'it was told to fail' } = step;
      const error = code === 'job_failed' ? codec.pack(new Error(message)) : new Uint8Array();
      return this.#end(() => this.events.failed(id, { code, detail: '', message, error }));
    }
    const { keys = [] } = step;
    const value = codec.pack(step.value);
    this.#end(() =>
      this.#options.script.stream === true ? this.events.last(id, value, keys) : this.events.reply(id, value, keys),
    );
  }

  /** Sends what there is credit for; false, and parked, when something is left. */
  #sendHeld(): boolean {
    for (let next = this.#held[0]; next !== undefined; next = this.#held[0]) {
      if (!this.#fits(next.count, next.bytes.length)) {
        this.events.parked(this.task.id, this.#acked);
        return false;
      }
      this.#held.shift();
      this.#sent = { rows: this.#sent.rows + next.count, bytes: this.#sent.bytes + next.bytes.length };
      this.events.rows(this.task.id, next.count, next.bytes);
    }
    return true;
  }

  #fits(count: number, bytes: number): boolean {
    const rows = this.#sent.rows - this.#acked.rows + count;
    const open = this.#sent.bytes - this.#acked.bytes + bytes;
    return rows <= this.#window.rows && (open <= this.#window.bytes || rows === 1);
  }

  #end(tell: () => void): void {
    if (this.#over) return;
    this.notices.close();
    this.#over = true;
    this.#options.over();
    tell();
  }
}

/** Calls `run` after so many milliseconds; by `soon` for none, and never for infinitely many. */
function later(clock: Clock, ms: number | undefined, run: () => void): void {
  if (ms === undefined || ms === 0) clock.soon(run);
  else if (ms !== Infinity) clock.after(ms, run);
}

function stepsOf({ steps }: Script, { ref, args, shard }: Task): readonly Step[] {
  if (typeof steps !== 'function') return steps;
  return steps({ ref, args: unpacked(args), shard: unpacked(shard) });
}

function unpacked(bytes: Uint8Array): unknown {
  return bytes.length === 0 ? undefined : codec.unpack(bytes);
}

function batches(rows: readonly unknown[], most: number): { bytes: Uint8Array; count: number }[] {
  const all: { bytes: Uint8Array; count: number }[] = [];
  for (let at = 0; at < rows.length; at += most) {
    const some = rows.slice(at, at + most);
    all.push({ bytes: codec.packRows(some.map((row) => codec.snapshot(row))), count: some.length });
  }
  return all;
}
