import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { systemClock } from './system.ts';

/** The longest that a timer of Node holds; one that is given more fires after 1 ms. */
const longest = 2 ** 31 - 1;

describe('The system clock', () => {
  beforeEach(() => void vi.useFakeTimers());
  afterEach(() => void vi.useRealTimers());

  it.each([2 ** 31, 2 ** 40, Infinity])('takes %d ms for a long time, and not for none', (ms) => {
    const given = vi.spyOn(globalThis, 'setTimeout');
    let fired = false;
    const long = systemClock.after(ms, () => (fired = true));
    vi.advanceTimersByTime(longest - 1);
    expect([fired, given.mock.calls.map(([, after]) => after)]).toEqual([false, [longest]]);
    long.cancel();
    vi.advanceTimersByTime(longest);
    expect(fired).toBe(false);
  });
});
