import type { Constants, ErrorCode } from '@muster/rexi';
import type { LinkFault, LinkFaultKind } from '../proxy/link-fault.ts';

/** Whom a step hurts. `agent`, `reaper` and `executors` are those of the node that the seed has chosen. */
export type Victim = 'coordinator' | 'guardian' | 'agent' | 'reaper' | 'executors';

/** Milliseconds: a number, or between two, as the seed says. */
export type Span = number | readonly [least: number, most: number];

/** One thing that is done to a cluster, as data. */
export type Step =
  /** SIGKILL, to all of them at once. */
  | { readonly do: 'kill'; readonly whom: readonly Victim[] }
  | { readonly do: 'stop' | 'continue'; readonly whom: readonly Victim[] }
  /** The links of coordinator, guardian or both to the chosen node, or to all; a bare kind has its figures from the seed. */
  | {
      readonly do: 'link';
      readonly fault: LinkFault | LinkFaultKind;
      readonly from: readonly ('coordinator' | 'guardian')[];
      readonly to: 'one' | 'all';
    }
  | { readonly do: 'heal' }
  | { readonly do: 'wait'; readonly ms: Span }
  /** Another request, which is not waited for. */
  | { readonly do: 'cast'; readonly job: JobName }
  /** Every request is aborted. */
  | { readonly do: 'abort' }
  /** The coordinator's process casts, and calls `process.exit` in the same turn. */
  | { readonly do: 'exit' }
  /** The coordinator closes its cluster. */
  | { readonly do: 'close' }
  /** The chosen node is started again, at its old address. */
  | { readonly do: 'restart' }
  /** The disk of the chosen node is full, or has room again. */
  | { readonly do: 'fill' | 'room' }
  /** The agent may have no more files than it has, and so many; without a number as many as before. */
  | { readonly do: 'files'; readonly more?: number };

export type JobName = 'spin' | 'block' | 'fork' | 'tick' | 'flood' | 'write';

/** What must have come true. Times in milliseconds after the step that says `blow`, or the first that hurts. */
export interface Expectation {
  /** Whose jobs must be dead: everybody's, those of the chosen node, or nobody's, and then all of them must live. */
  readonly dead: 'all' | 'node' | 'nobody' | 'any';
  /** By when. The measure is the last sign of life: of a process, of a job's file, of the node's own table. */
  readonly within: number;
  /** Codes with which requests may end; none: no request ends. An `incomplete` answer counts as what its parts say. */
  readonly codes?: readonly ErrorCode[];
  /** A code in which one of them must have ended: without it nobody has met the fault. */
  readonly heard?: ErrorCode;
  /** By when they have; asked only of a coordinator that lives. */
  readonly told?: number;
  /** Whether a guardian must be there again by then. */
  readonly guardian?: number;
  /** Where the coordinator was stopped or cut off: it must have gone on under another incarnation. */
  readonly renewed?: boolean;
}

/** One row of the table of faults. */
export interface Scenario {
  readonly name: string;
  /** What happens, and what must come of it; a sentence. */
  readonly says: string;
  /** What runs when the fault comes. Default: spin, block, fork and tick, on every node. */
  readonly load?: readonly JobName[];
  /** Values of the protocol's table that this row needs beside `times`. */
  readonly constants?: Partial<Constants>;
  /** Bytes of each node's disk. */
  readonly disk?: number;
  /** What the machine must have: see `lacking`. */
  readonly needs?: 'prlimit' | 'mount';
  readonly steps: readonly Step[];
  readonly expect: Expectation;
}

/** A row that cannot be tried here, and why: said in every report. */
export interface Skipped {
  readonly name: string;
  readonly why: string;
}
