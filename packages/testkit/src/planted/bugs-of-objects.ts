import { internals } from '@muster/worker/testing';
import type { Planted } from './breaking.ts';
import { swap } from './breaking.ts';

const { ObjectTable } = internals;

/** Bugs in who owns an object, and for how long. */
export const bugsOfObjects: readonly Planted[] = [
  {
    name: 'key-not-released',
    breaks: 'The objects of a session go when it ends.',
    plant: () => swap(ObjectTable.prototype, 'endSession', () => () => undefined),
  },
  {
    name: 'key-of-a-job-not-released',
    breaks: 'An object that its job has not handed on goes with the job.',
    plant: () => swap(ObjectTable.prototype, 'endJob', () => () => undefined),
  },
  {
    name: 'key-released-with-its-job',
    breaks: "An object whose key was handed on is the session's.",
    plant: () => swap(ObjectTable.prototype, 'adopt', () => () => 0),
  },
  {
    name: 'large-object-forgotten',
    breaks: 'An object is there as long as its owner is, however large.',
    plant: () =>
      swap(
        ObjectTable.prototype,
        'read',
        (real) =>
          function read(this: InstanceType<typeof ObjectTable>, name) {
            const found = real.call(this, name);
            return found.is === 'here' && found.bytes.length > 60_000 ? { is: 'evicted' } : found;
          },
      ),
  },
];
