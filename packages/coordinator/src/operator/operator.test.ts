import { constants, formatRoleKey } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import { InProcess, jobsOf, secret } from '../../test/in-process.ts';
import type { Operator } from './operator.ts';
import { operate } from './operator.ts';
import type { OperateOptions } from './options.ts';

const bytes = Buffer.from(secret);

/** A cluster of these nodes, and a way to look into it. */
async function scene(...ids: string[]): Promise<{
  world: InProcess;
  look: (options?: Partial<OperateOptions>) => Operator;
}> {
  const world = new InProcess();
  for (const id of ids) await world.node(id, jobsOf(id));
  const { clock, entropy, network: transport } = world;
  const nodes = (): string[] => [...world.nodes.values()].map(({ address }) => address);
  const look = (options: Partial<OperateOptions> = {}): Operator =>
    operate({
      nodes: nodes(),
      ...(options.roleKey === undefined ? { secret } : {}),
      seams: { clock, entropy, transport },
      ...options,
    });
  return { world, look };
}

describe('operate', () => {
  it('tells of every node what it is and what runs there', async () => {
    const { world, look } = await scene('a', 'b');
    const cluster = await world.connect({ id: 'report' });
    const call = cluster.call('hang', undefined, { node: 'b' }).catch(() => 'over');
    await world.clock.pass(2_000);
    const observer = look();
    const nodes = await world.run(observer.nodes());
    expect(nodes.failures).toEqual([]);
    expect(nodes.answers.map(({ node, value }) => [node, value.jobs, value.sessions, value.draining])).toEqual([
      ['a', 0, 1, false],
      ['b', 1, 1, false],
    ]);
    const { answers } = await world.run(observer.jobs());
    expect(
      answers.flatMap(({ node, value }) => value.jobs.map(({ job, name, state }) => [node, job, name, state])),
    ).toEqual([['b', 'hang', 'report', 'running']]);
    const sessions = await world.run(observer.sessions());
    expect(sessions.answers[0]?.value.sessions).toMatchObject([
      { coordinator: cluster.incarnation, name: 'report', linked: true, guarded: true },
    ]);
    expect((await world.run(observer.config())).answers[1]?.value).toMatchObject({ id: 'b', constants: constants() });
    expect((await world.run(observer.errors())).answers.map(({ value }) => value)).toEqual([[], []]);
    await world.run(observer.close());
    await world.run(cluster.close());
    expect(await call).toBe('over');
  });

  it('says which node could not be reached and why, and asks it again the next time', async () => {
    const { world, look } = await scene('a', 'b');
    const observer = look();
    expect((await world.run(observer.nodes())).failures).toEqual([]);
    await world.nodes.get('b')?.crash();
    await world.clock.pass(100);
    const { answers, failures } = await world.run(observer.nodes());
    expect(answers.map(({ node }) => node)).toEqual(['a']);
    expect(failures).toMatchObject([{ node: 'b', error: { code: 'unreachable' } }]);
    const { address } = world.nodes.get('b') ?? { address: '' };
    await world.node('b', jobsOf('b'), { listen: address });
    expect((await world.run(observer.nodes())).answers.map(({ node }) => node)).toEqual(['a', 'b']);
  });

  it('gives up on a node that does not answer, within its time', async () => {
    const { world, look } = await scene('a', 'b');
    const observer = look({ timeout: 1_000 });
    await world.run(observer.nodes());
    const { agent } = world.nodes.get('a') ?? {};
    Object.defineProperty(agent, 'links', { get: () => new Promise(() => undefined) });
    Object.defineProperty(agent?.jobs, 'failures', { value: { list: { map: () => new Promise(() => undefined) } } });
    const { answers, failures } = await world.run(observer.errors());
    expect(answers.map(({ node }) => node)).toEqual(['b']);
    expect(failures).toMatchObject([{ node: 'a', error: { code: 'timeout' } }]);
  });

  it('kills by reference, wherever the job is; its caller hears who and why, and no other copy is asked', async () => {
    const { world, look } = await scene('a', 'b');
    const cluster = await world.connect({ shards: [{ id: 1, nodes: ['a', 'b'] }] });
    const rows = cluster.scatter('slow', 60_000).toArray();
    const failed = rows.then(
      () => undefined,
      (error: Error & { code: string; cause: { code: string; detail: string } }) => error,
    );
    const kept = ['a', 'b'].map((node) => cluster.call('pinging', undefined, { node }));
    await world.clock.pass(1_000);
    const operator = look({ role: 'operator', id: 'ann' });
    const { answers } = await world.run(operator.jobs({ job: 'slow' }));
    const [ref = '', ...more] = answers.flatMap(({ value }) => value.jobs.map((job) => job.ref));
    expect(more).toEqual([]);
    const gone = `${cluster.incarnation}-fff`;
    const before = world.started.length;
    const outcome = await world.run(operator.kill({ refs: [ref, gone], why: 'it is in the way' }));
    expect(outcome).toEqual({ killed: 1, left: [], unknown: [gone], failures: [] });
    const error = await world.run(failed);
    expect(error?.code).toBe('incomplete');
    expect(error?.cause).toMatchObject({ code: 'killed', detail: 'operator ann' });
    expect(error?.message).toContain('Killed by the operator "ann": it is in the way');
    expect(world.started.length).toBe(before);
    expect(await world.run(Promise.all(kept))).toEqual(['awake', 'awake']);
    await world.run(cluster.close());
    expect(world.jobs).toEqual([]);
  });

  it('kills all that a coordinator has at all nodes, and nothing of another', async () => {
    const { world, look } = await scene('a', 'b');
    const [one, other] = [await world.connect(), await world.connect()];
    const calls = ['a', 'a', 'b'].map((node) => world.failure(one.call('deaf', undefined, { node })));
    const rest = other.call('slow', 3_000, { node: 'a' });
    await world.clock.pass(1_000);
    const operator = look({ role: 'operator' });
    expect(await world.run(operator.kill({ coordinator: one.incarnation }))).toMatchObject({ killed: 3, left: [] });
    expect(world.jobs.filter((ref) => ref.startsWith(one.incarnation))).toEqual([]);
    expect(await Promise.all(calls)).toEqual(Array(3).fill('killed operator operator'));
    expect(await world.run(rest)).toBe('a');
    await world.run(Promise.all([one.close(), other.close()]));
  });

  it('drains the nodes that are named, and tells when they are gone', async () => {
    const { world, look } = await scene('a', 'b');
    const cluster = await world.connect();
    const slow = cluster.call('slow', 2_000, { node: 'a' });
    await world.clock.pass(500);
    const operator = look({ role: 'operator' });
    const { answers, failures } = await world.run(operator.drain({ only: ['a'] }));
    expect([answers, failures]).toEqual([
      [{ node: 'a', address: expect.any(String) as string, value: { jobs: 1, ms: 30_000 } }],
      [],
    ]);
    await world.clock.pass(100);
    expect(cluster.nodes().map(({ state }) => state)).toEqual(['draining', 'up']);
    const began = world.clock.now();
    await world.run(operator.whenGone('a'));
    expect(world.clock.now() - began).toBeGreaterThan(1_000);
    expect(await world.run(slow)).toBe('a');
    expect((await world.run(operator.nodes())).failures).toMatchObject([{ node: 'a', error: { code: 'unreachable' } }]);
    await world.run(cluster.close());
  });

  it('sets the log level of the nodes that are named by their addresses', async () => {
    const { world, look } = await scene('a', 'b');
    const operator = look({ role: 'operator' });
    const only = [world.nodes.get('b')?.address ?? ''];
    const { answers } = await world.run(operator.logLevel('debug', { only }));
    expect(answers).toMatchObject([{ node: 'b', value: { before: 'info', level: 'debug' } }]);
    expect((await world.run(operator.nodes())).answers.map(({ value }) => value.logLevel)).toEqual(['info', 'debug']);
  });

  it('names a node that it has not found, and who was not reached may be it', async () => {
    const { world, look } = await scene('a', 'b');
    await world.nodes.get('b')?.crash();
    const observer = look();
    const codes = async (...only: string[]): Promise<unknown[]> => {
      const { answers, failures } = await world.run(observer.nodes({ only }));
      return [answers.map(({ node }) => node), failures.map(({ node }) => node)];
    };
    expect(await codes('a')).toEqual([['a'], []]);
    expect(await codes('b')).toEqual([[], [undefined, 'b']]);
  });

  it('takes one node under two addresses for one', async () => {
    const { world, look } = await scene('a');
    const { address } = world.nodes.get('a') ?? { address: '' };
    const alias = address.replace('a.test', 'alias.test');
    const { clock, entropy, network } = world;
    const transport = { ...network, dial: (to: string, how: never) => network.dial(to === alias ? address : to, how) };
    const observer = look({ nodes: [address, alias], seams: { clock, entropy, transport } });
    const { answers, failures } = await world.run(observer.nodes());
    expect(answers).toHaveLength(1);
    expect(failures).toMatchObject([
      { error: { code: 'bad_options', message: expect.stringContaining('one node') as string } },
    ]);
  });
});

