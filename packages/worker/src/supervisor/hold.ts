/* oxlint-disable no-restricted-globals -- this shell owns what keeps the process alive */

/** Keeps the process alive while it is taken: the clock's timers do not, and between two starts nothing else may. */
export class Hold {
  #timer: NodeJS.Timeout | undefined;

  set(taken: boolean): void {
    if (taken) this.#timer ??= setInterval(() => undefined, 2 ** 30);
    else {
      clearInterval(this.#timer);
      this.#timer = undefined;
    }
  }
}
