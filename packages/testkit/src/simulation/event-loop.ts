/* oxlint-disable no-restricted-globals -- this is the one place where virtual time meets the event loop of the process */

/** Something that will happen, as long as it is not taken back. */
export interface Pending {
  cancel(): void;
}

interface Alarm extends Pending {
  readonly at: number;
  readonly seq: number;
  run: (() => void) | undefined;
}

/** More events than this without time passing are a loop in the code under test. */
const endless = 200_000;

/**
 * So many events are put into one turn of the process's event loop. Between two callbacks of `setImmediate` Node runs
 * every microtask there is, which is what the code under test expects between two events; and with many callbacks to a
 * turn it costs a tenth of a microsecond instead of a whole one.
 */
const perTurn = 128;

/** Everything that happens in a simulation, in the order of virtual time; at one moment, in the order of asking. */
export class EventLoop {
  /** Virtual nanoseconds since the beginning. */
  now = 0;
  /** Events that have happened. */
  events = 0;
  readonly #heap: Alarm[] = [];
  #ready: (() => void)[] = [];
  #head = 0;
  #seq = 0;
  #still = 0;
  /** Takes what an event has thrown: in a process of its own it would have been an uncaught exception. */
  readonly #thrown: (error: unknown) => void;

  constructor(thrown: (error: unknown) => void) {
    this.#thrown = thrown;
  }

  /** Calls `run` after so many virtual nanoseconds. */
  after(ns: number, run: () => void): Pending {
    const alarm: Alarm = {
      at: this.now + Math.max(0, Math.ceil(ns)),
      seq: (this.#seq += 1),
      run,
      cancel() {
        this.run = undefined;
      },
    };
    push(this.#heap, alarm);
    return alarm;
  }

  /** Calls `run` at this moment, after everything that was asked for before. */
  soon(run: () => void): void {
    this.#ready.push(run);
  }

  /** Lets everything happen up to that moment. Rejects only for code that never comes to rest. */
  run(until: number): Promise<void> {
    return new Promise((resolve, reject) => {
      let over = false;
      let left = 0;
      const turn = (): void => {
        left = perTurn;
        for (let i = 0; i < perTurn; i += 1) setImmediate(step);
      };
      const step = (): void => {
        left -= 1;
        if (over) return;
        if (!this.#step(until)) {
          over = true;
          this.now = Math.max(this.now, until);
          resolve();
        } else if (this.#still > endless) {
          over = true;
          reject(new Error(`${endless} events at ${this.now} ns: something asks for the next turn without end.`));
        } else if (left === 0) turn();
      };
      turn();
    });
  }

  /** Lets the next event happen; false where there is none by `until`. */
  #step(until: number): boolean {
    const run = this.#next(until);
    if (run === undefined) return false;
    this.events += 1;
    this.#still += 1;
    try {
      run();
    } catch (error) {
      this.#thrown(error);
    }
    return true;
  }

  #next(until: number): (() => void) | undefined {
    if (this.#head < this.#ready.length) {
      const run = this.#ready[this.#head] as () => void;
      this.#head += 1;
      if (this.#head === this.#ready.length) {
        this.#ready = [];
        this.#head = 0;
      }
      return run;
    }
    for (let top = this.#heap[0]; top !== undefined; top = this.#heap[0]) {
      if (top.run !== undefined && top.at > until) return undefined;
      pop(this.#heap);
      if (top.run === undefined) continue;
      if (top.at > this.now) this.#still = 0;
      this.now = top.at;
      return top.run;
    }
    return undefined;
  }
}

function before(a: Alarm, b: Alarm): boolean {
  return a.at < b.at || (a.at === b.at && a.seq < b.seq);
}

function push(heap: Alarm[], alarm: Alarm): void {
  let at = heap.length;
  heap.push(alarm);
  while (at > 0) {
    const parent = (at - 1) >>> 1;
    const above = heap[parent] as Alarm;
    if (!before(alarm, above)) break;
    heap[at] = above;
    at = parent;
  }
  heap[at] = alarm;
}

function pop(heap: Alarm[]): void {
  const last = heap.pop() as Alarm;
  const size = heap.length;
  if (size === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= size) break;
    if (child + 1 < size && before(heap[child + 1] as Alarm, heap[child] as Alarm)) child += 1;
    if (!before(heap[child] as Alarm, last)) break;
    heap[at] = heap[child] as Alarm;
    at = child;
  }
  heap[at] = last;
}
