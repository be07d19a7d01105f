import type { MissingPart } from './exit-error.ts';
import type { Gather } from './gather.ts';
import type { GatherStats } from './gather-order.ts';

/**
 * Rows of a request, to be read once: with `for await`, or by the batch. Leaving the loop in any way, a throw, an abort
 * or the end of an `await using` scope kills what is left.
 */
export class RowStream<Row> implements AsyncIterableIterator<Row>, AsyncDisposable {
  readonly #gather: Gather<Row>;
  #rows: readonly Row[] = [];
  #at = 0;
  /** Rows are being fetched; who asks meanwhile waits in line. */
  #asking: Promise<undefined> | undefined;

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
    if (this.#asking === undefined && this.#at < this.#rows.length) return Promise.resolve(this.#step());
    const next = (this.#asking ?? Promise.resolve()).then(() => this.#advance());
    const asking = next.then(
      () => undefined,
      () => undefined,
    );
    this.#asking = asking;
    void asking.then(() => {
      if (this.#asking === asking) this.#asking = undefined;
    });
    return next;
  }

  /** Ends the request: what is left of it is killed. */
  return(): Promise<IteratorResult<Row, undefined>> {
    this.#gather.end();
    this.#rows = [];
    this.#at = 0;
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.return();
  }

  /** The rows by the batch, as they arrive: cheaper than one by one. Not to be mixed with reading rows. */
  async *batches(): AsyncGenerator<readonly Row[], void, undefined> {
    try {
      for (let rows = await this.#gather.pull(); rows !== undefined; rows = await this.#gather.pull()) yield rows;
    } finally {
      this.#gather.end();
    }
  }

  /** All rows at once. */
  async toArray(): Promise<Row[]> {
    const all: Row[] = [];
    for await (const rows of this.batches()) for (const row of rows) all.push(row);
    return all;
  }

  async #advance(): Promise<IteratorResult<Row, undefined>> {
    if (this.#at < this.#rows.length) return this.#step();
    const rows = await this.#gather.pull();
    if (rows === undefined) return { done: true, value: undefined };
    this.#rows = rows;
    this.#at = 0;
    return this.#step();
  }

  #step(): IteratorResult<Row, undefined> {
    const value = this.#rows[this.#at] as Row;
    this.#at += 1;
    return { done: false, value };
  }
}
