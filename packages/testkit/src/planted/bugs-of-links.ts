import { resending } from '@muster/rexi/testing';
import { internals as worker } from '@muster/worker/testing';
import type { Planted } from './breaking.ts';
import { all, swap } from './breaking.ts';

const { Sessions } = worker;

/** Bugs in how a session moves from one link to the next. */
export const bugsOfLinks: readonly Planted[] = [
  {
    name: 'frame-forgotten-on-resume',
    breaks: 'Everything that was not acked is sent again over the next link.',
    plant: () =>
      swap(
        resending,
        'order',
        () =>
          function order<Frame>(underWay: readonly Frame[], again: readonly Frame[]): Frame[] {
            return [...underWay, ...again].slice(1);
          },
      ),
  },
  {
    name: 'frame-sent-twice-on-resume',
    breaks: 'Nothing is sent again that was sent again already.',
    plant: () =>
      swap(
        resending,
        'order',
        () =>
          function order<Frame>(underWay: readonly Frame[], again: readonly Frame[]): Frame[] {
            return [...underWay.slice(-1), ...underWay, ...again];
          },
      ),
  },
  {
    name: 'frames-out-of-order-on-resume',
    breaks: 'What is sent again has the order of its lane.',
    plant: () =>
      swap(
        resending,
        'order',
        () =>
          function order<Frame>(underWay: readonly Frame[], again: readonly Frame[]): Frame[] {
            return [...underWay, ...again].toReversed();
          },
      ),
  },
  {
    name: 'session-ends-with-its-link',
    breaks: 'A session outlives its link.',
    plant: () =>
      swap(
        Sessions.prototype,
        'linkBroke',
        () =>
          function linkBroke(this: InstanceType<typeof Sessions>, incarnation, link, byPeer, now) {
            return this.linkEnded(incarnation, link, byPeer, now);
          },
      ),
  },
  {
    name: 'lease-stands-still-without-a-link',
    breaks: 'The lease of a session runs out whether or not it has a link.',
    plant: () => {
      const broken = new WeakSet<object>();
      return all(
        swap(
          Sessions.prototype,
          'linkBroke',
          (real) =>
            function linkBroke(this: InstanceType<typeof Sessions>, incarnation, link, byPeer, now) {
              const session = this.current(incarnation, link);
              if (session !== undefined) broken.add(session);
              return real.call(this, incarnation, link, byPeer, now);
            },
        ),
        swap(
          Sessions.prototype,
          'leaseEnd',
          (real) =>
            function leaseEnd(this: InstanceType<typeof Sessions>, session) {
              return broken.has(session) ? real.call(this, session) + 60_000 : real.call(this, session);
            },
        ),
      );
    },
  },
];
