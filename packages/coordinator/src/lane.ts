import type { ClusterError, Timer } from '@muster/rexi';
import type { PartOrder } from './gather-order.ts';
import { Part } from './part.ts';
import type { Source } from './source.ts';

/** One part of a request under way: its copies, and what was decoded of the chosen one and not handed on. */
export class Lane {
  readonly order: PartOrder;
  /** Its place among the parts. */
  readonly rank: number;
  readonly part: Part;
  /** Copies that were cast and have not failed, by their numbers. */
  readonly sources: Map<number, Source> = new Map();
  /** The copy whose rows are read. */
  source: Source | undefined;
  /** Nothing more comes of it. */
  over = false;
  hedge: Timer | undefined;
  /** What stands for the row that was handed on last, where all were and the next has to be compared with it. */
  last: unknown;
  /** Why the head may not be handed on. */
  breach: ClusterError | undefined;
  #rows: readonly unknown[] = [];
  #at = 0;

  constructor(order: PartOrder, rank: number, race: boolean) {
    this.order = order;
    this.rank = rank;
    this.part = new Part({ nodes: order.nodes, race, sharded: order.shard !== undefined });
  }

  /** Whether decoded rows wait. */
  get hasRows(): boolean {
    return this.#at < this.#rows.length;
  }

  /** The row that waits first. */
  get head(): unknown {
    return this.#rows[this.#at];
  }

  hold(rows: readonly unknown[]): void {
    this.#rows = rows;
    this.#at = 0;
  }

  /** The head is handed on. */
  advance(): void {
    this.#at += 1;
    this.part.handedOn();
  }

  /** All that waits is handed on. */
  takeAll(): unknown[] {
    const rows = this.#rows.slice(this.#at);
    this.hold([]);
    if (rows.length > 0) this.part.handedOn();
    return rows;
  }
}
