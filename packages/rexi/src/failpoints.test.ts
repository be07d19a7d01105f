import { describe, expect, it } from 'vitest';
import { chance } from './failpoints.ts';
import { systemClock } from './system.ts';

describe('A failpoint', () => {
  it('never fires by the clock of production', () => {
    expect(chance(systemClock, 'small-frame', 1)).toBe(false);
  });

  it('fires when the clock that it is given says so', () => {
    const asked: unknown[] = [];
    const clock = { ...systemClock, chance: (...what: unknown[]) => (asked.push(what), true) };
    expect(chance(clock, 'early-ack', 0.25)).toBe(true);
    expect(asked).toEqual([['early-ack', 0.25]]);
  });
});
