import type { Group } from '../data/groups.ts';
import { addGroup } from '../data/groups.ts';
import { many, say, show, title } from '../screen/screen.ts';
import type { Column } from '../screen/table.ts';
import { table } from '../screen/table.ts';
import { count, time } from '../screen/words.ts';
import type { Scene } from './scene.ts';

/** Grouped on the nodes, reduced on the coordinator. Resolves with the group that has the most rows. */
export async function grouped({ cluster, data }: Scene): Promise<Group> {
  const { field, sum } = data.group;
  title(`2  ${sum === undefined ? `The ${data.what}` : `The ${sum} of ${data.what}`} by ${field}`);
  say(`${many(cluster.shards.length, 'shard')} grouped where they are, reduced here …`);
  const began = performance.now();
  const groups = await cluster.jobs.groups.reduce(data.group, { initial: new Map<string, Group>(), reduce: fold });
  const ms = performance.now() - began;
  const all = [...groups.values()].sort((a, b) => b.sum - a.sum || b.rows - a.rows || (a.name < b.name ? -1 : 1));
  show(table(columns(sum === undefined ? 'rows' : data.what, field, sum), all.slice(0, 10)));
  say(`${many(all.length, 'group')} of ${many(total(all), 'row')} in ${time(ms)}.`);
  return all.reduce((most, group) => (group.rows > most.rows ? group : most));
}

function fold(all: Map<string, Group>, part: readonly Group[]): Map<string, Group> {
  for (const group of part) addGroup(all, group);
  return all;
}

function columns(what: string, field: string, sum: string | undefined): Column<Group>[] {
  const rows: Column<Group> = { head: what, of: (group) => count(group.rows), align: 'right' };
  const summed: Column<Group>[] =
    sum === undefined ? [] : [{ head: sum, of: (group) => count(group.sum), align: 'right' }];
  return [{ head: field, of: ({ name }) => name }, ...summed, rows];
}

function total(groups: readonly Group[]): number {
  return groups.reduce((sum, { rows }) => sum + rows, 0);
}
