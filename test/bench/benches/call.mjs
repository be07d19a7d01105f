// @ts-check
import { availableParallelism } from 'node:os';
import { compare } from '../harness/compare.mjs';
import { progress } from '../harness/report.mjs';
import { startSide } from '../harness/side.mjs';
import { startMuster } from '../muster/cluster.mjs';
import { freePorts } from '../yardsticks/moleculer-call.mjs';

export const about = 'one small value there and back: how long one takes, and how many 64 in flight are';

const args = { text: 'x'.repeat(80) };
const ms = 700;
/** A call passes three processes, each of which is compiled as it runs: the first seconds are not what lasts. */
const warmUp = 5;

/** @param {{ rounds: number }} options */
export async function run({ rounds }) {
  progress('call/inline is left out: there are no inline executors.');
  const muster = await startMuster({ bench: 'call', servers: 1 });
  const echo = await startSide({ name: 'ws echo', module: yardstick('ws-echo.mjs'), servers: 1 });
  const moleculer = await startMoleculer('moleculer TCP', 0);
  const alike = await startMoleculer('moleculer and processes', availableParallelism());
  const results = [];
  for (const job of ['shared', 'exclusive']) {
    const order = { job, ms, inFlight: 1, args };
    const wanted = ['p50', 'p99'].map((figure) => ({
      name: `call/${job}/${figure}`,
      figure,
      unit: 'ms',
      better: /** @type {const} */ ('lower'),
    }));
    results.push(
      ...(await compare({
        label: `call/${job}`,
        sides: [
          [muster, order],
          [echo, order],
          [moleculer, order],
          [alike, order],
        ],
        wanted,
        rounds,
        warmUp,
      })),
    );
  }
  const order = { job: 'shared', ms, inFlight: 64, args };
  const name = 'call/64-in-flight';
  const wanted = [{ name, figure: 'rate', unit: 'calls/s', better: /** @type {const} */ ('higher') }];
  results.push(
    ...(await compare({
      label: name,
      sides: [
        [muster, order],
        [moleculer, order],
        [alike, order],
        [echo, order],
      ],
      wanted,
      rounds,
      warmUp,
    })),
  );
  for (const side of [muster, echo, moleculer, alike]) await side.close();
  return results;
}

/** @param {string} name @param {number} processes that the server hands calls on to; 0: it answers itself */
async function startMoleculer(name, processes) {
  const ports = await freePorts();
  const module = yardstick('moleculer-call.mjs');
  return startSide({ name, module, servers: 1, serving: { ports, processes }, client: { ports } });
}

/** @param {string} file */
function yardstick(file) {
  return new URL(`../yardsticks/${file}`, import.meta.url).href;
}
