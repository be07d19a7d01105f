import { readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { quiet } from './harness/evidence.ts';
import { Lab } from './harness/lab.ts';
import { failureOf } from './harness/wait.ts';

const lab = new Lab();
afterAll(() => lab.close());

it('A node whose data directory is removed fails its shard, and the replica answers', async () => {
  const [a, b] = await lab.nodes(['a', 'b']);
  const shards = [
    { id: 0, nodes: ['a', 'b'] },
    { id: 1, nodes: ['b', 'a'] },
  ];
  const cluster = await lab.cluster([a?.address ?? '', b?.address ?? ''], { shards });
  const rows = (shard: number): object[] => Array.from({ length: 100 }, (_, i) => ({ k: 2 * i + shard }));
  for (const { id, nodes } of shards) {
    for (const node of nodes) expect(await cluster.call('keep', { shard: id, rows: rows(id) }, { node })).toBe(100);
  }
  const all = (): Promise<{ k: number; node: string }[]> =>
    cluster.scatter<{ k: number; node: string }>('kept', {}, { merge: { by: 'k' } }).toArray();
  expect((await all()).map(({ k }) => k)).toEqual(Array.from({ length: 200 }, (_, i) => i));

  const dir = a?.dataDir ?? '';
  for (const name of readdirSync(dir)) if (name.startsWith('shard-')) rmSync(join(dir, name));
  const found = await all();
  expect(found.map(({ k }) => k)).toEqual(Array.from({ length: 200 }, (_, i) => i));
  expect(new Set(found.map(({ node }) => node))).toEqual(new Set(['b']));

  // All of it, with what its executors work in: the node itself goes on as far as it can.
  rmSync(dir, { recursive: true });
  expect(new Set((await all()).map(({ node }) => node))).toEqual(new Set(['b']));
  expect((await failureOf(cluster.stream('kept', {}, { node: 'a' }).toArray())).code).toBe('job_failed');
  expect(await cluster.call('add', { a: 1, b: 2 }, { node: 'a' })).toBe(3);
  await quiet(lab);
});
