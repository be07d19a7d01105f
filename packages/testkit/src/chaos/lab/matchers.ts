import type { ChaosLab, Within } from './chaos-lab.ts';

interface Verdict {
  readonly pass: boolean;
  readonly message: () => string;
}

/** For `expect.extend(chaosMatchers)` of vitest or jest. */
export const chaosMatchers = {
  /** `await expect(lab).toLeaveNoOrphans({ within: 1000 })`: see `ChaosLab.expectNoOrphans`. */
  async toLeaveNoOrphans(lab: ChaosLab, options: Within): Promise<Verdict> {
    try {
      const ms = await lab.expectNoOrphans(options);
      return {
        pass: true,
        message: () => `All jobs were over after ${Math.round(ms)} ms, and some were expected to be left.`,
      };
    } catch (error) {
      return { pass: false, message: () => (error as Error).message };
    }
  },
};

/** What `expect` gains: `declare module 'vitest' { interface Matchers<T> extends ChaosMatchers<T> {} }`. */
export interface ChaosMatchers<R = unknown> {
  /** No job runs for nobody `within` milliseconds after the newest blow. */
  toLeaveNoOrphans(options: Within): Promise<R>;
}
