import { defaults, type Constants } from '@muster/rexi';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { now } from './harness/child.ts';
import type { Coordinator } from './harness/coordinator.ts';
import { beating, deathsAfter, quiet, runners, tell } from './harness/evidence.ts';
import { Lab } from './harness/lab.ts';
import { throughout, until } from './harness/wait.ts';

const lab = new Lab();
/** The guardian vouches for 2 s instead of 30: what takes 40 s by default takes 4. */
const impatient = { vouch: 2_000, lease: 1_500, heartbeat: 300 };
let patientNodes: string[];
let impatientNodes: string[];

beforeAll(async () => {
  const [patient, shorter] = await Promise.all([lab.nodes(['a', 'b']), lab.nodes(['c', 'd'], { set: impatient })]);
  patientNodes = patient.map(({ address }) => address);
  impatientNodes = shorter.map(({ address }) => address);
});
afterAll(() => lab.close());

interface Scene {
  readonly coordinator: Coordinator;
  readonly incarnation: string;
  readonly beat: string;
  readonly alive: readonly number[];
}

async function streaming(nodes: readonly string[], constants: Partial<Constants>): Promise<Scene> {
  const coordinator = lab.coordinator();
  const incarnation = await coordinator.connect({ ...lab.options(nodes), constants });
  const beat = lab.beat();
  await coordinator.begin('tick', 'scatter', 'tick', { beat }, { over: 'nodes' });
  await coordinator.begin('spin', 'scatter', 'spin', { beat }, { over: 'nodes' });
  await beating(beat, 4);
  await until('rows arrive', async () => (await coordinator.state('tick')).rows > 5);
  return { coordinator, incarnation, beat, alive: runners(lab.workers, incarnation) };
}

/** Stops a coordinator for a time, in which nothing of it may be killed; then its rows go on. */
async function survives(ms: number): Promise<void> {
  const { coordinator, incarnation, alive } = await streaming(patientNodes, {});
  coordinator.signal('SIGSTOP');
  await throughout('its jobs live', ms, () => runners(lab.workers, incarnation).length === alive.length);
  coordinator.signal('SIGCONT');
  const before = await coordinator.state('tick');
  await until('rows go on', async () => (await coordinator.state('tick')).rows > before.rows + 100, 5_000);
  const after = await coordinator.state('tick');
  expect(after.error).toBeUndefined();
  expect((await coordinator.state('spin')).ended).toBeUndefined();
  expect(runners(lab.workers, incarnation)).toEqual(alive);
  await coordinator.tell('close');
}

/** Stops a coordinator until it is fenced and for `more` ms; then it has to go on under a new incarnation. */
async function outstays(nodes: readonly string[], ids: string[], set: Partial<Constants>, more: number): Promise<void> {
  const { vouch, heartbeat } = { ...defaults, ...set };
  const { coordinator, incarnation, beat } = await streaming(nodes, set);
  const stopped = coordinator.signal('SIGSTOP');
  const workers = lab.workers.filter(({ id }) => ids.includes(id));
  const deaths = await deathsAfter(stopped, vouch + 2 * heartbeat + 500, { workers, incarnation, beat });
  tell(`coordinator stopped, vouched for ${vouch} ms`, deaths);
  expect(deaths.processes).toBeGreaterThan(vouch - heartbeat);
  await throughout('it is still stopped', more, () => coordinator.ending === undefined);
  const continued = now();
  coordinator.signal('SIGCONT');
  const ends = await Promise.all([coordinator.over('tick', 5_000), coordinator.over('spin', 5_000)]);
  expect(ends.map(({ error }) => error?.code)).toEqual(['fenced', 'fenced']);
  expect(await coordinator.tell('call', 'add', { a: 1, b: 2 })).toBe(3);
  tell('continued', { 'served after': Math.round(now() - continued) });
  expect(await coordinator.tell('incarnation')).not.toBe(incarnation);
  await coordinator.tell('close');
}

describe.concurrent('A coordinator that is stopped', () => {
  it('for 3 s and for 10 s loses nothing, since its guardian vouches for it', async () => {
    await Promise.all([survives(3_000), survives(10_000)]);
  });

  it('for longer than its guardian vouches is fenced; continued, it hears so and goes on under a new incarnation', async () => {
    await outstays(impatientNodes, ['c', 'd'], impatient, 1_000);
  });

  it('for 40 s, by default, is fenced after 30 s', async () => {
    await outstays(patientNodes, ['a', 'b'], {}, 40_000 - defaults.vouch);
  });
});

describe('Afterwards', () => {
  it('nothing is left', () => quiet(lab));
});
