import { describe, expect, it } from 'vitest';
import type { Fault } from '../faults/fault.ts';
import type { ScenarioName } from '../simulate.ts';
import { simulate } from '../simulate.ts';

/** Runs that found a bug once, cut down to the faults that it took. */
const kept: readonly {
  readonly found: string;
  readonly seed: number;
  /** Pinned, as failpoints are: more scenarios to draw from must not make another run of it. */
  readonly scenario: ScenarioName;
  readonly faults: readonly Fault[];
}[] = [
  {
    found: 'a stall that ended just after the watch over a silent node fell due, and was taken for silence',
    seed: 10_927,
    scenario: 'mixed',
    faults: [{ at: 6_159, kind: 'stall-coordinator', ms: 6_777, first: 'timers' }],
  },
  {
    found: 'a job whose executor had died, asked for again at a node that was not up yet, and reported as that',
    seed: 14_538,
    scenario: 'mixed',
    faults: [],
  },
];

describe('A seed that is kept', () => {
  it.each(kept)('finds no more $found', async ({ seed, scenario, faults }) => {
    const { violations } = await simulate({ seed, scenario, faults, rival: false, failpoints: [] });
    expect(violations).toEqual([]);
  });
});