describe('operate with the key of a role', () => {
  it('looks as an observer with the key of an observer, and acts as an operator with that of an operator', async () => {
    const { world, look } = await scene('a');
    const observer = look({ roleKey: formatRoleKey(bytes, 'observer') });
    expect([observer.role, (await world.run(observer.nodes())).answers.length]).toEqual(['observer', 1]);
    const operator = look({ roleKey: formatRoleKey(bytes, 'operator') });
    expect(await world.run(operator.logLevel('warn'))).toMatchObject({ answers: [{ node: 'a' }] });
  });

  it('of another cluster is refused by every node', async () => {
    const { world, look } = await scene('a');
    const observer = look({ roleKey: formatRoleKey(Buffer.from('another secret, long enough'), 'observer') });
    expect((await world.run(observer.nodes())).failures).toMatchObject([
      { error: { code: 'unauthorized', detail: 'proof' } },
    ]);
  });

  it('connects no coordinator, and starts none', async () => {
    const { world } = await scene('a');
    const key = formatRoleKey(bytes, 'operator');
    expect(() => world.handle({ secret: key })).toThrow(/the key of one role/);
    expect(() => world.handle({ secret: Buffer.from(key) })).toThrow(/the key of one role/);
  });

  it.each([
    [{ secret, roleKey: formatRoleKey(bytes, 'observer') }, /one of the two/],
    [
      { roleKey: formatRoleKey(bytes, 'observer'), role: 'operator' },
      /the key of an observer, with which nobody is an operator/,
    ],
    [{ roleKey: secret }, /no key of a role/],
    [{ role: 'coordinator' as never }, /role is 'operator' or 'observer'/],
    [{ timeout: 0 }, /timeout is a whole number/],
    [{ nodes: [] }, /at least one node/],
    [{ colour: 'red' } as never, /no option "colour" for operate/],
    [{ roleKey: undefined, secret: 'short' }, /at least 16/],
  ] as const)('is held to its options (%#)', async (options, sentence) => {
    const { look } = await scene('a');
    expect(() => look(options as Partial<OperateOptions>)).toThrow(sentence);
  });
});

describe('an observer', () => {
  it.each([
    ['kill', (one: Operator) => one.kill({ refs: [] })],
    ['drain', (one: Operator) => one.drain()],
    ['log-level', (one: Operator) => one.logLevel('silent')],
  ])('is not even asked to %s: that is for an operator', async (name, ask) => {
    const { world, look } = await scene('a');
    expect(await world.failure(ask(look()))).toBe('bad_options');
    await expect(ask(look())).rejects.toThrow(`"${name}" is for an operator`);
  });
});
