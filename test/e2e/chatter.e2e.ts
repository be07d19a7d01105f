import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Coordinator, RequestState } from './harness/coordinator.ts';
import { quiet, tell } from './harness/evidence.ts';
import { Lab } from './harness/lab.ts';
import { residentOf } from './harness/machine.ts';
import { throughout, until } from './harness/wait.ts';
import type { Worker } from './harness/worker.ts';

const mebi = 1 << 20;
/** What an agent may hold more while its jobs say what nobody reads: its queues, the kernel's apart, and the heap's slack. */
const most = 96;
const lab = new Lab();
let node: Worker;

beforeAll(async () => {
  node = await lab.node('a');
});
afterEach(() => quiet(lab));
afterAll(() => lab.close());

async function connected(): Promise<Coordinator> {
  const coordinator = lab.coordinator();
  await coordinator.connect({ ...lab.options([node.address]) });
  return coordinator;
}

/** Watches for so long; returns by how many MiB the agent has grown at most. */
async function growth(ms: number): Promise<number> {
  const before = residentOf(node.pid);
  let peak = before;
  await throughout('the agent is alive', ms, () => {
    peak = Math.max(peak, residentOf(node.pid));
    return node.ending === undefined;
  });
  return Math.round((peak - before) / mebi);
}

const sayings = ['progress', 'log', 'ping'] as const;
const all = sayings.flatMap((says) => [`${says}, exclusive`, `${says}, shared`]);

/** Begins jobs that say so much for so long, under these names. */
async function chatter(coordinator: Coordinator, names: readonly string[], ms: number): Promise<void> {
  for (const name of names) {
    const [says, isolation] = name.split(', ');
    if (isolation === 'exclusive') await coordinator.begin(name, 'call', 'chatters', { says, ms });
    else await coordinator.begin(name, 'stream', 'chattersInStream', { says, ms });
  }
}

async function states(coordinator: Coordinator): Promise<RequestState[]> {
  return Promise.all(all.map((name) => coordinator.state(name)));
}

it('Jobs that say more than a stopped coordinator reads cost their agent no memory, and the newest arrives', async () => {
  const coordinator = await connected();
  await chatter(coordinator, all, 5_000);
  await until('the streams have begun', async () =>
    (await states(coordinator)).filter((_, i) => i % 2 === 1).every(({ rows }) => rows === 1),
  );
  coordinator.signal('SIGSTOP');
  const grown = await growth(7_000);
  tell('coordinator stopped', { 'agent MiB': grown });
  coordinator.signal('SIGCONT');
  expect(grown).toBeLessThan(most);

  await until('the newest progress is there', async () =>
    (await states(coordinator)).every(({ progress }) => progress?.done === true),
  );
  for (const { ended, error } of await states(coordinator)) expect([ended, error]).toEqual([undefined, undefined]);
  for (const name of ['log, exclusive', 'log, shared']) {
    expect((await coordinator.state(name)).line).toMatch(/^\d+ lines dropped$/);
  }
  await coordinator.tell('close');
});

it('Jobs that say more than anybody can read keep neither a call, nor rows, nor a kill waiting', async () => {
  const coordinator = await connected();
  const names = ['progress, exclusive', 'progress, shared', 'log, exclusive', 'ping, shared'];
  await chatter(coordinator, names, 60_000);
  const growing = growth(4_000);
  const took: number[] = [];
  // The first is not counted: it may wait for its executor to start, beside four that take all there is of the machine.
  for (let i = 0; i <= 20; i += 1) {
    const since = performance.now();
    expect(await coordinator.tell('call', 'add', { a: i, b: 1 })).toBe(i + 1);
    if (i > 0) took.push(performance.now() - since);
  }
  await coordinator.begin('rows', 'stream', 'count', { n: 20_000, size: 100 });
  expect(await coordinator.over('rows', 10_000)).toMatchObject({ rows: 20_000, inOrder: true });
  const grown = await growing;
  tell('coordinator reads', { 'agent MiB': grown, 'slowest call ms': Math.round(Math.max(...took)) });
  expect(grown).toBeLessThan(most);
  expect(Math.max(...took)).toBeLessThan(1_500);

  const since = performance.now();
  for (const name of names) await coordinator.tell('abort', name);
  for (const name of names) expect((await coordinator.over(name)).error?.code).toBe('cancelled');
  expect(performance.now() - since).toBeLessThan(2_000);
  await coordinator.tell('close');
});
