import type { Violation } from '../checker/violation.ts';
import type { Fault, FaultKind } from '../faults/fault.ts';
import { plantedBug } from '../planted/planted.ts';
import type { Mode, SimulationResult } from '../simulate.ts';
import { simulate } from '../simulate.ts';

/** One run to be made, as data: it may be made in another thread. */
export interface SeedOrder {
  readonly seed: number;
  readonly mode: Mode;
  /** Virtual milliseconds of callers and faults. */
  readonly duration: number;
  /** Kinds of faults to draw from. Default: all. */
  readonly kinds?: readonly FaultKind[];
  /** Run twice, and compare. */
  readonly twice?: boolean;
  /** The name of a bug that is planted meanwhile. */
  readonly planted?: string;
}

/** What became of it. */
export interface SeedReport {
  readonly seed: number;
  readonly mode: Mode;
  readonly events: number;
  /** Virtual milliseconds. */
  readonly simulated: number;
  readonly fired: Readonly<Record<string, number>>;
  readonly failpoints: Readonly<Record<string, number>>;
  readonly violations: readonly Violation[];
  /** Where it was run twice: both hashes of its history. */
  readonly hashes?: readonly [string, string];
}

/** Runs a seed, with `faults` where they are given and else with its own. */
export async function replay(order: SeedOrder, faults?: readonly Fault[]): Promise<SimulationResult> {
  const { seed, mode, duration, kinds, planted } = order;
  const unplant = planted === undefined ? undefined : plantedBug(planted).plant();
  try {
    const drawn = kinds && { kinds };
    return await simulate({ seed, mode, duration, ...((faults ?? drawn) && { faults: faults ?? drawn ?? [] }) });
  } finally {
    unplant?.();
  }
}

export async function runSeed(order: SeedOrder): Promise<SeedReport> {
  const { seed, mode, twice = false } = order;
  const { events, simulated, fired, failpoints, violations, history } = await replay(order);
  const counts = { fired: Object.fromEntries(fired), failpoints: Object.fromEntries(failpoints) };
  const report = { seed, mode, events, simulated, ...counts, violations };
  if (!twice) return report;
  const again = await replay(order);
  const hashes = [history.hash(), again.history.hash()] as const;
  if (hashes[0] === hashes[1]) return { ...report, hashes };
  const what = `The same seed gave the histories ${hashes[0]} and ${hashes[1]}.`;
  return { ...report, hashes, violations: [...violations, { rule: 'sameSeedSameHistory', at: 0, what }] };
}
