import { describe, expect, it } from 'vitest';
import { systemClock } from './system.ts';

describe('The system clock', () => {
  it.each([2 ** 31, 2 ** 40, Infinity])('takes %d ms for a long time, and not for none', async (ms) => {
    let fired = false;
    const long = systemClock.after(ms, () => (fired = true));
    // Beyond what Node's timers hold they fire after 1 ms, and long before this one. It keeps the process alive.
    await new Promise((resolve) => void setTimeout(resolve, 50));
    long.cancel();
    expect(fired).toBe(false);
  });
});
