import type { Constants } from '@muster/rexi';
import type { FaultKind } from '../faults/fault.ts';
import type { Ending, Mode } from '../simulate.ts';

/** A variant of the protocol that the models know as well: what it lacks, what happens, and whether a claim survives that. */
export interface Variant {
  /** The model's switches. */
  readonly name: string;
  /** The model's claim, and the rules of the checker that stand for it. */
  readonly claim: string;
  readonly rules: readonly string[];
  readonly outcome: 'holds' | 'fails';
  /** Where the models say otherwise: which rule of the code, that they do not have, holds the claim up. */
  readonly because?: string;
  readonly faults: readonly FaultKind[];
  /** How the coordinator ends. Default: closed. */
  readonly ending?: Ending;
  readonly mode?: Mode;
  readonly constants?: Partial<Constants>;
  /** Takes from the protocol what the variant does not have; what it returns gives it back. */
  readonly take: () => () => void;
}

/** A variant of the models that cannot be taken for a simulation of the code, and why. */
export interface Untold {
  readonly name: string;
  readonly because: string;
}
