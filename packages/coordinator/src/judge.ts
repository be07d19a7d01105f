import type { Clock, Timer } from '@muster/rexi';

/**
 * Calls `judge` after so many milliseconds of somebody's silence, and once what waits in sockets and pipes by then has
 * been read. A process that was stopped comes to its timers first: however little late they are, what was said to it
 * meanwhile is no silence.
 */
export function judgeAfter(clock: Clock, ms: number, judge: () => void): Timer {
  let over = false;
  const timer = clock.after(ms, () => clock.soon(() => over || judge()));
  return {
    cancel() {
      over = true;
      timer.cancel();
    },
  };
}
