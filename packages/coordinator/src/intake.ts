import { ProtocolError } from '@muster/rexi';
import type { Lane } from './lane.ts';
import { Heads } from './merge.ts';
import type { RowOrder } from './row-order.ts';
import type { Source } from './source.ts';

/** At most so many rows are merged at a time, so that the first ones do not wait for the last. */
const mergeBatch = 512;

/** From so many rows on they are handed on as they are: the consumer has enough to do. */
const enough = 256;

export interface IntakeOptions<T> {
  readonly lanes: readonly Lane[];
  /** Rows come in this order; absent: as they come. */
  readonly merge: RowOrder<T> | undefined;
  /** The lane's chosen copy has said all, and all of it was taken. */
  readonly exhausted: (lane: Lane, source: Source) => void;
}

/** Takes rows from the parts as they are asked for, in turn or merged in order, and acks what was consumed. */
export class Intake<T> {
  /** Rows that were decoded. */
  received = 0;
  readonly #options: IntakeOptions<T>;
  readonly #heads: Heads<Lane, T> | undefined;
  readonly #inHeads: Set<Lane> = new Set();
  /** Lanes of which something was read since the last `settle`. */
  readonly #read: Set<Lane> = new Set();
  #turn = 0;

  constructor(options: IntakeOptions<T>) {
    this.#options = options;
    this.#heads = options.merge && new Heads<Lane, T>(options.merge.compare);
  }

  /**
   * Rows that are there, at most `most` where they are merged; none: wait.
   * @throws ProtocolError for rows that cannot be decoded, ClusterError for rows that are not in order; whatever the
   * caller's comparison throws.
   */
  take(most: number): T[] {
    return this.#heads === undefined
      ? this.#takeAny(Math.min(most, enough))
      : this.#takeInOrder(this.#heads, Math.min(most, mergeBatch));
  }

  /** What was taken before has been consumed. */
  settle(): void {
    for (const lane of this.#read) lane.source?.consumed(lane.hasRows);
    for (const lane of this.#read) if (!lane.hasRows) this.#read.delete(lane);
  }

  /** Drops what waits of a copy that has failed: its successor sends it again. */
  forget(lane: Lane): void {
    lane.source = undefined;
    lane.hold([]);
    this.#read.delete(lane);
    if (this.#inHeads.delete(lane)) this.#heads?.remove(lane);
  }

  /**
   * A batch of each part that has one, in turn, until there are rows enough: the single values of a wide scatter would
   * else cost their consumer several promises each.
   */
  #takeAny(wanted: number): T[] {
    const { lanes } = this.#options;
    let rows: T[] = [];
    for (let i = 0; i < lanes.length && rows.length < wanted; i += 1) {
      const lane = lanes[this.#turn];
      this.#turn = (this.#turn + 1) % lanes.length;
      if (lane === undefined || !this.#fill(lane)) continue;
      const batch = lane.takeAll() as T[];
      if (rows.length === 0) rows = batch;
      else for (const row of batch) rows.push(row);
    }
    return rows;
  }

  /** Rows in order, as long as every part that may still send has one to compare. */
  #takeInOrder(heads: Heads<Lane, T>, most: number): T[] {
    const { lanes } = this.#options;
    if (!lanes.every((lane) => this.#showHead(heads, lane))) return [];
    const rows: T[] = [];
    for (let top = heads.top(); top !== undefined && rows.length < most; top = heads.top()) {
      const lane = top.source;
      rows.push(top.row);
      lane.advance();
      if (this.#follows(lane, top.row)) heads.replaceTop(lane.head as T);
      else {
        heads.removeTop();
        this.#inHeads.delete(lane);
        if (!lane.over) break;
      }
    }
    return rows;
  }

  /**
   * Whether the lane has a next row, and one that may come behind `row`. Decided as long as `row` is not handed on:
   * from then on nobody but the consumer looks at it.
   */
  #follows(lane: Lane, row: T): boolean {
    const { merge } = this.#options;
    if (this.#fill(lane)) {
      // It is for the next look, behind those that came before it.
      lane.breach = merge?.breach(lane.head as T, row, lane.order.shard);
      return lane.breach === undefined;
    }
    if (!lane.over) lane.last = merge?.kept(row);
    return false;
  }

  /** Whether the lane's next row is among the heads, or none will come. */
  #showHead(heads: Heads<Lane, T>, lane: Lane): boolean {
    if (lane.over || this.#inHeads.has(lane)) return true;
    if (!this.#fill(lane)) return lane.over;
    lane.breach ??= this.#options.merge?.breach(lane.head as T, lane.last as T | undefined, lane.order.shard);
    if (lane.breach !== undefined) throw lane.breach;
    heads.add(lane, lane.rank, lane.head as T);
    this.#inHeads.add(lane);
    return true;
  }

  /** Whether the lane has a row to look at; decodes its next batch for that. */
  #fill(lane: Lane): boolean {
    if (lane.hasRows) return true;
    const { source } = lane;
    if (source === undefined || lane.over) return false;
    const rows = decode(source);
    if (rows === undefined) {
      if (source.exhausted) this.#options.exhausted(lane, source);
      return false;
    }
    this.received += rows.length;
    this.#read.add(lane);
    lane.hold(rows);
    return rows.length > 0;
  }
}

function decode(source: Source): unknown[] | undefined {
  try {
    return source.read();
  } catch (error) {
    if (error instanceof ProtocolError) source.node.violated(error);
    throw error;
  }
}
