import { internals as coordinator } from '@muster/coordinator/testing';
import { internals as worker } from '@muster/worker/testing';
import { SimGuardian } from '../machines/sim-guardian.ts';
import type { Planted } from './breaking.ts';
import { all, swap } from './breaking.ts';

const { GuardianCore, Incarnation, judging, Part } = coordinator;
const { Sessions } = worker;

/** Bugs in how sessions, guardians and copies come to their ends, and who judges that they have. */
export const bugsOfEnds: readonly Planted[] = [
  {
    name: 'guardian-replaced-without-kill',
    breaks: 'A guardian that is replaced is killed, and its pipe read to the end, before the next one starts.',
    plant: () =>
      swap(
        SimGuardian.prototype,
        'kill',
        () =>
          function kill(this: SimGuardian) {
            return this.leave();
          },
      ),
  },
  {
    name: 'silence-judged-by-a-late-timer',
    breaks: 'A process that was stopped reads what was said to it meanwhile before it judges any silence.',
    plant: () =>
      all(
        swap(judging, 'after', () => (clock, ms, judge) => clock.after(ms, judge)),
        swap(judging, 'isLate', () => () => false),
      ),
  },
  {
    name: 'guardian-released-before-last-kills',
    breaks:
      'A coordinator that closes lets its guardian go behind its last kills, and the guardian fences before it goes.',
    plant: () =>
      all(
        swap(
          Incarnation.prototype,
          'close',
          (real) =>
            function close(this: InstanceType<typeof Incarnation>) {
              this.guardian.release();
              return real.call(this);
            },
        ),
        swap(
          GuardianCore.prototype,
          'told',
          (real) =>
            function told(this: InstanceType<typeof GuardianCore>, message, now) {
              return message.do === 'release' ? [{ do: 'exit', code: 0 }] : real.call(this, message, now);
            },
        ),
      ),
  },
  {
    name: 'copies-not-chosen-go-on',
    breaks: 'Copies of a part that were not chosen are told so.',
    plant: () =>
      swap(
        Part.prototype,
        'ready',
        (real) =>
          function ready(this: InstanceType<typeof Part>, copy) {
            return real.call(this, copy).filter((effect) => effect.do !== 'cancel');
          },
      ),
  },
  {
    name: 'fence-hits-everybody',
    breaks: 'A fence ends the sessions of its own incarnation, and nobody else notices.',
    plant: () => {
      const known = new WeakMap<object, Set<string>>();
      return all(
        swap(
          Sessions.prototype,
          'opening',
          (real) =>
            function opening(this: InstanceType<typeof Sessions>, incarnation, link, number, now) {
              known.set(this, (known.get(this) ?? new Set()).add(incarnation));
              return real.call(this, incarnation, link, number, now);
            },
        ),
        swap(
          Sessions.prototype,
          'fence',
          (real) =>
            function fence(this: InstanceType<typeof Sessions>, incarnation, link, now) {
              const all = new Set([incarnation, ...(known.get(this) ?? [])]);
              return [...all].flatMap((one) => real.call(this, one, link, now));
            },
        ),
      );
    },
  },
];

/** The jobs of an older session go on, of which nobody speaks any more. */
export function newerEndsNoOlder(): () => void {
  return swap(
    Sessions.prototype,
    'opening',
    (real) =>
      function opening(this: InstanceType<typeof Sessions>, incarnation, link, number, now) {
        return real
          .call(this, incarnation, link, number, now)
          .flatMap((effect) => (effect.do === 'end' ? this.jobsGone(effect.session, 0, now) : [effect]));
      },
  );
}
