import { internals as coordinator } from '@muster/coordinator/testing';
import { constants, surelyDeadAfter } from '@muster/rexi';
import { internals as worker } from '@muster/worker/testing';
import fc from 'fast-check';
import { expect, it } from 'vitest';

const table = constants();
const who = 'aaaaaaaaaaaaaaaa';
const bound = surelyDeadAfter(table);
/** So much faster or slower than the coordinator's may a worker's clock be. */
const drift = 0.01;

/** How one side hears a stamp, and what becomes of the renewal that it says then. In real milliseconds. */
const echo = fc.record({
  read: fc.option(fc.integer({ min: 0, max: 8_000 }), { freq: 4 }),
  arrives: fc.array(fc.integer({ min: 0, max: 20_000 }), { maxLength: 3 }),
});
const beat = fc.record({ own: echo, guardian: echo });
const run = fc.record({
  beats: fc.array(beat, { minLength: 1, maxLength: 12 }),
  givenUp: fc.integer({ min: 0, max: 15_000 }),
  /** The guardian hears of it, and its answer is read so much later; without an answer its exit is. */
  told: fc.integer({ min: 0, max: 3_000 }),
  answered: fc.integer({ min: 0, max: 3_000 }),
  answers: fc.boolean(),
  rate: fc.double({ min: 1 - drift, max: 1 + drift, noNaN: true }),
});

type Run = typeof run extends fc.Arbitrary<infer T> ? T : never;

/** Real time at which the node's lease has ended the job, and at which the coordinator takes it for surely dead. */
function ends({ beats, givenUp, told, answered, answers, rate }: Run): { dead: number; surely: number } {
  const sessions = new worker.Sessions({ constants: table, jobs: () => [] });
  const renewals: { at: number; stamp: number }[] = [];
  const own = { stamp: 0, at: 0 };
  let guardians = 0;
  beats.forEach(({ own: mine, guardian }, i) => {
    const made = i * table.heartbeat;
    const stamp = Math.floor(made * rate);
    const say = (read: number | null, until: number, arrives: readonly number[]): boolean => {
      if (read === null || made + read > until) return false;
      for (const later of arrives) renewals.push({ at: made + read + later, stamp });
      return true;
    };
    if (say(mine.read, givenUp, mine.arrives) && stamp >= own.stamp)
      Object.assign(own, { stamp, at: made + (mine.read ?? 0) });
    if (say(guardian.read, givenUp + told, guardian.arrives)) guardians = Math.max(guardians, stamp);
  });
  sessions.opening(who, 1, 1, 0);
  for (const { at, stamp } of renewals.toSorted((a, b) => a.at - b.at)) sessions.renew(who, 1, stamp, at * rate);
  const lease = sessions.nextExpiry;
  const said = answers ? guardians : Infinity;
  const surely = Math.max(givenUp, coordinator.lastRenewal.at(own, said, givenUp + told + answered) + bound);
  // Infinity: it had run out before the last renewal came, which then meant nothing.
  return { dead: (lease === Infinity ? 0 : lease / rate) + table.kill, surely };
}

it('a job of a lost session is dead when it is surely dead, however renewals are delayed, lost and repeated: two copies never overlap', () => {
  fc.assert(
    fc.property(run, (one) => {
      const { dead, surely } = ends(one);
      expect(dead).toBeLessThanOrEqual(surely);
    }),
    { numRuns: 5_000 },
  );
});

it('which takes the answer of the guardian: by its own stamps alone the coordinator would be too early', () => {
  const { at } = coordinator.lastRenewal;
  coordinator.lastRenewal.at = (own) => own.at;
  try {
    const early = fc.check(
      fc.property(run, (one) => {
        const { dead, surely } = ends(one);
        return dead <= surely;
      }),
      { numRuns: 5_000 },
    );
    expect(early.failed).toBe(true);
  } finally {
    coordinator.lastRenewal.at = at;
  }
});
