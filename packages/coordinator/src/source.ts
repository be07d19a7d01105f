import type { Constants, ErrorContext, Exit, Rows, Trace, ValueCodec } from '@muster/rexi';
import { CloseCode, ClusterError, ProtocolError } from '@muster/rexi';
import { failpoint } from '#failpoint';
import { exitError } from './exit-error.ts';
import type { CastHandler } from './casts.ts';
import type { ClusterNode } from './node.ts';
import type { NoticeSource } from './request.ts';

/** A batch that was not read yet, or is being read. */
interface Batch {
  readonly bytes: Uint8Array;
  readonly count: number;
  /** The value of a function, which is no batch of rows. */
  readonly single: boolean;
}

const nothing = { count: 0, size: 0 };

export interface SourceEvents {
  /** The copy is ready to be started, or has its value. */
  ready(source: Source): void;
  /** There is something to read, or nothing will come any more. */
  changed(source: Source): void;
  failed(source: Source, error: ClusterError): void;
  progress(source: Source, value: unknown): void;
  log(source: Source, value: unknown): void;
}

export interface SourceOptions {
  readonly node: ClusterNode;
  readonly copy: number;
  readonly job: string;
  readonly shard: number | string | undefined;
  readonly codec: ValueCodec;
  readonly constants: Constants;
  readonly now: () => number;
  /** The printable reference of a counter. */
  readonly ref: (counter: number) => string;
  /** The trace of the cast of a counter. */
  readonly trace: (counter: number) => Trace | undefined;
  readonly events: SourceEvents;
}

/**
 * The coordinator's end of one cast: keeps batches as bytes until they are read, grants credit for what was consumed,
 * and checks that rows come in order, once, without a gap.
 */
export class Source implements CastHandler {
  readonly node: ClusterNode;
  readonly copy: number;
  readonly #options: SourceOptions;
  readonly #batches: Batch[] = [];
  counter = 0;
  state: 'cast' | 'ready' | 'started' | 'complete' | 'over' = 'cast';
  /** When the copy was last heard of. */
  heard: number;
  /** Rows that have arrived. */
  received = 0;
  #receivedBytes = 0;
  #readRows = 0;
  #readBytes = 0;
  #lastRead = nothing;
  #acked = { rows: 0, bytes: 0 };
  #ackedAt: number;
  #window = { rows: 0, bytes: 0 };

  constructor(options: SourceOptions) {
    this.#options = options;
    this.node = options.node;
    this.copy = options.copy;
    this.heard = this.#ackedAt = options.now();
  }

  /** Whose words its notices are. */
  get origin(): NoticeSource {
    const { ref, trace } = this.#options;
    return { ref: ref(this.counter), node: this.node.name, trace: trace(this.counter) };
  }

  /** Nothing to read and nothing to come. */
  get exhausted(): boolean {
    return this.state === 'complete' && this.#batches.length === 0;
  }

  get hasRows(): boolean {
    return this.#batches.length > 0;
  }

  /** The next batch of rows, decoded now: what nobody reads is never decoded. */
  read(): unknown[] | undefined {
    const batch = this.#batches.shift();
    if (batch === undefined) return undefined;
    const { codec } = this.#options;
    const rows = batch.single ? [codec.unpack(batch.bytes)] : codec.unpackRows(batch.bytes, batch.count);
    this.#readRows += batch.count;
    this.#readBytes += batch.bytes.length;
    this.#lastRead = { count: batch.count, size: batch.bytes.length };
    return rows;
  }

  /** Grants the window: rows may be computed now. */
  start(window: { readonly rows: number; readonly bytes: number }): void {
    failpoint('before-start');
    this.state = 'started';
    this.#window = window;
    this.#ackedAt = this.#options.now();
    this.node.send({ type: 'stream-start', counter: this.counter, ...window });
    failpoint('after-start');
  }

