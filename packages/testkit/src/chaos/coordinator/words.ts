/** What a lab and its coordinator's process say to each other. */

export type Verb = 'call' | 'stream' | 'scatter';

export interface Order {
  readonly id: number;
  readonly verb: string;
  readonly args: readonly unknown[];
}

export interface Answer {
  /** Of the order; 0 where only the state has changed. */
  readonly id: number;
  readonly value?: unknown;
  readonly error?: { readonly code: string; readonly message: string };
  /** The incarnation under which it is connected, or was last; empty before. */
  readonly incarnation: string;
  /** Requests that have not ended. */
  readonly open: number;
}

/** What has become of calls that are made at a steady pace. */
export interface LoadState {
  readonly answered: number;
  readonly open: number;
  /** Calls that were not made since too many were open. */
  readonly held: number;
  /** How many ended in which code. */
  readonly failed: Readonly<Record<string, number>>;
}

/** An error, as its process had it. */
export interface Failure {
  readonly code: string;
  readonly message: string;
  readonly node?: string;
  readonly ref?: string;
}

/** What has become of a request. */
export interface RequestState {
  /** Rows that have come. */
  readonly rows: number;
  /** Whether rows that say their number in `i` came from each node (`node`) in order, without gap and repeat. */
  readonly inOrder: boolean;
  readonly value?: unknown;
  readonly ended: boolean;
  /** `parts` are what has become of what is missing in an incomplete answer. */
  readonly error?: Failure & { readonly parts?: readonly Failure[] };
  /** Milliseconds since the epoch. */
  readonly endedAt?: number;
}
