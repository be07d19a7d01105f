import type { Clock } from './seams.ts';

/**
 * Points of protocol code at which something that the protocol allows, and that hardly ever happens, can be made to
 * happen: what comes then is tried as often as the rest.
 */
export const failpoints = {
  'early-flush': 'a message leaves in the turn in which it is sent, with nothing to share its frame',
  'small-frame': 'a frame has room for one byte, and cuts its message there',
  'early-ack': 'a frame is acked although no ack is due',
  'dial-lost': 'a link that was dialled is lost before anything is said over it',
  'redial-at-once': 'a node is dialled again without waiting',
  'hedge-at-once': 'a copy of a part is cast without waiting for the first',
  'renewal-skipped': 'a guardian lets a heartbeat pass without renewing the lease',
  'late-expiry': 'a node looks for leases that have run out some milliseconds after they have',
} as const;

export type Failpoint = keyof typeof failpoints;

/** Says whether it happens now, where that is to be so with this probability. */
export type Chance = (point: Failpoint, probability: number) => boolean;

/** False wherever the clock has no chances to give: that is everywhere but in a simulation. */
export function chance(clock: Clock, point: Failpoint, probability: number): boolean {
  return clock.chance !== undefined && clock.chance(point, probability);
}
