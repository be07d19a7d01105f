import type { Chronicle } from './chronicle.ts';

/** What was seen, in a sentence, and in which virtual millisecond. */
export interface Finding {
  readonly what: string;
  readonly at: number;
}

/** A rule that a run has broken, by the name of its invariant. */
export interface Violation extends Finding {
  readonly rule: string;
}

/** A rule that holds in every run. Its name is the function's. */
export type Invariant = (chronicle: Chronicle) => Finding[];
