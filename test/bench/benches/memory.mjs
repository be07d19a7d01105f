// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { summary } from '../harness/figures.mjs';
import { familyOf, memoryOf, ticksPerSecond } from '../harness/processes.mjs';
import { progress } from '../harness/report.mjs';
import { startMuster } from '../muster/cluster.mjs';

export const about = 'what 512 streams that are read slowly take, and what a node costs that has nothing to do';

const servers = 4;

/** @param {{ quick: boolean }} options */
export async function run({ quick }) {
  const ms = quick ? 5_000 : 10_000;
  const muster = await startMuster({ bench: 'memory', jobs: 'rows', servers, lane: 256 });
  // Spares are started after a node is ready, and what has just started is still at work.
  await sleep(3_000);
  progress(`idle/node-cpu: ${ms / 1000} s`);
  const idle = await idleCost(
    muster.servers.map(({ pid }) => pid),
    ms,
  );
  progress(`memory/512-slow-streams: ${ms / 1000} s`);
  const before = memoryOf(muster.client.pid);
  const { rows = 0 } = await muster.measure({ streams: 512, size: 1_000, ms, every: 50 });
  const after = memoryOf(muster.client.pid);
  progress(
    `${rows} rows were read; the coordinator had ${before.now.toFixed(0)} MiB before, ${after.now.toFixed(0)} MiB after.`,
  );
  await muster.close();
  return [
    { name: 'memory/512-slow-streams', unit: 'MiB peak', value: after.peak, min: before.now, max: after.peak },
    { name: 'idle/node-cpu', unit: '% of a core', ...summary(idle) },
  ];
}

/** Of each node, with all that it has started: percent of a core. @param {readonly number[]} pids @param {number} ms */
async function idleCost(pids, ms) {
  const ticks = () => pids.map((pid) => familyOf(pid).reduce((sum, one) => sum + one.ticks, 0));
  const before = ticks();
  await sleep(ms);
  const after = ticks();
  return after.map((now, i) => (100 * ((now - (before[i] ?? 0)) / ticksPerSecond)) / (ms / 1_000));
}
