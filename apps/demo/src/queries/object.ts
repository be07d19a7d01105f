import type { ObjectRef } from 'muster';
import type { Group } from '../data/groups.ts';
import type { Row } from '../data/row.ts';
import { many, say, show, title } from '../screen/screen.ts';
import { table } from '../screen/table.ts';
import { bytes, time } from '../screen/words.ts';
import type { Scene } from './scene.ts';

/** A line of what happened to the object. */
interface Event {
  readonly what: string;
  readonly where: string;
  readonly size: string;
  readonly ms: number;
}

/** All rows of the largest group, as one object that stays where it was made: the coordinator moves its key. */
export async function largeObject(scene: Scene, group: Group): Promise<void> {
  const { data, nodes } = scene;
  title(`4  All ${data.what} with ${data.group.field} "${group.name}", as one object that stays on its node`);
  say(`Collected shard by shard, joined on ${nodes[0]}, read on ${otherNode(nodes)} and here …`);
  const events: Event[] = [];
  const object = await make(scene, group, events);
  say(`The coordinator has its key, ${object.key.length} bytes:`);
  say(object.key);
  await use(scene, object, group, events);
  show(
    table(
      [
        { head: 'what', of: ({ what }: Event) => what },
        { head: 'where', of: ({ where }) => where },
        { head: 'size', of: ({ size }) => size, align: 'right' },
        { head: 'time', of: ({ ms }) => time(ms), align: 'right' },
      ],
      events,
    ),
  );
  say(`Dropped; ${(await object.exists()) ? 'it is still there' : 'nobody has it any more'}.`);
}

/** Objects of all shards become one; whatever is moved on the way moves between nodes. */
async function make({ cluster, data, nodes }: Scene, group: Group, events: Event[]): Promise<ObjectRef<Row[]>> {
  const [home = ''] = nodes;
  const began = performance.now();
  const parts = await cluster.jobs.collect.scatter({ field: data.group.field, text: group.name }).toArray();
  const collected = performance.now();
  const size = parts.reduce((sum, part) => sum + (part.size ?? 0), 0);
  events.push({
    what: `${many(parts.length, 'object')} collected`,
    where: 'all nodes',
    size: bytes(size),
    ms: collected - began,
  });
  const object = await cluster.jobs.join({ parts }, { node: home });
  const ms = performance.now() - collected;
  events.push({ what: 'joined to one', where: home, size: bytes(object.size ?? 0), ms });
  await Promise.all(parts.map((part) => part.drop()));
  return object;
}

async function use({ cluster, nodes }: Scene, object: ObjectRef<Row[]>, group: Group, events: Event[]): Promise<void> {
  const size = bytes(object.size ?? 0);
  const other = await cluster.jobs.examine({ object }, { node: otherNode(nodes) });
  events.push({
    what: `read by a job, ${many(other.rows, 'row')}`,
    where: `${nodes[0]} to ${other.node}`,
    size,
    ms: other.ms,
  });
  const began = performance.now();
  const rows = await object.get();
  const ms = performance.now() - began;
  events.push({ what: `read here, ${many(rows.length, 'row')}`, where: `${nodes[0]} to coordinator`, size, ms });
  if (rows.length !== group.rows || other.rows !== group.rows)
    throw new Error(`The object has ${rows.length} rows of ${group.rows}.`);
  const dropping = performance.now();
  await object.drop();
  events.push({ what: 'dropped', where: nodes[0] ?? '', size: '', ms: performance.now() - dropping });
}

/** Not the one that holds the object, where there is another. */
function otherNode(nodes: readonly string[]): string {
  return nodes[Math.floor(nodes.length / 2)] ?? '';
}
