/* oxlint-disable no-restricted-globals -- one of the bugs is that a wall clock is read */
import { internals as coordinator } from '@muster/coordinator/testing';
import { internals as worker } from '@muster/worker/testing';
import type { Planted } from './breaking.ts';
import { all, fix, swap } from './breaking.ts';
import { newerEndsNoOlder } from './bugs-of-ends.ts';

const { GuardianCore } = coordinator;
const { Sessions } = worker;

/** Bugs in leases, fences, and who renews them. */
export const bugsOfLeases: readonly Planted[] = [
  {
    name: 'no-fence',
    breaks: 'A fence ends the sessions of its incarnation.',
    plant: () =>
      swap(Sessions.prototype, 'fence', () => (_incarnation, link) => [
        { do: 'send', link, message: { type: 'fenced', killed: 0, left: [] } },
      ]),
  },
  {
    name: 'no-lease',
    breaks: 'A session ends when its newest stamp is one lease old.',
    plant: () =>
      all(
        swap(Sessions.prototype, 'expire', () => () => []),
        fix(Sessions.prototype, 'nextExpiry', () => Infinity),
      ),
  },
  {
    name: 'late-lease',
    breaks: 'A lease ends when it ends, and not three seconds later.',
    plant: () => leasesEndLate(3_000),
  },
  {
    name: 'renewal-without-stamp',
    breaks: 'A lease counts from the stamp that was echoed, and not from when the echo arrives.',
    plant: () =>
      swap(
        Sessions.prototype,
        'renew',
        (real) =>
          function renew(this: InstanceType<typeof Sessions>, incarnation, number, _stamp, now) {
            return real.call(this, incarnation, number, Math.floor(now), now);
          },
      ),
  },
  {
    name: 'lease-renewed-after-expiry',
    breaks: 'A lease that has run out is not renewed, although the renewal comes a moment later.',
    plant: () => leasesEndLate(500),
  },
  {
    name: 'lease-of-the-incarnation',
    breaks: 'A lease belongs to one session; a newer session ends the older one and its jobs.',
    plant: () => all(leaseOfTheIncarnation(), newerEndsNoOlder()),
  },
  {
    name: 'vouching-without-bound',
    breaks: 'A guardian vouches for a stalled coordinator for at most V.',
    plant: () =>
      all(
        swap(GuardianCore.prototype, 'tick', () => () => []),
        swap(
          GuardianCore.prototype,
          'heard',
          (real) =>
            function heard(this: InstanceType<typeof GuardianCore>, address, message, now) {
              this.told({ do: 'beat' }, now);
              return real.call(this, address, message, now);
            },
        ),
      ),
  },
  {
    name: 'vouching-for-given-up',
    breaks: 'A session that was given up is renewed no more.',
    plant: () =>
      swap(
        GuardianCore.prototype,
        'told',
        (real) =>
          function told(this: InstanceType<typeof GuardianCore>, message, now) {
            if (message.do !== 'end') return real.call(this, message, now);
            const { address, session } = message;
            return [{ do: 'say', message: { is: 'ended', address, session, stamp: 0 } }];
          },
      ),
  },
  {
    name: 'no-vouching',
    breaks: 'A guardian renews the leases of a coordinator that stalls for less than V.',
    plant: () =>
      swap(
        GuardianCore.prototype,
        'heard',
        (real) =>
          function heard(this: InstanceType<typeof GuardianCore>, address, message, now) {
            return message.type === 'heartbeat' ? [] : real.call(this, address, message, now);
          },
      ),
  },
  {
    name: 'lease-by-the-wall-clock',
    breaks: 'A lease is a span of time: a wall clock that is set ends none, and prolongs none.',
    plant: () =>
      all(
        swap(
          Sessions.prototype,
          'expire',
          (real) =>
            function expire(this: InstanceType<typeof Sessions>, now) {
              return real.call(this, now + jumped(this, now));
            },
        ),
        fix(Sessions.prototype, 'nextExpiry', (real, sessions) => real - (ahead.get(sessions)?.jumped ?? 0)),
      ),
  },
];

/** Sessions look for leases that have run out so many milliseconds too late. */
function leasesEndLate(ms: number): () => void {
  return all(
    swap(
      Sessions.prototype,
      'expire',
      (real) =>
        function expire(this: InstanceType<typeof Sessions>, now) {
          return real.call(this, now - ms);
        },
    ),
    fix(Sessions.prototype, 'nextExpiry', (real) => real + ms),
  );
}

/** The lease of an incarnation is renewed, whichever of its sessions the renewal is for. */
export function leaseOfTheIncarnation(): () => void {
  return swap(
    Sessions.prototype,
    'renew',
    (real) =>
      function renew(this: InstanceType<typeof Sessions>, incarnation, number, stamp, now) {
        return real.call(this, incarnation, this.open(incarnation)?.number ?? number, stamp, now);
      },
  );
}

/** What the wall clock showed beyond the monotonic one when it was first looked at, and what it has jumped since. */
const ahead = new WeakMap<object, { readonly first: number; readonly jumped: number }>();

function jumped(by: object, now: number): number {
  const shows = Math.floor(Date.now() - now);
  const { first } = ahead.get(by) ?? { first: shows };
  // Whole milliseconds less or more are rounding.
  const known = { first, jumped: Math.abs(shows - first) > 2 ? shows - first : 0 };
  ahead.set(by, known);
  return known.jumped;
}
