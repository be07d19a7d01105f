import type { Totals } from './executor.ts';

/** Most rows and about as many bytes as one batch has: with its heads it fills one frame of the wire, and not a bit of a second. */
export const batchRows: number = 1_024;
export const batchBytes: number = 64 * 1024 - 512;

/**
 * The credit of one stream: what may be pulled, packed and sent. Pure. Unacknowledged rows and bytes never exceed the
 * window, except that one row may exceed the bytes alone; that is what a larger row than the window needs to pass at all.
 */
export class Flow {
  /** Rows that were yielded and have not been sent. */
  held = 0;
  #window: Totals = { rows: 0, bytes: 0 };
  #acked: Totals = { rows: 0, bytes: 0 };
  #sent: Totals = { rows: 0, bytes: 0 };
  /** Bytes of a row as they have been of late; unknown at first, which is why the first row goes alone. */
  #rowBytes = Infinity;

  open({ rows, bytes }: Totals): void {
    this.#window = { rows, bytes };
  }

  /** @throws RangeError for more than was sent, which nobody can have consumed. */
  credit({ rows, bytes }: Totals): void {
    if (rows > this.#sent.rows || bytes > this.#sent.bytes) {
      throw new RangeError(`acknowledged ${rows} rows of ${this.#sent.rows}, ${bytes} bytes of ${this.#sent.bytes}`);
    }
    // Totals only grow; one that overtook another says nothing new.
    if (rows >= this.#acked.rows && bytes >= this.#acked.bytes) this.#acked = { rows, bytes };
  }

  /** The acknowledged totals that have been seen. */
  get seen(): Totals {
    return this.#acked;
  }

  /** Rows sent and not acknowledged. */
  get unacked(): number {
    return this.#sent.rows - this.#acked.rows;
  }

  /** Whether another row may be computed: there will be room for it, as far as can be told. */
  get room(): boolean {
    const pending = this.unacked + this.held;
    if (pending === 0) return true;
    return this.held < batchRows && pending < this.#window.rows && this.#expected(this.held) < this.#credit;
  }

  /** Whether what is held is enough for a batch. */
  get full(): boolean {
    return this.held >= batchRows || this.#expected(this.held) >= batchBytes;
  }

  /** How many of the rows held to try to send as one batch; 0: there is no credit for any. */
  get next(): number {
    const rows = Math.min(this.held, batchRows, this.#window.rows - this.unacked);
    if (rows <= 0) return 0;
    if (this.unacked > 0 && this.#credit <= 0) return 0;
    const bytes = Math.min(batchBytes, this.#credit);
    return Math.max(1, Math.min(rows, Math.floor(bytes / this.#rowBytes)));
  }

  /** Whether a batch of this size may leave now. */
  fits(rows: number, bytes: number): boolean {
    if (this.unacked + rows > this.#window.rows) return false;
    return bytes <= this.#credit || (this.unacked === 0 && rows === 1);
  }

  /** A batch leaves. */
  send(rows: number, bytes: number): void {
    if (!this.fits(rows, bytes) || rows > this.held) throw new RangeError('a batch beyond the window');
    this.held -= rows;
    this.#sent = { rows: this.#sent.rows + rows, bytes: this.#sent.bytes + bytes };
    this.#learn(rows, bytes);
  }

  /** Packing has shown how large rows are now. */
  #learn(rows: number, bytes: number): void {
    this.#rowBytes = Math.max(1, bytes / rows);
  }

  /** A batch of these rows was too large to leave: the next try is smaller. */
  shrink(rows: number, bytes: number): void {
    this.#learn(rows, Math.max(bytes, this.#credit));
  }

  get #credit(): number {
    return this.#window.bytes - (this.#sent.bytes - this.#acked.bytes);
  }

  #expected(rows: number): number {
    return rows === 0 ? 0 : rows * this.#rowBytes;
  }
}
