import { Random } from '../../simulation/random.ts';
import type { RunOrder } from './run.ts';
import type { Scenario } from './scenario.ts';

/**
 * Which scenarios are run, with which seeds: a function of the seed. Each scenario comes once before any comes again, in an
 * order that the seed says.
 */
export function planOf(seed: number, runs: number, from: readonly Scenario[]): RunOrder[] {
  const random = new Random(seed);
  const drawn: Scenario[] = [];
  while (drawn.length < runs && from.length > 0) drawn.push(...random.shuffled(from));
  return drawn.slice(0, runs).map((scenario, i) => ({ scenario, seed: seed + i }));
}
