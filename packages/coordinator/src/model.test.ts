import fc from 'fast-check';
import { expect, it } from 'vitest';
import { Ledger } from '../test/ledger.ts';
import { command, endings, Scene } from '../test/scene.ts';

/** Ends that a caller may see. A protocol error or a foreign one is a bug, whatever was done. */
const ends =
  /^(value|done|job_failed|executor_lost|down|cancelled|closed|fenced|incomplete|timeout|unavailable|maintenance|lease_lost|killed|unreachable|overloaded)$/;

const runs = Number(process.env['MUSTER_RUNS'] ?? 150);

it('rule 1: whatever callers and the world do, every cast ends once, rows are a prefix, and nothing is left', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.nat(),
      fc.array(command, { maxLength: 40 }),
      fc.constantFrom(...endings),
      async (seed, steps, ending) => {
        const ledger = new Ledger();
        const scene = new Scene(seed);
        try {
          await scene.open();
          for (const step of steps) {
            await scene.do(step);
            scene.check();
          }
          await scene.end(ending);
          scene.check();
          // One that was killed itself hears of no end any more.
          if (ending === 'close') expect(ledger.wrong).toEqual([]);
          expect(ledger.entries.filter(({ ends }) => ends.length > 1)).toEqual([]);
          for (const { end } of scene.asked) if (end !== undefined) expect(end).toMatch(ends);
        } finally {
          ledger.close();
        }
      },
    ),
    { numRuns: runs },
  );
}, 600_000);
