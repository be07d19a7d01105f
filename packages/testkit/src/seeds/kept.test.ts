import { describe, expect, it } from 'vitest';
import type { Fault } from '../faults/fault.ts';
import { simulate } from '../simulate.ts';

/** Runs that found a bug once, cut down to the faults that it took. */
const kept: readonly { readonly found: string; readonly seed: number; readonly faults: readonly Fault[] }[] = [
  {
    found: 'a stall that ended just after the watch over a silent node fell due, and was taken for silence',
    seed: 10_927,
    faults: [{ at: 6_159, kind: 'stall-coordinator', ms: 6_777, first: 'timers' }],
  },
];

describe('A seed that is kept', () => {
  it.each(kept)('finds no more $found', async ({ seed, faults }) => {
    const { violations } = await simulate({ seed, faults });
    expect(violations).toEqual([]);
  });
});
