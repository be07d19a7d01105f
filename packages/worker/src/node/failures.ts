import type { ErrorCode, Trace } from '@muster/rexi';

/** One end without a value, as the node remembers it. */
export interface FailureRecord {
  readonly ref: string;
  readonly job: string;
  readonly code: ErrorCode;
  readonly detail: string;
  readonly message: string;
  /** What the job was done for, with its own span; absent: nobody has said. */
  readonly trace?: Trace;
  /** Milliseconds on the node's monotonic clock. */
  readonly at: number;
}

const most = 100;

/** The last 100 failures of a node, newest first. */
export class Failures {
  readonly #records: FailureRecord[] = [];

  add(record: FailureRecord): void {
    this.#records.unshift(record);
    if (this.#records.length > most) this.#records.pop();
  }

  get list(): readonly FailureRecord[] {
    return this.#records;
  }
}
