import { internals as coordinator } from '@muster/coordinator/testing';
import { internals as worker } from '@muster/worker/testing';
import type { Planted } from './breaking.ts';
import { swap } from './breaking.ts';

const { Intake, Part, Source } = coordinator;
const { Jobs } = worker;

/** Bugs in which rows there are, how many may be under way, and what is said of them. */
export const bugsOfRows: readonly Planted[] = [
  {
    name: 'window-off-by-one-row',
    breaks: 'At most the granted rows are unacknowledged.',
    plant: () => windowGrants(({ rows, bytes }) => ({ rows: rows + 1, bytes })),
  },
  {
    name: 'window-off-by-one-byte',
    breaks: 'At most the granted bytes are unacknowledged.',
    plant: () => windowGrants(({ rows, bytes }) => ({ rows, bytes: bytes + 1 })),
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
];

/** Streams get another window than the one that was granted. */
function windowGrants(
  change: (window: { readonly rows: number; readonly bytes: number }) => { rows: number; bytes: number },
): () => void {
  return swap(
    Jobs.prototype,
    'start',
    (real) =>
      function start(this: InstanceType<typeof Jobs>, session, message) {
        real.call(this, session, { ...message, ...change(message) });
      },
  );
}
