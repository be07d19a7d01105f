import { many, say, show, title } from '../screen/screen.ts';
import type { Column } from '../screen/table.ts';
import { table } from '../screen/table.ts';
import { count, time } from '../screen/words.ts';
import type { Found } from './row-table.ts';
import { foundColumns } from './row-table.ts';
import type { Scene } from './scene.ts';
import { rowsSent } from './scene.ts';

const limit = 10;

/** Each shard streams its rows by distance; the coordinator merges them in order, and stops when it has ten. */
export async function nearest(scene: Scene): Promise<void> {
  const { cluster, data } = scene;
  const { near } = data;
  title(`1  The ${data.what} nearest to ${near?.place ?? 'a number'}`);
  if (near === undefined)
    return say(`Left out: the first row has no number to be near to. --near FIELD=NUMBER names one.`);
  say(`${many(cluster.shards.length, 'stream')} by distance, merged in order …`);
  const before = await rowsSent(scene);
  const began = performance.now();
  const stream = cluster.jobs.nearest.scatter(
    { measure: near.measure },
    { over: 'shards', merge: { by: 'distance' }, limit },
  );
  const rows = await stream.toArray();
  const ms = performance.now() - began;
  const sent = (await rowsSent(scene)) - before;
  const distance: Column<Found & { distance: number }> = {
    head: near.unit,
    of: ({ distance: far }) => far.toFixed(1),
    align: 'right',
  };
  show(table([distance, ...foundColumns(data.columns, rows)], rows));
  say(
    `${many(rows.length, 'row')} in ${time(ms)}; ${stream.stats.cancelled} of ${stream.stats.parts} streams ended early.`,
  );
  const kept = data.rows.length - sent;
  say(
    `${count(sent)} of ${many(data.rows.length, 'row')} left their nodes; ${count(kept)} ${kept === 1 ? 'was' : 'were'} never sent.`,
  );
}
