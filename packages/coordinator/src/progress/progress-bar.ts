/* oxlint-disable no-restricted-globals -- this shell owns the error stream that it draws on unless told otherwise */
import type { Clock, Timer } from '@muster/rexi';
import { systemClock } from '@muster/rexi';
import type { NoticeSource } from '../request.ts';
import { Tally } from './tally.ts';
import { progressText } from './text.ts';

/** What a bar is drawn on: `process.stderr`, or any other writable stream. */
export interface ProgressStream {
  readonly isTTY?: boolean;
  /** Characters of one line of a terminal. */
  readonly columns?: number;
  write(text: string): unknown;
  on?(event: 'error', heard: () => void): unknown;
}

export interface ProgressOptions {
  /** Default the error stream of the process. */
  readonly stream?: ProgressStream;
  /** Said in front. Default nothing. */
  readonly label?: string;
  /** How much there is to do. Default what jobs say in `ctx.progress({ done, total })`, all together; without it there is no bar, but a count. */
  readonly total?: number;
  /** Milliseconds between two lines where the stream is no terminal. Default 5,000. */
  readonly every?: number;
  /** For tests. */
  readonly clock?: Clock;
}

export interface ProgressBar extends Disposable {
  /** Takes what jobs say: `ctx.progress(done)` or `ctx.progress({ done, total })`. Give it to a request as it is. */
  readonly onProgress: (value: unknown, part: number | string | undefined, from: NoticeSource) => void;
  /** So much more was done by the program itself. Default 1. */
  add(count?: number): void;
  /** Draws how far it came, and leaves the line. May be called twice; so does the end of a `using` scope. */
  end(): void;
}

/** Milliseconds between two drawings on a terminal. */
const frame = 100;
const defaultEvery = 5_000;
const defaultWidth = 80;

/**
 * Shows how far a request is: a bar on a terminal, and else a line now and then. It never throws, whatever it is told and
 * whatever becomes of its stream, and never keeps the process alive.
 */
export function progressBar(given: ProgressStream | ProgressOptions = {}): ProgressBar {
  const options: ProgressOptions = 'write' in given ? { stream: given } : given;
  const { stream = process.stderr, label = '', total, every = defaultEvery, clock = systemClock } = options;
  const bar = new Bar({ stream, label, tally: new Tally(total), every, clock });
  return {
    onProgress: (value, part, from) => bar.changed(bar.tally.hear(value, part, from)),
    add: (count = 1) => bar.changed(bar.tally.add(count)),
    end: () => bar.end(),
    [Symbol.dispose]: () => bar.end(),
  };
}

interface BarOptions {
  readonly stream: ProgressStream;
  readonly label: string;
  readonly tally: Tally;
  readonly every: number;
  readonly clock: Clock;
}

/** When something is drawn. */
class Bar {
  readonly tally: Tally;
  readonly #options: BarOptions;
  readonly #began: number;
  readonly #terminal: boolean;
  #drawnAt: number;
  #last = '';
  #timer: Timer | undefined;
  #any = false;
  #over = false;

  constructor(options: BarOptions) {
    const { stream, clock, tally } = options;
    this.tally = tally;
    this.#options = options;
    this.#terminal = stream.isTTY === true;
    this.#began = clock.now();
    // A bar is there with the first word; the first line has its time.
    this.#drawnAt = this.#terminal ? -Infinity : this.#began;
    guard(stream);
  }

  changed(heard: boolean): void {
    if (!heard || this.#over) return;
    this.#any = true;
    if (this.#timer !== undefined) return;
    const { clock, every } = this.#options;
    const due = this.#drawnAt + (this.#terminal ? frame : every) - clock.now();
    if (due <= 0) return this.#draw();
    this.#timer = clock.after(due, () => {
      this.#timer = undefined;
      this.#draw();
    });
  }

  end(): void {
    if (this.#over) return;
    this.#over = true;
    this.#timer?.cancel();
    if (!this.#any) return;
    this.#draw();
    if (this.#terminal) this.#write('\n');
  }

  #draw(): void {
    const { clock, label, stream } = this.#options;
    const { done, total } = this.tally;
    this.#drawnAt = clock.now();
    // The last column is left free: a terminal would go to the next line.
    const width = this.#terminal ? (stream.columns || defaultWidth) - 1 : Infinity;
    const text = progressText({ label, done, total, elapsed: clock.now() - this.#began }, width);
    if (text === this.#last) return;
    this.#last = text;
    this.#write(this.#terminal ? `\r${text}\u001b[K` : `${text}\n`);
  }

  #write(text: string): void {
    try {
      this.#options.stream.write(text);
    } catch {
      // Nobody sees it, and the program goes on.
    }
  }
}

/** Streams that are listened to already. */
const guarded: WeakSet<ProgressStream> = new WeakSet();

/** A stream that breaks says so when nobody waits for it: it must not end the program. */
function guard(stream: ProgressStream): void {
  if (guarded.has(stream)) return;
  guarded.add(stream);
  stream.on?.('error', () => undefined);
}
