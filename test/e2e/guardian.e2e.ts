import type { Cluster } from '@muster/coordinator';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { now } from './harness/child.ts';
import type { Coordinator } from './harness/coordinator.ts';
import { guardiansOf } from './harness/coordinator.ts';
import { beating, deathsAfter, quiet, tell } from './harness/evidence.ts';
import { guardiansIn, Lab } from './harness/lab.ts';
import { isAlive } from './harness/machine.ts';
import { throughout, until } from './harness/wait.ts';

const lab = new Lab();
let addresses: string[];
let observer: Cluster;

beforeAll(async () => {
  addresses = (await lab.nodes(['a', 'b'])).map(({ address }) => address);
  observer = await lab.cluster(addresses);
});
afterEach(() => quiet(lab));
afterAll(() => lab.close());

interface Scene {
  readonly coordinator: Coordinator;
  readonly incarnation: string;
  readonly beat: string;
  readonly guardian: number;
}

/** A coordinator with two streams, and with so small a block of counters that every few casts wait for its guardian. */
async function streaming(constants: Record<string, number> = {}): Promise<Scene> {
  const coordinator = lab.coordinator();
  const incarnation = await coordinator.connect({ ...lab.options(addresses), constants: { block: 2, ...constants } });
  const beat = lab.beat();
  await coordinator.begin('tick', 'scatter', 'tick', { beat }, { over: 'nodes' });
  await beating(beat, 2);
  return { coordinator, incarnation, beat, guardian: await coordinator.guardian() };
}

async function next(coordinator: Coordinator, old: number): Promise<number> {
  return until(
    'another guardian is there',
    async () => (await coordinator.guardian().catch(() => old)) !== old && coordinator.guardian(),
    2_000,
  );
}

async function flows(coordinator: Coordinator): Promise<void> {
  const { rows } = await coordinator.state('tick');
  await until('rows go on', async () => (await coordinator.state('tick')).rows > rows + 5, 2_000);
  expect((await coordinator.state('tick')).error).toBeUndefined();
}

async function killAndLook({ coordinator, incarnation, beat }: Scene, what: string): Promise<void> {
  const died = coordinator.signal('SIGKILL');
  tell(what, await deathsAfter(died, 1_000, { observer, workers: lab.workers, incarnation, beat }));
}

describe('A guardian that is killed', () => {
  it('is replaced within 2 s while the work goes on, and the new one does its work', async () => {
    const scene = await streaming();
    const { coordinator, guardian, incarnation } = scene;
    const died = now();
    process.kill(guardian, 'SIGKILL');
    expect(await coordinator.tell('call', 'add', { a: 1, b: 2 })).toBe(3);
    await next(coordinator, guardian);
    tell('guardian replaced', { ms: Math.round(now() - died) });
    await flows(coordinator);
    expect(await coordinator.tell('incarnation')).toBe(incarnation);
    await killAndLook(scene, 'coordinator killed under its second guardian');
  });

  it('and whose coordinator is killed before the next one is ready leaves nothing', async () => {
    const { coordinator, guardian, incarnation, beat } = await streaming();
    process.kill(guardian, 'SIGKILL');
    await until('another guardian begins', () => guardiansOf(coordinator.pid).some((pid) => pid !== guardian), 2_000);
    const died = coordinator.signal('SIGKILL');
    const gone = until('the guardian has gone', () => guardiansIn(lab).length === 0 && now() - died, 3_000);
    const deaths = await deathsAfter(died, 2_000, { observer, workers: lab.workers, incarnation, beat });
    tell('guardian and coordinator killed one after the other', { ...deaths, guardian: Math.round(await gone) });
  });

  it('three times in a minute makes requests fail, and says why', async () => {
    const { coordinator, incarnation, beat } = await streaming();
    let guardian = 0;
    let at = 0;
    for (let deaths = 0; deaths < 3; deaths += 1) {
      guardian = await next(coordinator, guardian);
      at = now();
      process.kill(guardian, 'SIGKILL');
    }
    const { error } = await coordinator.over('tick', 2_000);
    tell('three guardians killed', await deathsAfter(at, 2_000, { observer, workers: lab.workers, incarnation, beat }));
    expect(error?.code).toBe('unavailable');
    // The next request begins a new incarnation, with a guardian of its own.
    expect(await coordinator.tell('call', 'add', { a: 1, b: 2 })).toBe(3);
    expect(await coordinator.tell('incarnation')).not.toBe(incarnation);
    await coordinator.tell('close');
  });
});

describe('A guardian that is stopped', () => {
  it('is replaced when it has been silent for the connect time, though nothing is asked of it', async () => {
    const scene = await streaming({ block: 4_096 });
    const { coordinator, guardian, incarnation } = scene;
    process.kill(guardian, 'SIGSTOP');
    const since = now();
    await until('the guardian has been replaced', () => !isAlive(guardian), 6_000);
    await next(coordinator, guardian);
    tell('idle guardian stopped', { ms: Math.round(now() - since) });
    await flows(coordinator);
    expect(await coordinator.tell('incarnation')).toBe(incarnation);
    await killAndLook(scene, 'coordinator killed after its idle guardian was stopped');
  });

  it('is not left behind by a close that leaves it nothing to do', async () => {
    const { coordinator, guardian } = await streaming();
    process.kill(guardian, 'SIGSTOP');
    await coordinator.tell('close');
    await until('the guardian has gone', () => !isAlive(guardian), 1_000);
  });

  it('lets nothing be cast, and is replaced when it has not answered for the connect time', async () => {
    const scene = await streaming({ connect: 1_000 });
    const { coordinator, guardian } = scene;
    process.kill(guardian, 'SIGSTOP');
    const since = now();
    // The block holds a few counters more; the calls beyond it wait.
    const marks = lab.beat();
    for (let i = 0; i < 8; i += 1) await coordinator.begin(`mark ${i}`, 'call', 'mark', { beat: marks });
    const overs = async (): Promise<number> => {
      const states = await Promise.all(Array.from({ length: 8 }, (_, i) => coordinator.state(`mark ${i}`)));
      return states.filter(({ ended }) => ended === true).length;
    };
    await throughout('some casts wait', 700, async () => (await overs()) < 8);
    await until('the guardian has been replaced and all is cast', async () => (await overs()) === 8, 3_000);
    tell('guardian stopped', { ms: Math.round(now() - since) });
    expect(isAlive(guardian)).toBe(false);
    await flows(coordinator);
    await killAndLook(scene, 'coordinator killed after its guardian was stopped');
  });
});
