import type { Entropy } from '@muster/rexi';

const first = 50;
/** Who was there a moment ago is missed: a call works within a second of the node's return. */
const soon = 500;
const longest = 5_000;
/** So many attempts take about a minute. */
const patient = 160;

/**
 * Milliseconds to wait before the attempt: doubling from 50 ms to 0.5 s, after a minute 5 s, with half of it random so that
 * peers spread out.
 */
export function backoff(attempt: number, entropy: Entropy): number {
  const whole = attempt < patient ? Math.min(soon, first * 2 ** Math.min(attempt, 16)) : longest;
  const [byte = 0] = entropy.bytes(1);
  return Math.round(whole * (0.5 + byte / 512));
}
