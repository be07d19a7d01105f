import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { ConnectOptions, Shard } from 'muster';
import { UsageError } from '../usage-error.ts';
import type { Stage } from './stage.ts';

/** What one must know to talk to a cluster that was left up. */
interface Directions {
  readonly nodes: readonly string[];
  readonly secretFile: string;
  readonly shards: readonly Shard[];
  readonly lease: number;
}

function fileIn(dir: string): string {
  return join(dir, 'cluster.json');
}

/** Leaves the way to the cluster in the demo's directory; the secret stays in its own file. */
export async function writeDirections(stage: Stage, shards: readonly Shard[]): Promise<void> {
  const directions: Directions = { nodes: stage.addresses, secretFile: stage.secretFile, shards, lease: stage.lease };
  await writeFile(fileIn(stage.dir), JSON.stringify(directions, undefined, 2));
}

/** What `connect` wants. @throws UsageError where no cluster is up. */
export async function readDirections(dir: string): Promise<ConnectOptions> {
  const text = await readFile(fileIn(dir), 'utf8').catch(() => {
    throw new UsageError(`No cluster is up in ${dir}; npm start -- --keep leaves one, and says where.`);
  });
  const { nodes, secretFile, shards, lease } = JSON.parse(text) as Directions;
  return {
    nodes,
    shards,
    secret: await readFile(secretFile, 'utf8'),
    constants: { lease },
    id: 'talk',
    minNodes: nodes.length,
  };
}
