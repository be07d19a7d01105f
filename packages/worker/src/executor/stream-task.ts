import type { Timer } from '@muster/rexi';
import type { Totals } from './executor.ts';
import { refused, thrown } from './failure.ts';
import { Flow } from './flow.ts';
import { HeldRows } from './held-rows.ts';
import type { Order } from './running-task.ts';
import { RunningTask } from './running-task.ts';

/** Rows that trickle while the consumer is busy wait this many milliseconds for company. */
const linger = 2;

/**
 * A job with rows. They are pulled one by one as far as there is credit, held as they were when they were yielded, and
 * sent together: at the end of the turn while the consumer has nothing left to do, else as a full batch or after a short
 * wait. A generator that never awaits gives way after each full batch and after some milliseconds.
 *
 *     (start) ──> pulling ──row──> held ──batch──> sent        out of credit: parked, until newer credit comes
 *                    └─return──> last, when every row has left     throw: failed, at once
 */
export class StreamTask extends RunningTask {
  readonly #flow: Flow = new Flow();
  readonly #rows: HeldRows;
  #generator: AsyncGenerator | undefined;
  /** A `next()` has not been answered. */
  #pending = false;
  #phase: 'pulling' | 'returned' | 'concluded' = 'pulling';
  #result: unknown;
  /** The end of this turn looks after what is held. */
  #ending = false;
  #lingering: Timer | undefined;

  constructor(order: Order) {
    super(order);
    this.#rows = new HeldRows(order.host.codec);
  }

  /** Nothing is computed before the start. */
  begin(): void {}

  start(window: Totals): void {
    if (this.#generator !== undefined || this.state !== 'open') return;
    this.#flow.open(window);
    this.host.inside(this, () => {
      try {
        this.#generator = this.job.run(this.args, this.context) as AsyncGenerator;
      } catch (error) {
        return this.#threw(error); // a default of its parameters
      }
      this.#pull();
    });
  }

  /** @throws RangeError for rows that were never sent. */
  credit(acked: Totals): void {
    this.#flow.credit(acked);
    if (this.#generator === undefined || this.state !== 'open') return;
    if (this.#flow.unacked === 0 || !this.#lookedAfter) this.#flush();
    this.#goOn();
  }

  protected unwind(): void {
    this.#rest();
    const generator = this.#generator;
    if (generator === undefined) return this.finish({ type: 'stopped', task: this.id });
    // A `yield` within `finally` answers without having ended.
    const again = (result: IteratorResult<unknown>): void =>
      result.done === true ? this.finish({ type: 'stopped', task: this.id }) : this.host.turn.next(() => this.unwind());
    this.host
      .inside(this, () => generator.return(undefined))
      .then(again, () => this.finish({ type: 'stopped', task: this.id }));
  }

  readonly #goOn = (): void => {
    if (this.state === 'open' && !this.#pending) this.host.inside(this, () => this.#pull());
  };

  /** Asks for the next row if there is room for it; else sends what can be sent, and parks. */
  #pull(): void {
    if (this.#pending || this.state !== 'open') return;
    if (!this.#mayPull) this.#flush();
    if (this.state !== 'open' || this.#phase === 'concluded') return;
    if (!this.#mayPull) return this.#park();
    if (this.host.congested(this.#goOn)) return;
    this.#pending = true;
    (this.#generator as AsyncGenerator).next().then(this.#took, this.#threw);
  }

  readonly #took = ({ done, value }: IteratorResult<unknown>): void => {
    this.#pending = false;
    if (this.state !== 'open') return;
    if (done === true) this.#returned(value);
    else if (!this.#hold(value)) return;
    if (this.#flow.full) this.#flushFull();
    else if (!this.host.turn.over) return this.#pull();
    this.host.turn.next(this.#goOn);
  };

  get #mayPull(): boolean {
    return this.#phase === 'pulling' && this.#flow.room;
  }

  #returned(value: unknown): void {
    this.#phase = 'returned';
    this.#result = value;
  }

  #hold(row: unknown): boolean {
    try {
      this.#rows.add(row);
    } catch (error) {
      this.#lose(() => this.fail(refused(error)));
      return false;
    }
    this.#flow.held += 1;
    this.#settle();
    return true;
  }

  readonly #threw = (error: unknown): void => {
    this.#pending = false;
    this.#lose(() => this.fail(thrown(error, this.host.codec)));
  };

  /** Fails, behind the rows there is credit for; the generator is not asked again. */
  #lose(fail: () => void): void {
    if (this.state === 'open') this.#flush();
    fail();
    this.#generator?.return(undefined).catch(() => undefined);
  }

  /** Sees to it that what is held does not stay longer than it should. */
  #settle(): void {
    if (this.#ending) return;
    this.#ending = true;
    this.host.turn.atEnd(() => {
      this.#ending = false;
      if (this.state !== 'open' || this.#flow.held === 0) return;
      if (this.#flow.unacked === 0) this.#flush();
      else this.#lingering ??= this.host.clock.after(linger, this.#waited);
    });
  }

  readonly #waited = (): void => {
    this.#lingering = undefined;
    if (this.state === 'open') this.#flush();
  };

  /** Sends what fills batches. The rest waits for its like: sent as well, every other batch would be a row or two. */
  #flushFull(): void {
    if (this.#phase !== 'pulling') return this.#flush();
    this.#rest();
    while (this.#flow.full && this.#flow.next > 0) if (!this.#send(this.#flow.next)) break;
  }

  /** Whether what is held will be sent soon, as far as there is credit for it. */
  get #lookedAfter(): boolean {
    return this.#ending || this.#lingering !== undefined;
  }

  #rest(): void {
    this.#lingering?.cancel();
    this.#lingering = undefined;
  }

  /** Sends all there is credit for; behind the last row goes the end. */
  #flush(): void {
    for (let most = this.#flow.next; most > 0; most = this.#flow.next) if (!this.#send(most)) break;
    if (this.#flow.held > 0) return;
    this.#rest();
    if (this.#phase !== 'returned') return;
    this.#phase = 'concluded';
    this.conclude('last', this.#result);
  }

  /** Sends one batch of at most so many rows; false when not even one row may leave. */
  #send(most: number): boolean {
    const { count, bytes, keys } = this.#rows.batch(most);
    if (!this.#flow.fits(count, bytes.length)) {
      this.#flow.shrink(count, bytes.length);
      return count > 1;
    }
    this.#rows.drop(count);
    this.#flow.send(count, bytes.length);
    this.host.send({ type: 'rows', task: this.id, count, batch: bytes });
    if (keys.length > 0) this.host.send({ type: 'rowKeys', task: this.id, keys });
    return true;
  }

  #park(): void {
    this.host.send({ type: 'parked', task: this.id, ...this.#flow.seen });
  }
}
