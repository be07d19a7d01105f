import type { StoreOperation } from '../executor/agent-connector.ts';
import type { Failure, Isolation } from '../executor/executor.ts';

/** One step of a scripted job. */
export type Step =
  /** Rows, sent as far as the window allows, so many to a batch (default 1). */
  | { readonly do: 'rows'; readonly rows: readonly unknown[]; readonly batch?: number }
  /** Rows without any regard for the window. */
  | { readonly do: 'flood'; readonly rows: readonly unknown[] }
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'hang' }
  | { readonly do: 'ping' }
  | { readonly do: 'progress'; readonly value: unknown }
  | { readonly do: 'log'; readonly value: unknown }
  /** Asks the node's store, and goes on with the steps that the answer gives. */
  | {
      readonly do: 'ask';
      readonly operation: StoreOperation;
      /** As agent-connector.ts says for the operation. */
      readonly payload: Uint8Array;
      readonly next: (answer: StoreAnswer) => readonly Step[];
    }
  /** The value of a function, or the end of a stream; what follows is not reached. `keys`: objects inside the value. */
  | { readonly do: 'end'; readonly value?: unknown; readonly keys?: readonly string[] }
  | { readonly do: 'fail'; readonly code?: Failure['code']; readonly message?: string }
  /** The whole executor dies, with everything that runs there. */
  | { readonly do: 'die' };

/** What the node's store has answered; not `ok`: the refusal as JSON, with its `code`. */
export interface StoreAnswer {
  readonly ok: boolean;
  readonly payload: Uint8Array;
}

/** What a scripted job is told. */
export interface ScriptCall {
  readonly ref: string;
  readonly args: unknown;
  readonly shard: unknown;
}

/** A job as data: what it does, and how it takes an abort. A script that runs out of steps ends well. */
export interface Script {
  /** Default: a function. */
  readonly stream?: boolean;
  /** Default `shared` for streams, `exclusive` for functions. */
  readonly isolation?: Isolation;
  readonly lane?: string;
  /** Milliseconds until its executor has taken it; Infinity: never. Default 0. */
  readonly takes?: number;
  /** Milliseconds from an abort until it has stopped; Infinity: it does not listen. Default 0. */
  readonly stops?: number;
  readonly steps: readonly Step[] | ((call: ScriptCall) => readonly Step[]);
}
