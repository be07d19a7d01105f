import type { Entropy } from '@muster/rexi';
import type { Backoff } from './spec.ts';

/** How many restarts there were of late. Pure. */
export class Intensity {
  readonly #maxRestarts: number;
  readonly #withinMs: number;
  #times: number[] = [];

  constructor(maxRestarts: number, withinMs: number) {
    this.#maxRestarts = maxRestarts;
    this.#withinMs = withinMs;
  }

  /** Counts a restart. False: it is one too many. A restart that is exactly `withinMs` old still counts, as in OTP. */
  allows(now: number): boolean {
    this.#times = this.#times.filter((at) => now - at <= this.#withinMs);
    // One more than allowed is enough to know: the list stays bounded.
    this.#times.push(now);
    return this.#times.length <= this.#maxRestarts;
  }

  get count(): number {
    return this.#times.length;
  }
}

/** Milliseconds before restart number `attempt` (from 0) of a row of failures: never above `mostMs`, whatever chance says. */
export function waitOf(backoff: Backoff | undefined, attempt: number, entropy: Entropy): number {
  if (backoff === undefined) return 0;
  const { firstMs, mostMs, jitter = 0 } = backoff;
  const full = Math.min(firstMs * 2 ** Math.min(attempt, 50), mostMs);
  return jitter === 0 ? full : full * (1 - jitter * shareOf(entropy));
}

/** A number from 0 to below 1. */
function shareOf(entropy: Entropy): number {
  const [high = 0, low = 0] = entropy.bytes(2);
  return (high * 256 + low) / 65_536;
}
