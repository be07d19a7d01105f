import { setTimeout as sleep } from 'node:timers/promises';
import type { Cluster } from 'muster';
import type { DataSet } from '../data/data-set.ts';
import type * as jobs from '../jobs.ts';

/** The cluster with the demo's jobs: their names, arguments and rows are known from `typeof jobs`. */
export type DemoCluster = Cluster<typeof jobs>;

/** What every part of the demo works with. */
export interface Scene {
  readonly cluster: DemoCluster;
  readonly data: DataSet;
  /** Names of the nodes. */
  readonly nodes: readonly string[];
}

/** What a node answers to `stats`, as far as it is used here. */
interface NodeStats {
  readonly jobs: number;
  /** Rows sent since the node began. */
  readonly rows: number;
}

/** Asks every node how it stands, by its own account. */
export async function askNodes({ cluster, nodes }: Scene): Promise<NodeStats[]> {
  return Promise.all(nodes.map(async (node) => (await cluster.request(node, 'stats')) as NodeStats));
}

/** Rows that all nodes have sent so far, asked when no job runs on any of them. @throws when one does for too long. */
export async function rowsSent(scene: Scene): Promise<number> {
  for (let tries = 0; tries < 100; tries += 1) {
    const stats = await askNodes(scene);
    if (stats.every(({ jobs }) => jobs === 0)) return stats.reduce((sum, { rows }) => sum + rows, 0);
    await sleep(20);
  }
  throw new Error('A job is still there two seconds after its request has ended.');
}
