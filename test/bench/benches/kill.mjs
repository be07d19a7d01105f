// @ts-check
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '../harness/child.mjs';
import { summary } from '../harness/figures.mjs';
import { commandOf, familyOf, isAlive, statOf } from '../harness/processes.mjs';
import { progress } from '../harness/report.mjs';
import { newSecret, scratch } from '../muster/cluster.mjs';

export const about = 'a coordinator is killed: milliseconds until none of its jobs runs';

const servers = 4;
const module = new URL('../muster/kill.mjs', import.meta.url).href;

/** Milliseconds after which jobs that still run are a failure, not a figure. */
const patience = 20_000;

/** @typedef {Awaited<ReturnType<typeof startScene>>} Scene */

/** @param {{ rounds: number }} options */
export async function run({ rounds }) {
  const scene = await startScene();
  const results = [
    await timed(scene, 'kill/sigkill-64-spinning', rounds, async (victim) => {
      const gone = await spinning(scene, victim);
      return measure(gone, () => victim.kill());
    }),
    await timed(scene, 'kill/sigkill-512-streaming', rounds, async (victim) => {
      await victim.ask('stream', { count: 512 });
      return measure(
        async () => (await scene.observer.ask('jobs')) === 0,
        () => victim.kill(),
      );
    }),
    await timed(scene, 'kill/machine-64', rounds, async (victim) => {
      const gone = await spinning(scene, victim);
      const guardian = guardianOf(victim.pid);
      await scene.proxy.ask('hold');
      return measure(gone, async () => {
        const killed = victim.kill();
        process.kill(guardian, 'SIGKILL');
        await killed;
      });
    }),
  ];
  await scene.close();
  return results;
}

/** Nodes that are reached through the proxy by the one that is killed, and directly by the one that looks on. */
async function startScene() {
  const secret = newSecret();
  const dir = scratch();
  const proxy = await startChild(new URL('../harness/holding-proxy.mjs', import.meta.url).href, 'proxy', {
    count: servers,
  });
  const advertise = proxy.ready.map((/** @type {number} */ port) => `127.0.0.1:${port}`);
  const options = { jobs: 'kill', dir, secret, lane: 256, advertise };
  const nodes = await Promise.all(
    Array.from({ length: servers }, (_, index) => startChild(module, 'serve', { index, ...options })),
  );
  const addresses = nodes.map(({ ready }) => ready);
  await proxy.ask(
    'aim',
    addresses.map((address) => Number(new URL(address).port)),
  );
  const observer = await startChild(module, 'observer', { addresses, secret });
  const closing = [observer, ...nodes, proxy];
  return {
    dir,
    proxy,
    observer,
    startVictim: () =>
      startChild(module, 'victim', { addresses: advertise.map((/** @type {string} */ one) => `ws://${one}`), secret }),
    close: async () => {
      for (const child of closing) await child.close();
    },
  };
}

/**
 * Each time with a coordinator of its own, after nothing is left of the last one.
 * @param {Scene} scene
 * @param {string} name
 * @param {number} rounds
 * @param {(victim: import('../harness/child.mjs').Child) => Promise<number>} once
 */
async function timed(scene, name, rounds, once) {
  const times = [];
  for (let round = 1; round <= rounds; round += 1) {
    progress(`${name}: round ${round} of ${rounds}`);
    const victim = await scene.startVictim();
    const guardian = guardianOf(victim.pid);
    times.push(await once(victim));
    await scene.proxy.ask('release');
    await until(async () => statOf(guardian) === undefined && (await scene.observer.ask('jobs')) === 0);
  }
  return { name, unit: 'ms', ...summary(times) };
}

/** 64 jobs that compute without end, on all nodes; whether none does any more. @param {Scene} scene @param {import('../harness/child.mjs').Child} victim */
async function spinning({ dir }, victim) {
  const gate = join(dir, `gate-${victim.pid}`);
  /** @type {number[]} */
  const pids = await victim.ask('spin', { count: 64, gate });
  const processes = pids.map(statOf).filter((stat) => stat !== undefined);
  if (processes.length !== 64) throw new Error(`${processes.length} of 64 jobs run.`);
  writeFileSync(gate, '');
  await until(async () => processes.every(({ pid, ticks }) => (statOf(pid)?.ticks ?? 0) > ticks + 5));
  return async () => !processes.some(isAlive);
}

/** @param {number} pid */
function guardianOf(pid) {
  const guardian = familyOf(pid).find((one) => commandOf(one.pid).includes('guardian/main.js'));
  if (guardian === undefined) throw new Error('The coordinator has no guardian.');
  return guardian.pid;
}

/** Milliseconds from the act until `done`. @param {() => Promise<boolean>} done @param {() => Promise<void>} act */
async function measure(done, act) {
  const began = performance.now();
  void act();
  await until(done);
  return performance.now() - began;
}

/** @param {() => Promise<boolean>} done */
async function until(done) {
  const end = performance.now() + patience;
  while (!(await done())) {
    if (performance.now() > end) throw new Error(`Still not over after ${patience} ms.`);
    await sleep(2);
  }
}
