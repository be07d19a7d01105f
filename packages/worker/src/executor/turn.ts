import type { Clock } from '@muster/rexi';

/** Code that goes on by itself gives way after this many milliseconds, so that aborts and credit are read. */
const slice = 2;

/**
 * A turn of the event loop, as everything in an executor shares it: first the streams flush what they have, then the
 * socket gets all of it in one write, then those that had used up the turn go on, in the next one.
 */
export class Turn {
  readonly #clock: Clock;
  #began = 0;
  #armed = false;
  #ends: (() => void)[] = [];
  #flush: (() => void) | undefined;
  #nexts: (() => void)[] = [];

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether the end of this turn is still to come. */
  get armed(): boolean {
    return this.#armed;
  }

  /** Whether this turn has lasted long enough. */
  get over(): boolean {
    this.#arm();
    return this.#clock.now() - this.#began > slice;
  }

  /** Calls once at the end of this turn, before its output leaves. */
  atEnd(run: () => void): void {
    this.#ends.push(run);
    this.#arm();
  }

  /** Calls once, last in this turn: the one write. */
  readonly flush = (run: () => void): void => {
    this.#flush = run;
    this.#arm();
  };

  /** Calls once in the next turn. */
  next(run: () => void): void {
    this.#nexts.push(run);
    this.#arm();
  }

  #arm(): void {
    if (this.#armed) return;
    this.#armed = true;
    this.#began = this.#clock.now();
    this.#clock.soon(() => this.#end());
  }

  #end(): void {
    const [ends, nexts] = [this.#ends, this.#nexts];
    this.#ends = [];
    this.#nexts = [];
    for (const run of ends) run();
    const flush = this.#flush;
    this.#flush = undefined;
    flush?.();
    this.#armed = false;
    for (const run of nexts) run();
  }
}
