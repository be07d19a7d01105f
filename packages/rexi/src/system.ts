/* oxlint-disable no-restricted-globals -- this is the shell that owns the clock and the randomness of the process */
import { randomBytes } from 'node:crypto';
import { performance } from 'node:perf_hooks';
import type { Clock, Entropy } from './seams.ts';

/** The machine's monotonic clock. Its timers never keep the process alive. */
export const systemClock: Clock = {
  now: () => performance.now(),
  after(ms, fire) {
    // Beyond what a timer can hold it would fire at once; 24 days are as good as never here.
    const timer = setTimeout(fire, Math.min(ms, 2 ** 31 - 1));
    timer.unref();
    return { cancel: () => clearTimeout(timer) };
  },
  soon: (run) => void setImmediate(run),
};

/** The kernel's randomness. */
export const systemEntropy: Entropy = { bytes: (count) => randomBytes(count) };
