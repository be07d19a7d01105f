import { describe, expect, it } from 'vitest';
import { constants } from '../constants.ts';
import { InFlightLimit } from './in-flight.ts';

const MiB = 2 ** 20;

/** The limit after so many milliseconds of acks every 10 ms, at so many bytes a millisecond. */
function after(ms: number, rate: number, limit: InFlightLimit = new InFlightLimit(constants()), from = 0): number {
  for (let now = from; now <= from + ms; now += 10) limit.measure(rate * 10, now);
  return limit.bytes;
}

describe('the in-flight limit', () => {
  it('is 256 KiB before anything is known', () => {
    expect(new InFlightLimit(constants()).bytes).toBe(262_144);
  });

  it('becomes 250 ms’ worth of the rate that acks show', () => {
    expect(after(1_000, 4_000)).toBeCloseTo(1_000_000, -2);
  });

  it('never passes 4 MiB', () => {
    expect(after(5_000, 1_000_000)).toBe(4 * MiB);
  });

  it('shrinks with the rate, to 256 KiB and no further', () => {
    const limit = new InFlightLimit(constants());
    after(1_000, 10_000, limit);
    expect(limit.bytes).toBeGreaterThan(2 * MiB);
    expect(after(2_000, 2_000, limit, 1_010)).toBeCloseTo(500_000, -2);
    expect(after(2_000, 1, limit, 3_020)).toBe(262_144);
  });

  it('believes no rate that was measured in less than 20 ms', () => {
    const limit = new InFlightLimit(constants());
    for (const now of [0, 1, 5, 19]) limit.measure(10 * MiB, now);
    expect(limit.bytes).toBe(262_144);
  });

  it('believes no rate from the first ack: nobody knows how long its bytes took', () => {
    const limit = new InFlightLimit(constants());
    limit.measure(100 * MiB, 50);
    limit.measure(0, 100);
    expect(limit.bytes).toBe(262_144);
  });
});
