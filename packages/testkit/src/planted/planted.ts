import { Channel } from '@muster/rexi';
import { internals as coordinator } from '@muster/coordinator/testing';
import { internals as worker } from '@muster/worker/testing';
import type { Planted } from './breaking.ts';
import { all, fix, swap, unsaid } from './breaking.ts';
import { bugsOfEnds } from './bugs-of-ends.ts';
import { bugsOfObjects } from './bugs-of-objects.ts';

const { Casts, GuardianCore, Guardianship, Intake, Part, Source } = coordinator;
const { Counters, Jobs, Placing, Sessions } = worker;

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
        swap(
          Channel.prototype,
          'send',
          (real) =>
            function send(this: Channel, message, atHandOver) {
              real.call(this, message, atHandOver);
              if (message.type === 'cast') real.call(this, message, atHandOver);
            },
        ),
      ),
  },
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
    plant: () =>
      all(
        swap(
          Sessions.prototype,
          'expire',
          (real) =>
            function expire(this: InstanceType<typeof Sessions>, now) {
              return real.call(this, now - 3_000);
            },
        ),
        fix(Sessions.prototype, 'nextExpiry', (real) => real + 3_000),
      ),
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
    name: 'session-end-kills-nobody',
    breaks: 'The end of a session ends its jobs.',
    plant: () => swap(Jobs.prototype, 'endSession', () => () => undefined),
  },
  {
    name: 'window-off-by-one-row',
    breaks: 'At most the granted rows are unacknowledged.',
    plant: () =>
      swap(
        Jobs.prototype,
        'start',
        (real) =>
          function start(this: InstanceType<typeof Jobs>, session, message) {
            real.call(this, session, { ...message, rows: message.rows + 1 });
          },
      ),
  },
  {
    name: 'window-off-by-one-byte',
    breaks: 'At most the granted bytes are unacknowledged.',
    plant: () =>
      swap(
        Jobs.prototype,
        'start',
        (real) =>
          function start(this: InstanceType<typeof Jobs>, session, message) {
            real.call(this, session, { ...message, bytes: message.bytes + 1 });
          },
      ),
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
    name: 'cast-before-registration',
    breaks: 'A counter is cast only after the guardian has acknowledged its block.',
    plant: () => swap(Guardianship.prototype, 'has', () => () => true),
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
    name: 'replacement-gives-shard-twice',
    breaks: 'A part of which a row was handed on is not begun again.',
    plant: () => swap(Part.prototype, 'handedOn', () => () => undefined),
  },
  {
    name: 'early-end-drops-last-row',
    breaks: 'Every row that was taken is handed on.',
    plant: () =>
      swap(
        Intake.prototype,
        'take',
        (real) =>
          function take(this: InstanceType<typeof Intake>, most) {
            const rows = real.call(this, most);
            return rows.length >= most ? rows.slice(0, -1) : rows;
          },
      ),
  },
  {
    name: 'ack-before-delivery',
    breaks: 'Only what the consumer has taken is acknowledged.',
    plant: () => {
      const bytes = new WeakMap<object, number>();
      return swap(
        Source.prototype,
        'rows',
        (real) =>
          function rows(this: InstanceType<typeof Source>, message) {
            real.call(this, message);
            bytes.set(this, (bytes.get(this) ?? 0) + message.batch.length);
            this.node.send({ type: 'ack', counter: this.counter, rows: this.received, bytes: bytes.get(this) ?? 0 });
          },
      );
    },
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
  ...bugsOfEnds,
  ...bugsOfObjects,
];

/** @throws Error for a name that is none. */
export function plantedBug(name: string): Planted {
  const bug = plantedBugs.find((one) => one.name === name);
  if (bug !== undefined) return bug;
  throw new Error(`There is no planted bug "${name}"; there are ${plantedBugs.map((one) => one.name).join(', ')}.`);
}
