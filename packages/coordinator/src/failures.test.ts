import { ClusterError } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import { InProcess, jobsOf } from '../test/in-process.ts';
import { up } from '../test/up.ts';
import { ScatterError } from './exit-error.ts';

/** How often the text says it. */
const times = (text: string, what: string): number => text.split(what).length - 1;

const thrown = (promise: Promise<unknown>): Promise<ClusterError> =>
  promise.then(
    () => expect.unreachable(),
    (error: ClusterError) => error,
  );

describe('an error says', () => {
  it('that rows were handed on, where that is why no other copy was asked', async () => {
    const { world, cluster } = await up(['w1', 'w2'], { shards: [{ id: 's', nodes: ['w1', 'w2'] }] });
    const error = await world.run(thrown(cluster.stream('half', undefined, { shard: 's' }).toArray()));
    expect(error).toMatchObject({ name: 'JobError', code: 'job_failed', cause: { message: 'half way' } });
    expect(error.message).toMatch(/^half way; rows of it were handed on before, so no other copy could take its place/);
    expect(times(error.message, 'shard s')).toBe(1);
  });

  it('nothing of the kind where there was no other copy, or no row', async () => {
    const { world, cluster } = await up(['w1', 'w2'], { shards: [{ id: 's', nodes: ['w1'] }] });
    for (const options of [{ shard: 's' }, {}]) {
      const error = await world.run(thrown(cluster.stream('half', undefined, options).toArray()));
      expect(error.message).toMatch(/^half way \(/);
    }
  });

  it('what it is about once, when a session is lost under a call', async () => {
    const { world, cluster } = await up(['w1']);
    const call = thrown(cluster.call('hang'));
    await world.clock.pass(100);
    void world.nodes.get('w1')?.crash();
    const error = await world.run(call);
    expect(error.code).toBe('down');
    for (const what of ['job hang', 'node w1', 'ref ']) expect(times(error.message, what)).toBe(1);
  });

  it('what it is about once, when a part of a scatter fails', async () => {
    const { world, cluster } = await up(['w1'], { shards: [{ id: 's', nodes: ['w1'] }] });
    const error = await world.run(thrown(cluster.scatter('throws').toArray()));
    expect(error).toBeInstanceOf(ScatterError);
    expect(error.message).toMatch(/^No answer for part s: boom/);
    for (const what of ['throws', 'w1', 'ref ']) expect(times(error.message, what)).toBe(1);
  });

  it('how many parts are missing, and not all of them where they are many', async () => {
    const parts = Array.from({ length: 40 }, (_, shard) => ({ shard, error: new ClusterError('down', 'gone') }));
    const { message } = new ScatterError('j', parts);
    expect(message).toMatch(/^No answer for 40 parts: 0, 1, 2, .*, 9 and 30 more. The first: gone \(job j\)$/);
  });

  it.each([
    [['down', 'overloaded'], true],
    [['down', 'job_failed'], false],
  ] as const)('whether all that is missing may well be there the next time: %s', (codes, retryable) => {
    const parts = codes.map((code, shard) => ({ shard, error: new ClusterError(code, code) }));
    expect(new ScatterError('j', parts).retryable).toBe(retryable);
  });

  it('each address once, when nodes cannot be reached', async () => {
    const world = new InProcess();
    await world.node('w1', jobsOf('w1'));
    const cluster = world.handle({ nodes: ['ws://nobody:1', 'ws://no.more:2'] });
    const error = await world.run(thrown(cluster.whenUp(1)));
    expect(error.code).toBe('unreachable');
    for (const address of ['ws://nobody:1', 'ws://no.more:2']) expect(times(error.message, address)).toBe(1);
    await world.run(cluster.close());
  });

  it('why a node is not up, once, to who asks for it', async () => {
    const { world, cluster } = await up(['w1', 'w2']);
    await world.nodes.get('w1')?.crash();
    await world.clock.pass(100);
    const error = await world.run(thrown(cluster.call('who', undefined, { node: 'w1' })));
    expect(error.message).toMatch(/^The node is dialling: ws:\/\/w1.* cannot be reached/);
    for (const what of ['node w1', 'ws://']) expect(times(error.message, what)).toBe(1);
  });

  it('what became of the job, and not that the other node is away where it was asked for again', async () => {
    const { world, cluster } = await up(['w1', 'w2']);
    await world.nodes.get('w2')?.crash();
    await world.clock.pass(100);
    const error = await world.run(thrown(cluster.call('dies')));
    expect(error).toMatchObject({ code: 'executor_lost', node: 'w1' });
  });

  it('what to check, when a link has ended without a word', async () => {
    const { world, cluster } = await up(['w1']);
    const told: (string | undefined)[] = [];
    cluster.on('trouble', ({ trouble }) => told.push(trouble?.message));
    for (const link of world.links.coordinator) link.lose(50);
    await world.clock.pass(1_000);
    expect(told).toEqual([expect.stringMatching(/without a word.*node's log/)]);
    await world.run(cluster.close());
  });

  it('which jobs there are, when there is none of the name', async () => {
    const { world, cluster } = await up(['w1']);
    const error = await world.run(thrown(cluster.call('anser')));
    expect(error.code).toBe('unknown_job');
    expect(error.message).toMatch(/no job "anser"; it has answer, count, dead|no job "anser"; it has .*answer/);
    const many = Object.fromEntries(
      Array.from({ length: 100 }, (_, i) => [`job${i}`, jobsOf('x')['who'] ?? { steps: [] }]),
    );
    await world.node('w2', many);
    const other = world.handle();
    await world.run(other.whenUp(2));
    const bounded = await world.run(thrown(other.call('anser', undefined, { node: 'w2' })));
    expect(bounded.message).toMatch(/job0, .* and 80 more/);
    await world.run(other.close());
  });
});

describe('what waiting cannot cure fails at once', () => {
  it('a wrong secret', async () => {
    const world = new InProcess();
    await world.node('w1', jobsOf('w1'));
    const cluster = world.handle({ secret: 'another secret of some length' });
    const began = world.clock.now();
    expect(await world.failure(cluster.whenUp(1))).toBe('unauthorized');
    expect(await world.failure(cluster.call('answer'))).toBe('down');
    expect(world.clock.now() - began).toBeLessThan(500);
    await world.run(cluster.close());
  });

  it('but not a wrong secret at one node, where another is enough', async () => {
    const world = new InProcess();
    await world.node('w1', jobsOf('w1'));
    const { address } = await world.node('w2', jobsOf('w2'));
    const cluster = world.handle();
    await world.run(cluster.whenUp(2));
    await world.nodes.get('w1')?.crash();
    const other = world.handle({ nodes: [address, 'ws://nobody:1'] });
    await world.run(other.whenUp(1));
    await world.run(Promise.all([cluster.close(), other.close()]));
  });

  it('a name that no node has', async () => {
    const { world, cluster } = await up(['w1', 'w2']);
    const began = world.clock.now();
    expect(await world.failure(cluster.call('answer', 1, { node: 'w9' }))).toBe('bad_options');
    expect(world.clock.now() - began).toBeLessThan(100);
  });

  it('but a name waits for a node that has not said its own yet', async () => {
    const world = new InProcess();
    await world.node('w1', jobsOf('w1'));
    const nodes = [world.nodes.get('w1')?.address ?? '', 'ws://late:7'];
    const cluster = world.handle({ nodes });
    await world.run(cluster.whenUp(1));
    const call = cluster.call('who', undefined, { node: 'late' });
    await world.clock.pass(1_000);
    await world.node('late', jobsOf('late'), { listen: 'ws://late:7' });
    expect(await world.run(call)).toBe('late');
    await world.run(cluster.close());
  });

  it('a call to a node that drains', async () => {
    const { world, cluster } = await up(['w1', 'w2']);
    const running = world.run(cluster.call('slow', 2_000, { node: 'w1' }));
    await world.clock.pass(100);
    void world.nodes.get('w1')?.agent.drain(30_000);
    await world.clock.pass(100);
    const began = world.clock.now();
    const error = await world.run(thrown(cluster.call('who', undefined, { node: 'w1' })));
    expect(error).toMatchObject({ code: 'maintenance', retryable: true });
    expect(world.clock.now() - began).toBeLessThan(100);
    await running;
  });

  it('a question to a node that goes down', async () => {
    const { world, cluster } = await up(['w1']);
    world.everyNode[0]?.agent.drain(30_000).catch(() => undefined);
    const asked = thrown(cluster.request('w1', 'stats'));
    void world.nodes.get('w1')?.crash();
    const began = world.clock.now();
    const error = await world.run(asked);
    expect(error.code).toBe('down');
    expect(world.clock.now() - began).toBeLessThan(700);
  });
});

describe('what is told of nodes', () => {
  it('is that they are closed, and nothing before that, when the handle is closed', async () => {
    const { world, cluster } = await up(['w1', 'w2']);
    const told: string[] = [];
    cluster.on('node', ({ id, state }) => told.push(`${id} ${state}`));
    cluster.on('trouble', ({ id, trouble }) => told.push(`${id} ${trouble?.message}`));
    await world.run(cluster.close());
    expect(told).toEqual(['w1 closed', 'w2 closed']);
  });

  it('includes what troubles them, once for each trouble', async () => {
    const { world, cluster } = await up(['w1', 'w2']);
    const told: string[] = [];
    cluster.on('trouble', ({ id, trouble }) => told.push(`${id} ${trouble?.code}`));
    await world.nodes.get('w1')?.crash();
    await world.clock.pass(30_000);
    expect(told).toEqual(['w1 down', 'w1 unreachable']);
  });
});

describe('minNodes', () => {
  it.each([3, -1, 0.5, Number.NaN, '1'])('is refused at once where there are two nodes: %s', async (count) => {
    const { world, cluster } = await up(['w1', 'w2']);
    const began = world.clock.now();
    const error = await world.run(thrown(cluster.whenUp(count as number)));
    expect(error.code).toBe('bad_options');
    expect(error.message).toMatch(/minNodes is 0 to 2, as many as there are nodes, not/);
    expect(world.clock.now()).toBe(began);
  });

  it('may be none, or all', async () => {
    const { world, cluster } = await up(['w1', 'w2']);
    for (const count of [0, 1, 2]) await world.run(cluster.whenUp(count));
  });
});
