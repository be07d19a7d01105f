import { describe, expect, it } from 'vitest';
import { up } from '../../test/up.ts';
import { splitShard } from './change-ring.ts';
import { rendezvous } from './key-hash.ts';
import { ring, shardOf } from './ring.ts';

const three = ['w1', 'w2', 'w3'];
const made = ring({ shards: 4, nodes: three });

describe('A request by key', () => {
  it("goes to a copy of its key's shard", async () => {
    const { world, cluster } = await up(three, { shards: made });
    for (const key of ['a', 'b', 'c', 'd', 'e'])
      expect(await world.run(cluster.call('who', undefined, { key }))).toBe(shardOf(made, key).nodes[0]);
  });

  it('goes to the node that its key suits best, without a map, and to the next one while that is down', async () => {
    const { world, cluster } = await up(three);
    const [best = '', next] = rendezvous(three, 'some key');
    expect(await world.run(cluster.call('who', undefined, { key: 'some key' }))).toBe(best);
    await world.nodes.get(best)?.crash();
    await world.clock.pass(5_000);
    expect(await world.run(cluster.call('who', undefined, { key: 'some key' }))).toBe(next);
  });

  it('is refused where the map is no ring, and beside a shard or a node', async () => {
    const { cluster } = await up(three, { shards: [{ id: 'a', nodes: ['w1'] }] });
    await expect(cluster.call('who', undefined, { key: 'x' })).rejects.toThrow(/no ring/);
    const both = { key: 'x', node: 'w1' } as unknown as { key: string };
    await expect(cluster.call('who', undefined, both)).rejects.toThrow(/only one/);
  });
});

describe('A newer shard map', () => {
  it('is for what is asked from then on; a request that is under way keeps the one that it has, whole', async () => {
    const { world, cluster } = await up(three, { shards: made });
    const before = cluster.scatter<number>('slowly', { count: 5 });
    const reading = world.run(before.toArray());
    await world.clock.pass(20);
    const next = splitShard(made, made.shards[0]?.id ?? '');
    cluster.reshard(next);
    expect(cluster.shards).toEqual(next.shards);
    expect((await reading).toSorted((x, y) => x - y)).toEqual([0, 1, 2, 3, 4].flatMap((n) => [n, n, n, n]));
    expect(await world.run(cluster.scatter('who').toArray())).toHaveLength(5);
  });

  it('is refused when it is not newer, or leaves a hole, and then the older one stays', async () => {
    const { cluster } = await up(three, { shards: made });
    expect(() => cluster.reshard(made)).toThrow(/version 1; there is 1 already/);
    expect(() => cluster.reshard({ ...made, version: 2, shards: made.shards.slice(1) })).toThrow(/hole/);
    expect(cluster.shards).toEqual(made.shards);
  });
});
