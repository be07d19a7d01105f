import type { Clock, Constants, Timer } from '@muster/rexi';

/** How somebody's silence is judged. One object, so that test builds can break it. */
export const judging = {
  /**
   * Calls `judge` after so many milliseconds of somebody's silence, and once what waits in sockets and pipes by then has
   * been read. A process that was stopped comes to its timers first: however little late they are, what was said to it
   * meanwhile is no silence.
   */
  after(clock: Clock, ms: number, judge: () => void): Timer {
    let over = false;
    const timer = clock.after(ms, () => clock.soon(() => over || judge()));
    return {
      cancel() {
        over = true;
        timer.cancel();
      },
    };
  },

  /** Whether a judgement comes so late that this process was stopped: what it has not heard meanwhile it could not hear. */
  isLate(now: number, due: number, { heartbeat }: Pick<Constants, 'heartbeat'>): boolean {
    return now - due > heartbeat;
  },
};
