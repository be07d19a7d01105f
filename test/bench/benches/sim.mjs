// @ts-check
import { runSeeds } from '../../../packages/testkit/dist/seeds/run-seeds.js';
import { summary } from '../harness/figures.mjs';
import { progress } from '../harness/report.mjs';

export const about = 'the whole cluster under virtual time, in one thread: how much faster than real time it goes';

/** Enough for every scenario and both modes; the same in each round. */
const seeds = { safety: 30, liveness: 6 };

/** @param {{ rounds: number }} options */
export async function run({ rounds }) {
  progress('sim: warm-up');
  await once();
  /** @type {Awaited<ReturnType<typeof once>>[]} */
  const measured = [];
  for (let round = 1; round <= rounds; round += 1) {
    progress(`sim: round ${round} of ${rounds}`);
    measured.push(await once());
  }
  return [
    { name: 'sim/speed', unit: 'times real time', ...summary(measured.map(({ speed }) => speed)) },
    { name: 'sim/events', unit: 'events/s', ...summary(measured.map(({ events }) => events)) },
  ];
}

/** Throws where a seed fails: what is fast and wrong is no result. */
async function once() {
  const began = performance.now();
  let [simulated, events] = [0, 0];
  for await (const report of runSeeds(orders(), 0)) {
    if (report.violations.length > 0)
      throw new Error(`Seed ${report.seed} fails: npm run sim -- --seed ${report.seed}`);
    simulated += report.simulated;
    events += report.events;
  }
  const ms = performance.now() - began;
  return { speed: simulated / ms, events: (events / ms) * 1_000 };
}

function* orders() {
  for (const mode of /** @type {const} */ (['safety', 'liveness']))
    for (let seed = 1; seed <= seeds[mode]; seed += 1) yield { seed, mode, duration: 60_000 };
}
