import { expectTypeOf } from 'vitest';
import { Cluster, connect } from './index.ts';

const jobs = { add: async ({ a, b }: { a: number; b: number }): Promise<number> => a + b };

/** Never called: what compiles here, and what does not, is the test. */
export async function check(): Promise<void> {
  await using local = await Cluster.local<typeof jobs>({ jobs: new URL('file:///jobs.js'), nodes: 3 });
  expectTypeOf(local).toEqualTypeOf<Cluster<typeof jobs>>();
  expectTypeOf(local).toEqualTypeOf(await connect<typeof jobs>({ nodes: [], secret: '' }));
  expectTypeOf(local.jobs.add({ a: 1, b: 2 })).toEqualTypeOf<Promise<number>>();
  // @ts-expect-error -- the jobs are missing
  void Cluster.local({ nodes: 3 });
  // @ts-expect-error -- its nodes are its own: how many, not where
  void Cluster.local({ jobs: 'jobs.js', nodes: ['ws://127.0.0.1:7101'] });
  // @ts-expect-error -- and so is its secret
  void Cluster.local({ jobs: 'jobs.js', secret: 'mine' });
}
