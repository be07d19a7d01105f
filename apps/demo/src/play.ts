import { connect } from 'muster';
import type { DataSet } from './data/data-set.ts';
import { placeShards } from './data/shards.ts';
import type * as jobs from './jobs.ts';
import { kill } from './kill/kill.ts';
import type { Options } from './options.ts';
import { grouped } from './queries/grouped.ts';
import { ingest } from './queries/ingest.ts';
import { nearest } from './queries/nearest.ts';
import { largeObject } from './queries/object.ts';
import { prefixed } from './queries/prefixed.ts';
import type { DemoCluster, Scene } from './queries/scene.ts';
import { many, say, title } from './screen/screen.ts';
import { time } from './screen/words.ts';
import { writeDirections } from './stage/directions.ts';
import type { Stage } from './stage/stage.ts';

/** What must be ended beside the stage, if the play is interrupted. */
export interface Cast {
  cluster: Promise<DemoCluster> | undefined;
}

/** The demo from the first node to the last query. */
export async function play(options: Options, data: DataSet, stage: Stage, cast: Cast): Promise<void> {
  const scene = await begin(options, data, stage, cast);
  await ingest(scene);
  await nearest(scene);
  const largest = await grouped(scene);
  await prefixed(scene);
  await largeObject(scene, largest);
  if (options.kill) await kill(stage, scene);
}

/** Starts the nodes and connects to them. */
async function begin(
  { nodes, shards, replicas, lease }: Options,
  data: DataSet,
  stage: Stage,
  cast: Cast,
): Promise<Scene> {
  title('Nodes');
  say(`${many(nodes, 'worker node')} on this machine, each with a directory of its own`);
  say(`below ${stage.dir} …`);
  const began = performance.now();
  await stage.start(nodes);
  const names = stage.nodes.map(({ process }) => process.id);
  for (const { process } of stage.nodes) say(`${process.id} listens on ${process.address}, process ${process.pid}`);
  const map = placeShards(shards, names, replicas);
  await writeDirections(stage, map);
  cast.cluster = connect<typeof jobs>({
    id: 'demo',
    nodes: stage.addresses,
    secret: stage.secret,
    minNodes: nodes,
    shards: map,
    constants: { lease },
  });
  const cluster = await cast.cluster;
  say(`Ready in ${time(performance.now() - began)}.`);
  return { cluster, data, nodes: names };
}
