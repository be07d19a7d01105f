import type { Entropy } from '@muster/rexi';

const first = 50;
const longest = 5_000;

/** Milliseconds to wait before the attempt: doubling from 50 ms to 5 s, with half of it random so that peers spread out. */
export function backoff(attempt: number, entropy: Entropy): number {
  const whole = Math.min(longest, first * 2 ** Math.min(attempt, 16));
  const [byte = 0] = entropy.bytes(1);
  return Math.round(whole * (0.5 + byte / 512));
}
