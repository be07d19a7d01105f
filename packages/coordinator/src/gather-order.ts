import type { Trace } from '@muster/rexi';
import type { NoticeSource } from './request.ts';
import type { RowOrder } from './row-order.ts';

/** One part of a request: who holds it, best first, and what its job is told of it. */
export interface PartOrder {
  readonly shard: number | string | undefined;
  /** Packed; empty: none. */
  readonly value: Uint8Array;
  /** Names of nodes. */
  readonly nodes: readonly string[];
}

export interface GatherOrder<T> {
  readonly job: string;
  readonly args: Uint8Array;
  /** A packed value of more bytes than this stays at its node; absent: none does. */
  readonly inlineUpTo?: number | undefined;
  /** What the caller does it for. */
  readonly trace?: Trace | undefined;
  readonly priority: number;
  /** A generator's rows, or one value of each part; absent: whichever the nodes say that the job is. */
  readonly stream?: boolean;
  readonly parts: readonly PartOrder[];
  /** Rows come in this order; each part must yield them so. Absent: as they come, fair between the parts. */
  readonly merge?: RowOrder<T>;
  /** Ends after so many rows. */
  readonly limit: number;
  /** Milliseconds for everything; Infinity: none. */
  readonly timeout: number;
  /** Milliseconds without a sign of life of a part that is waited for; Infinity: none. */
  readonly messageTimeout: number;
  readonly race: boolean;
  /** Parts without an answer are reported, not thrown. */
  readonly partial: boolean;
  /** Whether errors tell of one call, or of a scatter with its parts. */
  readonly single: boolean;
  readonly onProgress?: (value: unknown, part: number | string | undefined, from: NoticeSource) => void;
  readonly onLog?: (line: unknown, part: number | string | undefined, from: NoticeSource) => void;
}

/** What a request has done so far. */
export interface GatherStats {
  readonly parts: number;
  /** Rows handed to the consumer, and rows that had arrived. */
  delivered: number;
  received: number;
  /** Copies cast beyond one for each part. */
  replaced: number;
  /** Streams that were ended before they had sent all. */
  cancelled: number;
}
