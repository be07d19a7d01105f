import { describe, expect, it } from 'vitest';
import { InProcess, jobsOf } from '../test/in-process.ts';
import type { Cluster, NodeInfo } from './cluster.ts';

/** A cluster whose second address leads to a node that is there already, or calls itself so. */
async function doubled(
  second: (world: InProcess, first: string) => Promise<string>,
): Promise<{ world: InProcess; cluster: Cluster; told: string[]; addresses: string[] }> {
  const world = new InProcess();
  const first = (await world.node('w1', jobsOf('w1'))).address;
  const addresses = [first, await second(world, first)];
  const cluster = world.handle({ nodes: addresses });
  const told: string[] = [];
  cluster.on('trouble', ({ address, trouble }: NodeInfo) => told.push(`${address}: ${trouble?.message ?? ''}`));
  return { world, cluster, told, addresses };
}

const another = async (world: InProcess): Promise<string> => (await world.node('w1', jobsOf('the other'))).address;
const alias = async (world: InProcess, first: string): Promise<string> => {
  world.aliases.set('ws://spelt.otherwise:1', first);
  return 'ws://spelt.otherwise:1';
};

describe.each([
  ['two nodes with one id', another, /There are two nodes "w1": .* and .*; give each an id of its own/],
  ['one node by two addresses', alias, /are one node, "w1"; name it once/],
])('%s', (_what, second, says) => {
  it('are not mixed up: the one that came first is there, the other is refused and told of, once', async () => {
    const { world, cluster, told, addresses } = await doubled(second);
    await world.run(cluster.whenUp(1));
    await world.clock.pass(20_000);
    const states = cluster.nodes().map(({ state }) => state);
    const refused = states.indexOf('dialling');
    expect(states.toSpliced(refused, 1)).toEqual(['up']);
    expect(cluster.nodes()[refused]).toMatchObject({ id: undefined, trouble: { code: 'bad_options' } });
    expect(told).toHaveLength(1);
    expect(told[0]).toMatch(says);
    for (const address of addresses) expect(told[0]).toContain(address);
    for (let calls = 0; calls < 5; calls += 1)
      expect(await world.run(cluster.call('who'))).toBe(refused === 0 && second === another ? 'the other' : 'w1');
    await world.run(cluster.close());
  });

  it('are said so at once to who waits for both, and to who asks for the other', async () => {
    const { world, cluster, addresses } = await doubled(second);
    await world.run(cluster.whenUp(1));
    const began = world.clock.now();
    const failed = await world.run(cluster.whenUp(2).catch((error: unknown) => error));
    expect(failed).toMatchObject({ code: 'bad_options', message: expect.stringMatching(says) as string });
    const refused = cluster.nodes().findIndex(({ state }) => state !== 'up');
    const call = cluster.call('who', undefined, { node: addresses[refused] ?? '' });
    expect(await world.run(call.catch((error: unknown) => error))).toMatchObject({
      message: expect.stringMatching(says) as string,
    });
    expect(world.clock.now() - began).toBeLessThan(1_000);
    await world.run(cluster.close());
  });
});

describe('a node', () => {
  it('that comes back with its name and another incarnation is welcome', async () => {
    const world = new InProcess();
    const node = await world.node('w1', jobsOf('w1'));
    const cluster = await world.connect();
    await node.crash();
    await world.node('w1', jobsOf('again'), { listen: node.address });
    await world.clock.pass(1_000);
    expect(await world.run(cluster.call('who'))).toBe('again');
    await world.run(cluster.close());
  });
});
