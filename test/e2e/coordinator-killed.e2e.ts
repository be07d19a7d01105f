import type { Cluster } from '@muster/coordinator';
import { afterEach, describe, expect, it } from 'vitest';
import { now } from './harness/child.ts';
import type { Coordinator } from './harness/coordinator.ts';
import { beating, deathsAfter, quiet, tell } from './harness/evidence.ts';
import { guardiansIn, Lab } from './harness/lab.ts';
import type { Proxy } from './harness/proxy.ts';
import { until } from './harness/wait.ts';
import type { Worker } from './harness/worker.ts';

interface Scene {
  readonly lab: Lab;
  readonly proxies: readonly Proxy[];
  readonly workers: readonly Worker[];
  readonly observer: Cluster;
  readonly coordinator: Coordinator;
  readonly incarnation: string;
  readonly beat: string;
}

const short = { lease: 1_500, heartbeat: 300 };
const labs: Lab[] = [];
afterEach(() => Promise.all(labs.splice(0).map((lab) => lab.close())));

/** Two nodes, each behind a proxy, with busy, blocked, forking and streaming jobs of one coordinator. */
async function busy(constants: Record<string, number> = short): Promise<Scene> {
  const lab = new Lab();
  labs.push(lab);
  const proxies = [await lab.proxy(), await lab.proxy()];
  const workers = await Promise.all(proxies.map((proxy, i) => lab.node(`n${i}`, { proxy, set: constants })));
  const observer = await lab.cluster(workers.map(({ address }) => address));
  const coordinator = lab.coordinator();
  const addresses = proxies.map(({ address }) => address);
  const incarnation = await coordinator.connect({ ...lab.options(addresses), constants });
  const beat = lab.beat();
  for (const job of ['spin', 'block', 'fork', 'tick'])
    await coordinator.begin(job, 'scatter', job, { beat }, { over: 'nodes' });
  // A forking job has two files.
  await beating(beat, 10);
  await until('rows arrive', async () => (await coordinator.state('tick')).rows > 5);
  return { lab, proxies, workers, observer, coordinator, incarnation, beat };
}

function killBoth(coordinator: Coordinator, guardian: number): number {
  const at = now();
  for (const pid of [guardian, coordinator.pid]) process.kill(pid, 'SIGKILL');
  return at;
}

/** Who ended the session at each node. */
function endedBy(workers: readonly Worker[], incarnation: string): unknown[] {
  return workers.map(
    (worker) => worker.lines('session-ended').find((line) => line['incarnation'] === incarnation)?.['by'],
  );
}

describe('Nothing of a coordinator runs any more', () => {
  it('1 s after it was killed, whatever its jobs do: the guardian fences', async () => {
    const scene = await busy();
    const died = scene.coordinator.signal('SIGKILL');
    const gone = until('the guardian has gone', () => guardiansIn(scene.lab).length === 0 && now() - died, 2_000);
    const deaths = await deathsAfter(died, 1_000, scene);
    tell('coordinator killed', { ...deaths, guardian: Math.round(await gone) });
    expect(endedBy(scene.workers, scene.incarnation)).toEqual(['fence', 'fence']);
    await quiet(scene.lab);
  });

  it('2 s after it and its guardian were killed at once: both links are closed and not back', async () => {
    const scene = await busy({});
    const died = killBoth(scene.coordinator, await scene.coordinator.guardian());
    const deaths = await deathsAfter(died, 2_000, scene);
    tell('both killed', deaths);
    expect(new Set(endedBy(scene.workers, scene.incarnation))).toEqual(new Set(['closed links']));
    await quiet(scene.lab);
  });

  it.each([
    ['a short lease', short],
    ['the lease as it is by default', {}],
  ])('one lease after both were killed behind links that stay open: %s', async (_name, constants) => {
    const scene = await busy(constants);
    const guardian = await scene.coordinator.guardian();
    for (const { wires } of scene.proxies) for (const wire of wires) wire.hold();
    const died = killBoth(scene.coordinator, guardian);
    const { lease = 5_000 } = constants as { lease?: number };
    const deaths = await deathsAfter(died, lease + 500, scene);
    tell(`both killed, links held, lease ${lease}`, deaths);
    expect(endedBy(scene.workers, scene.incarnation)).toEqual(['lease', 'lease']);
    for (const proxy of scene.proxies) proxy.cut();
    await quiet(scene.lab);
  });
});

describe('A coordinator that ends by process.exit', () => {
  it('right after a cast leaves nothing, whatever of it had left', async () => {
    const { lab, coordinator, ...scene } = await busy();
    const since = now();
    void coordinator.tell('exitAfterCast', 'spin', { beat: scene.beat });
    const deaths = await deathsAfter(since, 1_000, scene);
    await until('the guardian has gone', () => guardiansIn(lab).length === 0, 2_000);
    tell('process.exit', deaths);
    expect((await coordinator.ended).code).toBe(7);
    await quiet(lab);
  });
});

describe('A coordinator that closes', () => {
  it('takes its jobs and its guardian with it, and its process ends by itself', async () => {
    const { lab, coordinator, ...scene } = await busy();
    const since = now();
    const closed = coordinator.tell('close');
    const deaths = await deathsAfter(since, 1_000, scene);
    await closed;
    await until('the guardian has gone', () => guardiansIn(lab).length === 0, 2_000);
    tell('closed', deaths);
    expect((await coordinator.state('tick')).error?.code).toBe('closed');
    await quiet(lab);
  });
});
