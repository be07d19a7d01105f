import type { Cluster } from '@muster/coordinator';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { now } from './harness/child.ts';
import type { Coordinator } from './harness/coordinator.ts';
import { beating, deathsAfter, quiet, tell } from './harness/evidence.ts';
import { guardiansIn, Lab } from './harness/lab.ts';
import { until, within } from './harness/wait.ts';

/** Where it dies; the count lets jobs run before it does. */
const points = [
  'block-registered:3',
  'before-cast:4',
  'after-cast:4',
  'after-init:3',
  'before-start:3',
  'after-start:3',
  'mid-stream:20',
  'before-kill:2',
  'after-kill:2',
  'before-release',
];

const lab = new Lab();
const constants = { block: 4 };
let observer: Cluster;
let addresses: string[];

beforeAll(async () => {
  addresses = (await lab.nodes(['a', 'b'])).map(({ address }) => address);
  observer = await lab.cluster(addresses);
});
afterEach(() => quiet(lab));
afterAll(() => lab.close());

/** Casts by ones and by twos, chooses streams, reads, cancels, closes: passes every point at least once. */
async function live(coordinator: Coordinator, beat: string): Promise<void> {
  await coordinator.begin('spinning', 'scatter', 'spin', { beat }, { over: 'nodes' });
  await beating(beat, 2);
  for (const name of ['one', 'two', 'three'])
    await coordinator.begin(name, 'scatter', 'tick', { beat }, { over: 'nodes' });
  await until('rows arrive', async () => (await coordinator.state('three')).rows > 20);
  for (const name of ['one', 'two']) await coordinator.tell('abort', name);
  await coordinator.tell('close');
}

describe('A coordinator that is killed', () => {
  it.each(points)('at %s leaves no job within 1 s and no guardian within 2 s', async (point) => {
    const beat = lab.beat();
    const coordinator = lab.coordinator(point);
    const incarnation = await coordinator.connect({ ...lab.options(addresses), constants });
    // What is told to a coordinator that is dead is never answered.
    void live(coordinator, beat).catch(() => undefined);
    const died = await until(
      'the failpoint is passed',
      () => coordinator.errors.includes(`failpoint ${point.split(':')[0]}\n`) && now(),
    );
    const [{ signal }, guardian, deaths] = await Promise.all([
      within('the coordinator is dead', 1_000, coordinator.ended),
      until('the guardian has gone', () => guardiansIn(lab).length === 0 && now() - died, 2_000),
      deathsAfter(died, 1_000, { observer, workers: lab.workers, incarnation, beat }),
    ]);
    tell(point, { ...deaths, guardian: Math.round(guardian) });
    expect(signal).toBe('SIGKILL');
    expect(lab.workers.every((worker) => worker.startedFor(incarnation).length > 0)).toBe(true);
  });

  it('in production passes no failpoint, whatever the environment says', async () => {
    const coordinator = lab.coordinator();
    expect(await coordinator.tell('failpoint')).toMatch(/failpoint\/off\.js$/);
    expect(await lab.coordinator('nowhere').tell('failpoint')).toMatch(/failpoint\/on\.js$/);
  });
});
