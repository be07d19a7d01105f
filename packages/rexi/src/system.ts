/* oxlint-disable no-restricted-globals -- this is the shell that owns the clock and the randomness of the process */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Clock, Entropy } from './seams.ts';

/** The machine's monotonic clock. Its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, fire) {
    const timer = setTimeout(fire, ms);
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  soon: (run) => void setImmediate(run),
};

/** The kernel's randomness. */
export const systemEntropy: Entropy = { bytes: (count) => randomBytes(count) };
