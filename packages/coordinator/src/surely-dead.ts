import type { Clock } from '@muster/rexi';
import { judging } from './judge.ts';

/** When the jobs of a session that was given up are dead, whoever renewed its lease last. */
export interface GivenUp {
  /** The counters that were cast in it. */
  readonly first: number;
  readonly last: number;
  /** After so many milliseconds without a renewal the node's own lease has ended its jobs. */
  readonly bound: number;
  /** The newest stamp that the coordinator has read itself, and when. */
  readonly own: { readonly stamp: number; readonly at: number };
  /** The newest stamp that the guardian may have echoed: it renews no more when it says so. Infinity: it is not known. */
  readonly guardians: Promise<number>;
}

/**
 * The moment from which the bound counts: what the guardian has echoed beyond what this coordinator read may be as new as
 * its answer. One object, so that test builds can break it.
 */
export const lastRenewal = {
  at(own: GivenUp['own'], guardians: number, answeredAt: number): number {
    return guardians > own.stamp ? Math.max(own.at, answeredAt) : own.at;
  },
};

/** Sessions of one node that were given up, as long as a job of theirs may live. */
export class SurelyDead {
  readonly #clock: Clock;
  readonly #lost: Map<GivenUp, Promise<void>> = new Map();

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  givenUp(session: GivenUp): void {
    if (session.last < session.first) return;
    this.#lost.set(
      session,
      this.#over(session).finally(() => this.#lost.delete(session)),
    );
  }

  /** Resolves when a job of this counter that was cast in one of them is dead. */
  async when(counter: number): Promise<void> {
    for (const [{ first, last }, over] of this.#lost) if (counter >= first && counter <= last) await over;
  }

  async #over({ own, guardians, bound }: GivenUp): Promise<void> {
    const clock = this.#clock;
    const stamp = await guardians.catch(() => Infinity);
    const left = lastRenewal.at(own, stamp, clock.now()) + bound - clock.now();
    if (left > 0) await new Promise<void>((resolve) => judging.after(clock, left, resolve));
  }
}
