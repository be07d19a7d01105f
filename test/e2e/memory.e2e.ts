import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import type { Coordinator } from './harness/coordinator.ts';
import { quiet, tell } from './harness/evidence.ts';
import { Lab } from './harness/lab.ts';
import { residentOf } from './harness/machine.ts';
import { throughout, until } from './harness/wait.ts';

const mebi = 1 << 20;
const lab = new Lab();
let addresses: string[];

beforeAll(async () => {
  addresses = (await lab.nodes(['a', 'b'])).map(({ address }) => address);
});
afterEach(() => quiet(lab));
afterAll(() => lab.close());

async function connected(): Promise<Coordinator> {
  const coordinator = lab.coordinator();
  await coordinator.connect({ ...lab.options(addresses) });
  return coordinator;
}

/** The most that a process is seen to hold, in MiB. */
class Peak {
  mebibytes = 0;
  readonly #pid: number;

  constructor(pid: number) {
    this.#pid = pid;
  }

  look(): boolean {
    this.mebibytes = Math.max(this.mebibytes, Math.round(residentOf(this.#pid) / mebi));
    return true;
  }
}

it('A stream that is not read for seconds costs neither its coordinator nor its node more than a window', async () => {
  const coordinator = await connected();
  await coordinator.begin('warm', 'stream', 'count', { n: 20_000, size: 1_000 }, { node: 'a' });
  await coordinator.over('warm');
  const [agent = { pid: 0 }] = lab.workers;
  const peaks = [coordinator.pid, agent.pid].map((pid) => new Peak(pid));
  for (const peak of peaks) peak.look();
  const before = peaks.map(({ mebibytes }) => mebibytes);

  await coordinator.begin('slow', 'stream', 'count', { n: 1_000_000, size: 1_000 }, { node: 'a' });
  await until('rows arrive', async () => (await coordinator.state('slow')).rows > 1_000);
  await coordinator.tell('pause', 'slow');
  const { rows } = await coordinator.state('slow');
  await throughout('memory is looked at', 4_000, () => peaks.every((peak) => peak.look()));
  expect((await coordinator.state('slow')).rows - rows).toBeLessThanOrEqual(1);
  const grown = peaks.map(({ mebibytes }, i) => mebibytes - (before[i] ?? 0));
  tell('slow consumer', { 'coordinator MiB': grown[0], 'agent MiB': grown[1] });
  for (const mebibytes of grown) expect(mebibytes).toBeLessThan(40);

  await coordinator.tell('resume', 'slow');
  await until('rows go on', async () => (await coordinator.state('slow')).rows > rows + 10_000);
  expect((await coordinator.state('slow')).inOrder).toBe(true);
  await coordinator.tell('close');
});

it('512 streams that are read slowly leave the coordinator below 256 MiB', async () => {
  const coordinator = await connected();
  const names = Array.from({ length: 512 }, (_, i) => `stream ${i}`);
  const slow = { n: 1_000_000, size: 1_000 };
  await Promise.all(
    names.map((name, i) => coordinator.tell('slowly', name, 'count', slow, { node: i % 2 === 0 ? 'a' : 'b' }, 100)),
  );
  const progress = async (): Promise<number> => (await coordinator.tell('least', names)) as number;
  const peaks = [coordinator.pid, ...lab.workers.map(({ pid }) => pid)].map((pid) => new Peak(pid));
  const look = (): boolean => peaks.every((peak) => peak.look());
  await until('each stream has rows', async () => look() && (await progress()) > 2, 20_000);
  await throughout('memory is looked at', 3_000, look);
  const least = await progress();
  await until('each stream goes on', async () => look() && (await progress()) > least + 5, 5_000);
  const [own = 0, ...agents] = peaks.map(({ mebibytes }) => mebibytes);
  tell('512 streams', { 'coordinator MiB': own, 'agents MiB': agents.join(' and ') });
  expect(own).toBeLessThan(256);
  expect(Math.max(...agents)).toBeLessThan(256);
  await coordinator.tell('close');
});
