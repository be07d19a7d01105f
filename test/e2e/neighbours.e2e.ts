import type { Cluster } from '@muster/coordinator';
import { afterAll, expect, it } from 'vitest';
import { Lab } from './harness/lab.ts';
import { throughout } from './harness/wait.ts';

const lab = new Lab();
afterAll(() => lab.close());

/** Leaves a stream of a job that does not hear it, and whose executor therefore is killed after the grace. */
async function leaveSulking(cluster: Cluster, left: () => void): Promise<void> {
  for await (const row of cluster.stream<{ i: number }>('sulk', {})) {
    expect(row.i).toBe(0);
    left();
    break;
  }
}

it('Streams that begin after a neighbour was left are not lost with its executor, when it must be killed for that', async () => {
  const node = await lab.node('a', { args: ['--spares', '1'] });
  const cluster = await lab.cluster([node.address]);
  const ends: string[] = [];
  for (let round = 0; round < 8; round += 1) {
    const begun: Promise<unknown>[] = [];
    let leaving: Promise<void> = Promise.resolve();
    await new Promise<void>((left) => void (leaving = leaveSulking(cluster, left)));
    // Before the kill, at its moment, and while the process ends.
    await throughout('streams begin', 400, () => {
      const rows = cluster.stream<{ i: number }>('count', { n: 20 }).toArray();
      begun.push(
        rows.then(
          ({ length }) => ends.push(`${length} rows`),
          ({ code }: { code: string }) => ends.push(code),
        ),
      );
      return true;
    });
    await Promise.all([leaving, ...begun]);
  }
  expect(ends.length).toBeGreaterThan(80);
  expect(new Set(ends)).toEqual(new Set(['20 rows']));
  expect(node.errors).not.toContain('An executor');
  await cluster.close();
});

it('A burst of calls waits for its turns beside a stream that nobody reads on, which keeps an executor', async () => {
  const node = await lab.node('b', { args: ['--executors', '4', '--lane', 'default=4'] });
  const cluster = await lab.cluster([node.address]);
  const stream = cluster.stream<{ i: number }>('count', { n: 1_000_000 });
  expect((await stream.next()).value).toEqual(expect.objectContaining({ i: 0 }));
  const calls = Array.from({ length: 30 }, (_, i) => cluster.call('add', { a: i, b: 1 }));
  expect(await Promise.all(calls)).toEqual(calls.map((_, i) => i + 1));
  await stream.return();
  await cluster.close();
});

it('Streams that log while they clean up, as they are left, cost their neighbours nothing', async () => {
  // A machine under load must not make it a kill after the grace.
  const node = await lab.node('c', { args: ['--set', 'killGrace=20000'] });
  const cluster = await lab.cluster([node.address]);
  const stop = new AbortController();
  const bystander = (async () => {
    for await (const row of cluster.stream<{ i: number }>('farewell', {})) if (row.i > 0 && stop.signal.aborted) break;
    return 'lived';
  })().catch(({ message }: { message: string }) => message);
  for (let round = 0; round < 40; round += 1) {
    for await (const row of cluster.stream<{ i: number }>('farewell', {})) if (row.i >= 20) break;
  }
  stop.abort();
  expect(await bystander).toBe('lived');
  expect(node.errors).not.toContain('An executor');
  await cluster.close();
});
