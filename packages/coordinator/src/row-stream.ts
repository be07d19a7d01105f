import { ClusterError } from '@muster/rexi';
import type { MissingPart } from './exit-error.ts';
import type { Gather } from './gather.ts';
import type { GatherStats } from './gather-order.ts';

const nothing = (): void => undefined;

/**
 * Rows of a request, to be read once: with `for await`, by the batch, or all at once. Leaving the loop in any way, a
 * throw, an abort or the end of an `await using` scope kills what is left. A second reading throws `bad_options`: it
 * would find nothing, and that would look like an answer.
 */
export class RowStream<Row> implements AsyncIterableIterator<Row>, AsyncDisposable {
  readonly #gather: Gather<Row>;
  /** How it is read; `new`: not yet, or row by row with `next`. */
  #reading: 'new' | 'rows' | 'batches' | 'over' = 'new';
  #rows: readonly Row[] = [];
  #at = 0;
  /** Requests for which rows have to be fetched; who asks meanwhile waits in line, behind the last of them. */
  #waiting = 0;
  #last: Promise<void> = Promise.resolve();

  /** Made by the cluster handle. */
  constructor(gather: Gather<Row>) {
    this.#gather = gather;
  }

  /** What the request has done so far. */
  get stats(): Readonly<GatherStats> {
    return this.#gather.stats;
  }

  /** Parts without an answer, where `partial` was asked for. Complete when the stream has ended. */
  get missing(): readonly MissingPart[] {
    return this.#gather.missing;
  }

  next(): Promise<IteratorResult<Row, undefined>> {
    if (this.#reading === 'batches') return Promise.reject(this.#readTwice());
    if (this.#waiting === 0 && this.#at < this.#rows.length) return Promise.resolve(this.#step());
    this.#waiting += 1;
    const next = this.#last.then(() => this.#advance());
    this.#last = next.then(nothing, nothing);
    return next;
  }

  /** Ends the request: what is left of it is killed. */
  return(): Promise<IteratorResult<Row, undefined>> {
    this.#gather.end();
    this.#reading = 'over';
    this.#rows = [];
    this.#at = 0;
    return Promise.resolve({ done: true, value: undefined });
  }

  /** Begins the reading. What it returns goes on with it, however often that is looped over: after a header, say. */
  [Symbol.asyncIterator](): AsyncIterableIterator<Row, undefined> {
    this.#begin('rows');
    const reading: AsyncIterableIterator<Row, undefined> = {
      next: () => this.next(),
      return: () => this.return(),
      [Symbol.asyncIterator]: () => reading,
    };
    return reading;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** The rows by the batch, as they arrive: cheaper than one by one. */
  batches(): AsyncGenerator<readonly Row[], void, undefined> {
    this.#begin('batches');
    return this.#batches();
  }

  /** All rows at once. */
  async toArray(): Promise<Row[]> {
    const all: Row[] = [];
    for await (const rows of this.batches()) for (const row of rows) all.push(row);
    return all;
  }

  #begin(reading: 'rows' | 'batches'): void {
    if (this.#reading !== 'new') throw this.#readTwice();
    this.#reading = reading;
  }

  #readTwice(): ClusterError {
    return new ClusterError(
      'bad_options',
      "A stream's rows can be read once, and these were, or the stream was ended. Keep them with toArray(), or ask again.",
      { job: this.#gather.job },
    );
  }

  async *#batches(): AsyncGenerator<readonly Row[], void, undefined> {
    try {
      // What was fetched for who read row by row before.
      if (this.#at < this.#rows.length) yield this.#rows.slice(this.#at);
      for (let rows = await this.#gather.pull(); rows !== undefined; rows = await this.#gather.pull()) yield rows;
    } finally {
      this.#gather.end();
    }
  }

  async #advance(): Promise<IteratorResult<Row, undefined>> {
    try {
      if (this.#at === this.#rows.length) {
        const rows = await this.#gather.pull();
        if (rows === undefined) return await this.return();
        this.#rows = rows;
        this.#at = 0;
      }
      return this.#step();
    } finally {
      // Before the caller goes on: its next request would else find this one waiting, and so would all after it.
      this.#waiting -= 1;
    }
  }

  #step(): IteratorResult<Row, undefined> {
    const value = this.#rows[this.#at] as Row;
    this.#at += 1;
    return { done: false, value };
  }
}
