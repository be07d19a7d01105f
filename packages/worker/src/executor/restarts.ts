/** Between two starts after one that failed, in milliseconds: doubled from the first to the last. */
const firstWait = 100;
const lastWait = 10_000;

/** So many failures in a row are no accident: who waits for an executor is then told. */
const most = 3;

/** How starts of executors have gone of late. Pure. */
export class Restarts {
  #failures = 0;
  #until = -Infinity;
  #cause: Error | undefined;

  /** An executor could not be started, or died before it had a job. Those that fail together count once. */
  failed(cause: Error, now: number): void {
    this.#cause = cause;
    if (now < this.#until) return;
    this.#until = now + Math.min(firstWait * 2 ** this.#failures, lastWait);
    this.#failures += 1;
  }

  /** One has done its work. */
  succeeded(): void {
    this.#failures = 0;
    this.#until = -Infinity;
    this.#cause = undefined;
  }

  /** Milliseconds until the next start may be tried. */
  wait(now: number): number {
    return Math.max(0, this.#until - now);
  }

  /** Whether to wait any longer makes no sense. */
  get hopeless(): boolean {
    return this.#failures >= most;
  }

  /** Why the last one failed, if it did. */
  get cause(): Error | undefined {
    return this.#cause;
  }
}