  /** The consumer has done with what was read, but for the last batch where that is still held. Acked in quarters of the window. */
  consumed(holding: boolean): void {
    if (this.state !== 'started') return;
    // What it could not send for want of credit is not held against it.
    if (!holding) this.#hear();
    const { count, size } = holding ? this.#lastRead : nothing;
    const rows = this.#readRows - count;
    const bytes = this.#readBytes - size;
    const due =
      (rows - this.#acked.rows) * 4 >= this.#window.rows || (bytes - this.#acked.bytes) * 4 >= this.#window.bytes;
    if (due) this.#ack({ rows, bytes });
  }

  /** "Still wanted": a consumer that is slow, not gone. Nothing more is granted for that. */
  stillWanted(): void {
    const due = this.#ackedAt + this.#options.constants.stillWanted;
    if (this.state === 'started' && this.#options.now() >= due) this.#ack(this.#acked);
  }

  /** Drops what has arrived; nothing of it is handed on. */
  discard(): void {
    this.state = 'over';
    this.#batches.length = 0;
  }

  init(): void {
    this.#hear();
    failpoint('after-init');
    this.state = 'ready';
    this.#options.events.ready(this);
  }

  rows({ first, count, batch }: Rows): void {
    if (this.state !== 'started' || first !== this.received || count < 1) {
      throw new ProtocolError(CloseCode.badState, `The peer sent row ${first} where ${this.received} was next.`);
    }
    this.#checkWindow(count, batch.length);
    this.#hear();
    this.received += count;
    this.#receivedBytes += batch.length;
    // It may wait here for long: a view on a buffer much larger than itself would pin all of it.
    this.#batches.push({
      bytes: batch.length * 2 < batch.buffer.byteLength ? Buffer.from(batch) : batch,
      count,
      single: false,
    });
    failpoint('mid-stream');
    this.#options.events.changed(this);
  }

  value(value: Uint8Array): void {
    this.#hear();
    this.received = 1;
    this.#batches.push({ bytes: value, count: 1, single: true });
    this.#options.events.ready(this);
    this.#complete();
  }

  last(rows: number): void {
    if (rows !== this.received) {
      throw new ProtocolError(CloseCode.badState, `The peer ended after ${rows} rows, of which ${this.received} came.`);
    }
    this.#complete();
  }

  exit(exit: Exit): void {
    const known = exit.code === 'unknown_job' ? [...this.node.jobs.keys()] : [];
    this.#failed(exitError(exit, this.#context(), { codec: this.#options.codec, known }));
  }

  down(error: ClusterError): void {
    this.#failed(new ClusterError(error.code, error.text, { ...this.#context(), cause: error }));
  }

  ping(): void {
    this.#hear();
  }

  progress(value: Uint8Array): void {
    this.#hear();
    this.#options.events.progress(this, this.#options.codec.unpack(value));
  }

  log(value: Uint8Array): void {
    this.#options.events.log(this, this.#options.codec.unpack(value));
  }

  #complete(): void {
    this.state = 'complete';
    this.#options.events.changed(this);
  }

  #failed(error: ClusterError): void {
    this.discard();
    this.#options.events.failed(this, error);
  }

  #ack(totals: { readonly rows: number; readonly bytes: number }): void {
    this.#acked = totals;
    this.#ackedAt = this.#options.now();
    this.node.send({ type: 'ack', counter: this.counter, ...this.#acked });
  }

  #checkWindow(count: number, bytes: number): void {
    const rows = this.received + count - this.#acked.rows;
    const open = this.#receivedBytes + bytes - this.#acked.bytes;
    if (rows > this.#window.rows || (open > this.#window.bytes && rows > 1)) {
      throw new ProtocolError(CloseCode.badState, `The peer sent ${rows} rows into a window of ${this.#window.rows}.`);
    }
  }

  #hear(): void {
    this.heard = this.#options.now();
  }

  #context(): ErrorContext {
    const { job, shard } = this.#options;
    return { job, shard, ...this.origin };
  }
}
