import { internals as coordinator } from '@muster/coordinator/testing';
import { internals as worker } from '@muster/worker/testing';
import type { Planted } from './breaking.ts';
import { all, castsTwice, swap, unsaid } from './breaking.ts';
import { bugsOfEnds } from './bugs-of-ends.ts';
import { bugsOfLeases } from './bugs-of-leases.ts';
import { bugsOfLinks } from './bugs-of-links.ts';
import { bugsOfObjects } from './bugs-of-objects.ts';
import { bugsOfRows } from './bugs-of-rows.ts';
import { bugsOfStores } from './bugs-of-stores.ts';

const { Casts, GuardianCore, Guardianship } = coordinator;
const { Counters, Jobs, Placing } = worker;

/** Every bug that can be planted. Each is one that somebody might write. */
export const plantedBugs: readonly Planted[] = [
  {
    name: 'no-tombstone',
    breaks: 'A kill above the highest counter leaves a tombstone.',
    plant: () => swap(Counters.prototype, 'killed', () => () => undefined),
  },
  {
    name: 'tombstone-forgotten-early',
    breaks: 'A tombstone stays until the counter passes it, whatever else is cast meanwhile.',
    plant: () => {
      const newest = new WeakMap<object, number>();
      return all(
        swap(
          Counters.prototype,
          'killed',
          (real) =>
            function killed(this: InstanceType<typeof Counters>, counter) {
              newest.set(this, counter);
              real.call(this, counter);
            },
        ),
        swap(
          Counters.prototype,
          'cast',
          (real) =>
            function cast(this: InstanceType<typeof Counters>, counter) {
              const verdict = real.call(this, counter);
              const forgotten = newest.get(this) !== counter;
              newest.delete(this);
              return verdict === 'killed' && forgotten ? 'new' : verdict;
            },
        ),
      );
    },
  },
  {
    name: 'no-counter',
    breaks: 'A cast at or below the highest counter is a duplicate (and here every cast is sent twice).',
    plant: () =>
      all(
        swap(Counters.prototype, 'cast', () => () => 'new'),
        castsTwice(),
      ),
  },
  {
    name: 'session-end-kills-nobody',
    breaks: 'The end of a session ends its jobs.',
    plant: () => swap(Jobs.prototype, 'endSession', () => () => undefined),
  },
  {
    name: 'parked-keeps-slot',
    breaks: 'A job that waits gives its slot back.',
    plant: () =>
      swap(
        Placing.prototype,
        'park',
        (real) =>
          function park(this: InstanceType<typeof Placing>, job) {
            if (job.state !== 'parked' && job.state !== 'waiting') real.call(this, job);
          },
      ),
  },
  {
    name: 'killed-in-the-queue-starts',
    breaks: 'A job that is killed while it waits for a slot never starts.',
    plant: () =>
      swap(
        Jobs.prototype,
        'end',
        (real) =>
          function end(this: InstanceType<typeof Jobs>, job, grace, reason) {
            if (job.state !== 'queued') real.call(this, job, grace, reason);
          },
      ),
  },
  {
    name: 'cast-before-registration',
    breaks: 'A counter is cast only after the guardian has acknowledged its block.',
    plant: () => swap(Guardianship.prototype, 'has', () => () => true),
  },
  {
    name: 'guardian-goes-without-fencing',
    breaks: 'A guardian whose coordinator has died fences at every node before it goes.',
    plant: () => swap(GuardianCore.prototype, 'pipeEnded', () => () => [{ do: 'exit', code: 0 }]),
  },
  {
    name: 'guardian-stays',
    breaks: 'A guardian goes when every node has answered, or its leases are over.',
    plant: () =>
      all(
        swap(GuardianCore.prototype, 'tick', () => () => []),
        swap(
          GuardianCore.prototype,
          'heard',
          (real) =>
            function heard(this: InstanceType<typeof GuardianCore>, address, message, now) {
              return message.type === 'fenced' ? [] : real.call(this, address, message, now);
            },
        ),
      ),
  },
  {
    name: 'kill-not-sent',
    breaks: "A kill goes over the session's own link.",
    plant: () => unsaid('kill'),
  },
  {
    name: 'failure-not-told',
    breaks: 'Every cast ends: a job that throws ends in an exit.',
    plant: () => unsaid('exit'),
  },
  {
    name: 'grace-of-a-minute',
    breaks: 'What does not heed an abort is killed when its grace is over.',
    plant: () =>
      swap(
        Jobs.prototype,
        'end',
        (real) =>
          function end(this: InstanceType<typeof Jobs>, job, grace, reason) {
            real.call(this, job, grace === 0 ? 0 : 60_000, reason);
          },
      ),
  },
  {
    name: 'killed-refs-are-kept',
    breaks: 'A reference that its coordinator has given up is forgotten.',
    plant: () =>
      swap(
        Casts.prototype,
        'forget',
        () =>
          function forget(this: InstanceType<typeof Casts>, counter) {
            return this.has(counter);
          },
      ),
  },
  {
    name: 'down-told-to-nobody',
    breaks: 'Every reference of a lost session hears of its end.',
    plant: () => swap(Casts.prototype, 'down', () => () => undefined),
  },
  ...bugsOfLeases,
  ...bugsOfRows,
  ...bugsOfEnds,
  ...bugsOfLinks,
  ...bugsOfObjects,
  ...bugsOfStores,
];

/** @throws Error for a name that is none. */
export function plantedBug(name: string): Planted {
  const bug = plantedBugs.find((one) => one.name === name);
  if (bug !== undefined) return bug;
  throw new Error(`There is no planted bug "${name}"; there are ${plantedBugs.map((one) => one.name).join(', ')}.`);
}
