import { many, say, show, title } from '../screen/screen.ts';
import { table } from '../screen/table.ts';
import { time } from '../screen/words.ts';
import type { Found } from './row-table.ts';
import { foundColumns } from './row-table.ts';
import type { Scene } from './scene.ts';

const limit = 100;
const shown = 10;

/** Rows as they are found, whoever finds them first, until there are enough. */
export async function prefixed({ cluster, data }: Scene): Promise<void> {
  const { field, text } = data.prefix;
  title(`3  The ${data.what} whose ${field} starts with "${text}"`);
  say(`${many(cluster.shards.length, 'stream')}, rows as they come, at most ${limit} …`);
  const began = performance.now();
  const found: Found[] = [];
  let first = 0;
  const stream = cluster.jobs.startingWith.scatter(data.prefix, { limit });
  for await (const row of stream) {
    if (found.push(row) === 1) first = performance.now() - began;
  }
  const ms = performance.now() - began;
  if (found.length === 0) return say(`None, after ${time(ms)}.`);
  show(table(foundColumns(data.columns, found), found.slice(0, shown)));
  const more = found.length > shown ? ` (${shown} shown)` : '';
  say(`The first after ${time(first)}, ${many(found.length, 'row')}${more} after ${time(ms)};`);
  say(`${stream.stats.cancelled} of ${stream.stats.parts} streams ended early.`);
}
