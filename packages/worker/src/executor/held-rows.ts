import type { Snapshot, ValueCodec } from '@muster/rexi';
import { batchBytes } from './flow.ts';

/** Rows packed together. */
export interface Batch {
  readonly count: number;
  readonly bytes: Uint8Array;
  /** Keys of the object references inside. */
  readonly keys: readonly string[];
}

/** Items of one batch: far below what a receiver allows for one value. */
const batchItems = 2 ** 17;

/** Rows that were yielded and wait to be sent, as they were when they were yielded. */
export class HeldRows {
  readonly #codec: ValueCodec;
  #rows: (Snapshot | Batch)[] = [];
  /** Rows at the front that have left. */
  #gone = 0;

  constructor(codec: ValueCodec) {
    this.#codec = codec;
  }

  /** @throws ClusterError `not_serializable` with the path. */
  add(value: unknown): void {
    const snapshot = this.#codec.snapshot(value, 'row');
    // Large binaries are still the user's own in a snapshot: they are packed before his code goes on.
    this.#rows.push(snapshot.shares ? this.#pack([snapshot]) : snapshot);
  }

  /** The first rows as one batch: at most `most`, fewer where they would be too large together. */
  batch(most: number): Batch {
    const first = this.#rows[this.#gone];
    if (first !== undefined && isBatch(first)) return first;
    return this.#pack(this.#together(most));
  }

  /** The first `count` rows have been sent. */
  drop(count: number): void {
    this.#gone += count;
    if (this.#gone < this.#rows.length && this.#gone < 1_024) return;
    this.#rows = this.#rows.slice(this.#gone);
    this.#gone = 0;
  }

  #together(most: number): Snapshot[] {
    const rows: Snapshot[] = [];
    let bytes = 0;
    let items = 0;
    for (let at = this.#gone; rows.length < most; at++) {
      const row = this.#rows[at];
      if (row === undefined || isBatch(row)) break;
      bytes += row.bytes;
      items += row.items;
      if (rows.length > 0 && (bytes > batchBytes || items > batchItems)) break;
      rows.push(row);
    }
    return rows;
  }

  #pack(rows: readonly Snapshot[]): Batch {
    return { count: rows.length, bytes: this.#codec.packRows(rows), keys: keysOf(rows) };
  }
}

const none: readonly string[] = [];

function keysOf(rows: readonly Snapshot[]): readonly string[] {
  let keys: Set<string> | undefined;
  for (const { refs } of rows) {
    if (refs.length === 0) continue;
    keys ??= new Set();
    for (const key of refs) keys.add(key);
  }
  return keys === undefined ? none : [...keys];
}

function isBatch(row: Snapshot | Batch): row is Batch {
  return 'count' in row;
}
