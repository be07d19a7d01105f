import type { Cluster } from '@muster/coordinator';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { now } from './harness/child.ts';
import { beating, deathsAfter, quiet, tell } from './harness/evidence.ts';
import { Lab } from './harness/lab.ts';
import { isAlive } from './harness/machine.ts';
import { failureOf, throughout, until, within } from './harness/wait.ts';
import type { Worker } from './harness/worker.ts';

const constants = { lease: 1_500, heartbeat: 300 };
const lab = new Lab();
let b: Worker;

beforeAll(async () => {
  b = await lab.node('b', { set: constants });
});
afterEach(() => quiet(lab));
afterAll(() => lab.close());

async function withA(id: string): Promise<{ a: Worker; cluster: Cluster }> {
  const a = await lab.node(id, { set: constants });
  return { a, cluster: await lab.cluster([a.address, b.address], { constants }) };
}

/** Jobs of every bad kind at one node; each promise is for the code of its end, and when it came. */
async function begin(cluster: Cluster, node: string, beat: string): Promise<Promise<{ code: string; at: number }>[]> {
  const jobs = ['spin', 'block', 'fork'].map((job) => cluster.call(job, { beat }, { node }));
  const stream = cluster.stream('tick', { beat }, { node }).toArray();
  const ends = [...jobs, stream].map(async (end: Promise<unknown>) => {
    const { code = '' } = await failureOf(end);
    return { code, at: now() };
  });
  await beating(beat, 5);
  return ends;
}

describe('A node whose agent is killed', () => {
  it('loses its spinning, blocked and forking jobs to the reaper within 1 s, and each reference is down within 1 s', async () => {
    const { a, cluster } = await withA('a1');
    const beat = lab.beat();
    const ends = await begin(cluster, 'a1', beat);
    const { reaper = 0 } = a;
    const died = a.signal('SIGKILL');
    const scene = { workers: [a], incarnation: cluster.incarnation, beat };
    const [deaths, ...told] = await Promise.all([deathsAfter(died, 1_000, scene), ...ends]);
    const last = Math.max(...told.map(({ at }) => at)) - died;
    await until('the reaper has gone', () => !isAlive(reaper), 2_000);
    tell('agent killed', { ...deaths, down: Math.round(last) });
    expect(told.map(({ code }) => code)).toEqual(['down', 'down', 'down', 'down']);
    expect(last).toBeLessThan(1_000);
    expect(await cluster.call('add', { a: 1, b: 2 })).toBe(3);
    await cluster.close();
  });
});

describe('A node whose reaper is killed', () => {
  it('starts another, which knows what runs', async () => {
    const { a, cluster } = await withA('a5');
    const beat = lab.beat();
    const ends = await begin(cluster, 'a5', beat);
    const first = a.reaper ?? 0;
    process.kill(first, 'SIGKILL');
    const second = await until('another reaper is there', () => a.reaper !== first && a.reaper, 2_000);
    lab.known.add(second);
    const died = a.signal('SIGKILL');
    const scene = { workers: [a], incarnation: cluster.incarnation, beat };
    const [deaths] = await Promise.all([deathsAfter(died, 1_000, scene), ...ends]);
    await until('the reaper has gone', () => !isAlive(second), 2_000);
    tell('reaper killed, then agent', deaths);
    await cluster.close();
  });
});

describe('A node one of whose executors is killed', () => {
  it('says executor_lost to that job, and keeps the others', async () => {
    const { cluster } = await withA('a2');
    const beat = lab.beat();
    const stream = cluster.stream<{ i: number }>('tick', { beat }, { node: 'a2' });
    await stream.next();
    const spun = failureOf(cluster.call('spin', { beat }, { node: 'a2' }));
    const line = await until('it spins', () =>
      lab.workers
        .find(({ id }) => id === 'a2')
        ?.lines('start')
        .find(({ job }) => job === 'spin'),
    );
    await beating(beat, 2);
    process.kill(Number(line['pid']), 'SIGKILL');
    expect((await within('the job has ended', 1_000, spun)).code).toBe('executor_lost');
    expect((await stream.next()).value).toBeDefined();
    await stream.return();
    expect(await cluster.call('add', { a: 1, b: 2 }, { node: 'a2' })).toBe(3);
    await cluster.close();
  });
});

describe('A node whose agent is stopped', () => {
  it('for less than the lease goes on where it was', async () => {
    const { a, cluster } = await withA('a3');
    const beat = lab.beat();
    const stream = cluster.stream<{ i: number }>('tick', { beat }, { node: 'a3' });
    await stream.next();
    a.signal('SIGSTOP');
    await throughout('the job lives', 700, () => a.startedFor(cluster.incarnation).every(isAlive));
    a.signal('SIGCONT');
    for (let i = 1; i < 200; i += 1) expect((await stream.next()).value?.i).toBe(i);
    await cluster.close();
  });

  it('for longer than the lease loses its jobs to the reaper; its streams are down; continued, it serves again', async () => {
    const { a, cluster } = await withA('a4');
    const beat = lab.beat();
    const ends = await begin(cluster, 'a4', beat);
    const stopped = a.signal('SIGSTOP');
    // Suspect after 3 heartbeats, and down when its lease has surely run out.
    const scene = { workers: [a], incarnation: cluster.incarnation, beat };
    const [deaths, ...told] = await Promise.all([deathsAfter(stopped, constants.lease + 500 + 150, scene), ...ends]);
    const last = Math.max(...told.map(({ at }) => at)) - stopped;
    expect(told.map(({ code }) => code)).toEqual(['down', 'down', 'down', 'down']);
    expect(last).toBeLessThan(1.1 * constants.lease + 500 + 2 * constants.heartbeat + 200);
    const continued = a.signal('SIGCONT');
    const served = await until(
      'the node serves again',
      () => cluster.call('add', { a: 1, b: 2 }, { node: 'a4' }).catch(() => undefined),
      10_000,
    );
    tell('agent stopped', { ...deaths, down: Math.round(last), 'served after': Math.round(now() - continued) });
    expect(served).toBe(3);
    await cluster.close();
  });
});

describe('A node that is restarted at its address', () => {
  it('is another one: what ran is down, and the next request runs', async () => {
    const { a, cluster } = await withA('a6');
    const beat = lab.beat();
    const ends = await begin(cluster, 'a6', beat);
    const { address } = a;
    a.signal('SIGKILL');
    await a.ended;
    const again = await lab.node('a6', { set: constants, args: ['--listen', address] });
    expect(again.address).toBe(address);
    expect((await Promise.all(ends)).map(({ code }) => code)).toEqual(['down', 'down', 'down', 'down']);
    const { incarnation } = cluster;
    const sum = await until('it serves', () =>
      cluster.call('add', { a: 1, b: 2 }, { node: 'a6' }).catch(() => undefined),
    );
    expect(sum).toBe(3);
    expect(cluster.incarnation).toBe(incarnation);
    expect(again.startedFor(incarnation)).toEqual([]);
    await cluster.close();
  });
});
