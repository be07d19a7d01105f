import { expect, onTestFinished } from 'vitest';
import type { Cluster } from '../src/cluster.ts';
import type { ConnectOptions } from '../src/options.ts';
import type { InProcessOptions } from './in-process.ts';
import { InProcess, jobsOf } from './in-process.ts';

interface Bench {
  readonly world: InProcess;
  readonly cluster: Cluster;
}

/** A cluster of these nodes, all up; after the test nothing of it may live. */
export async function up(
  ids: readonly string[] = ['w1', 'w2', 'w3'],
  options: Partial<ConnectOptions> & { world?: InProcessOptions } = {},
): Promise<Bench> {
  const { world: settings, ...rest } = options;
  const world = new InProcess(settings);
  for (const id of ids) await world.node(id, jobsOf(id));
  const cluster = await world.connect(rest);
  onTestFinished(async () => {
    if (!world.coordinatorIsDead) await world.run(cluster.close());
    await world.clock.pass(20_000);
    expect(world.jobs).toEqual([]);
    expect(world.guardians.alive).toEqual([]);
    expect(new Set(world.started).size).toBe(world.started.length);
  });
  return { world, cluster };
}
