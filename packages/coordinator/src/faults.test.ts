import { CloseCode, constants as tableOf, defaults } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import type { InProcessOptions } from '../test/in-process.ts';
import { InProcess, jobsOf } from '../test/in-process.ts';
import type { Cluster } from './cluster.ts';
import type { ConnectOptions } from './options.ts';

const { lease, vouch, kill, closedGrace } = defaults;

async function up(
  ids: readonly string[] = ['w1', 'w2'],
  options: Partial<ConnectOptions> & { world?: InProcessOptions } = {},
): Promise<{ world: InProcess; cluster: Cluster }> {
  const { world: settings, ...rest } = options;
  const world = new InProcess(settings);
  for (const id of ids) await world.node(id, jobsOf(id));
  return { world, cluster: await world.connect(rest) };
}

/** Calls that do not end by themselves, one at each node, and how each has ended: nothing as long as it has not. */
async function hanging({ world, cluster }: { world: InProcess; cluster: Cluster }): Promise<string[]> {
  const ends: string[] = [];
  for (const node of world.nodes.keys())
    cluster.call('deaf', undefined, { node }).catch((error: { code: string }) => ends.push(error.code));
  await world.clock.pass(100);
  expect(world.jobs).toHaveLength(2 * world.nodes.size); // In the table and in the executor.
  return ends;
}

/** Milliseconds until nothing of the cluster's jobs lives. */
async function untilNoJob(world: InProcess, most: number): Promise<number> {
  const began = world.clock.now();
  while (world.jobs.length > 0) {
    if (world.clock.now() - began > most) throw new Error(`Jobs live after ${most} ms: ${world.jobs.join(', ')}.`);
    await world.clock.pass(10);
  }
  return world.clock.now() - began;
}

describe('a coordinator that is killed', () => {
  it('leaves no job: its guardian fences and goes', async () => {
    const bench = await up();
    await hanging(bench);
    bench.world.killCoordinator();
    expect(await untilNoJob(bench.world, 1_000)).toBeLessThan(100);
    await bench.world.clock.pass(2_000);
    expect(bench.world.guardians.all.map(({ exit }) => exit)).toEqual([0]);
  });

  it('is refused by the nodes from then on', async () => {
    const bench = await up(['w1']);
    await hanging(bench);
    bench.world.killCoordinator();
    await bench.world.clock.pass(1_000);
    const stats = bench.world.everyNode[0]?.agent.links;
    expect(stats).toEqual({});
  });

  it('together with its guardian, by SIGKILL, leaves no job after the closed links were missed for a second', async () => {
    const bench = await up();
    await hanging(bench);
    bench.world.killCoordinator();
    for (const guardian of bench.world.guardians.alive) void guardian.kill();
    const passed = await untilNoJob(bench.world, 2_000);
    expect(passed).toBeGreaterThanOrEqual(closedGrace);
    expect(passed).toBeLessThanOrEqual(closedGrace + kill);
  });

  it('rule 8: with its whole machine leaves no job after one lease and a kill', async () => {
    const bench = await up();
    await hanging(bench);
    bench.world.loseMachine();
    const passed = await untilNoJob(bench.world, lease + kill);
    expect(passed).toBeGreaterThan(lease - 1_500);
  });
});

describe('a coordinator that stalls', () => {
  it('for less than V loses nothing, and its work goes on', async () => {
    const bench = await up();
    const { world, cluster } = bench;
    const ends = await hanging(bench);
    const slow = world.run(cluster.call('slow', 1_000));
    await world.clock.pass(100);
    world.process.stop();
    await world.clock.pass(20_000);
    expect(world.jobs.length).toBeGreaterThan(0);
    world.process.continue();
    expect(['w1', 'w2']).toContain(await slow);
    expect(ends).toEqual([]);
    await world.run(cluster.close());
    expect(world.guardians.all).toHaveLength(1);
  });

  it('rule 10: loses nothing either where its stall ends just after a timer fell due', async () => {
    const { world, cluster } = await up();
    for (let begin = 0; begin < 7_000; begin += 700) {
      await world.clock.pass(begin);
      world.process.stop();
      await world.clock.pass(6_700);
      world.process.continue();
      await world.clock.settle();
      expect(cluster.nodes().map(({ state }) => state)).toEqual(['up', 'up']);
    }
    expect(world.guardians.all).toHaveLength(1);
    await world.run(cluster.close());
  });

  it('rule 10: is not the one to judge others by its own silence', async () => {
    const bench = await up();
    const { world, cluster } = bench;
    const silent = world.failure(cluster.call('hang', undefined, { messageTimeout: 3_000, node: 'w1' }));
    const pinging = world.run(cluster.call('pinging', undefined, { messageTimeout: 3_000, node: 'w2' }));
    await world.clock.pass(100);
    world.process.stop();
    await world.clock.pass(15_000);
    world.process.continue();
    await world.clock.settle();
    expect(cluster.nodes().map(({ state }) => state)).toEqual(['up', 'up']);
    expect(await pinging).toBe('awake');
    expect(await silent).toBe('timeout message');
    await world.run(cluster.close());
  });

  it('for more than V is fenced: every request ends with `fenced`, and the next begins a new incarnation', async () => {
    const bench = await up();
    const { world, cluster } = bench;
    const ends = await hanging(bench);
    const stream = world.failure(cluster.scatter('endless').toArray());
    await world.clock.pass(100);
    const before = cluster.incarnation;
    const fenced: string[] = [];
    cluster.on('fenced', (why) => fenced.push(why));
    world.process.stop();
    await world.clock.pass(vouch + 2_000 + kill);
    expect(world.jobs).toEqual([]);
    world.process.continue();
    await world.clock.pass(1_000);
    expect(ends).toEqual(['fenced', 'fenced']);
    expect(await stream).toBe('fenced fence');
    expect(fenced).toHaveLength(1);
    expect(await world.run(cluster.call('answer'))).toBe(42);
    expect(cluster.incarnation).not.toBe(before);
    expect(await world.run(cluster.scatter('count').toArray())).toHaveLength(6);
    await world.run(cluster.close());
    await world.clock.pass(10_000);
    expect(world.guardians.alive).toEqual([]);
    expect(world.jobs).toEqual([]);
  });
});

describe('a guardian that is killed', () => {
  it('is replaced, and nothing is lost', async () => {
    const bench = await up();
    const { world, cluster } = bench;
    const ends = await hanging(bench);
    void world.guardians.alive[0]?.kill();
    await world.clock.pass(20_000);
    expect(ends).toEqual([]);
    expect(world.guardians.all.map(({ exit }) => exit)).toEqual(['SIGKILL', undefined]);
    expect(await world.run(cluster.call('answer'))).toBe(42);
    world.killCoordinator();
    expect(await untilNoJob(world, 1_000)).toBeLessThan(100);
    expect(new Set(world.guardians.all.map(({ told }) => (told[0]?.do === 'begin' ? told[0].number : 0)))).toEqual(
      new Set([1, 2]),
    );
  });

  it('again and again makes requests fail, and says why', async () => {
    const { world, cluster } = await up();
    const call = world.failure(cluster.call('hang'));
    await world.clock.pass(100);
    for (let deaths = 0; deaths < 3; deaths += 1) {
      void world.guardians.alive[0]?.kill();
      await world.clock.pass(100);
    }
    expect(await call).toBe('unavailable');
    await world.clock.pass(2_000);
    expect(world.jobs).toEqual([]);
    await world.run(cluster.close());
  });

  it('with its coordinator a moment later leaves no job', async () => {
    const bench = await up();
    await hanging(bench);
    const [guardian] = bench.world.guardians.alive;
    void guardian?.kill();
    bench.world.killCoordinator();
    expect(await untilNoJob(bench.world, closedGrace + kill)).toBeLessThanOrEqual(closedGrace + kill);
  });
});

describe('a link that is closed with a reason', () => {
  it('rule 9: gives every reference `down`, and its node is dialled again', async () => {
    const bench = await up();
    const { world, cluster } = bench;
    const ends = await hanging(bench);
    const states: string[] = [];
    cluster.on('node', ({ id, state }) => id === 'w1' && states.push(state));
    const [link] = world.links.coordinator;
    link?.close(CloseCode.normal, 'enough');
    await world.clock.pass(1_000);
    expect(ends).toEqual(['down']);
    expect(states).toEqual(['dialling', 'opening', 'up']);
    expect(world.everyNode[0]?.jobs).toEqual([]);
    expect(world.everyNode[1]?.jobs).toHaveLength(2);
    expect(await world.run(cluster.call('who', undefined, { node: 'w1' }))).toBe('w1');
    await world.run(cluster.close());
  });

  it('rule 8: the older session has no job left when the newer is accepted', async () => {
    const world = new InProcess();
    await world.node('w1', jobsOf('w1'), { executors: { dies: 400 } });
    const cluster = await world.connect();
    await hanging({ world, cluster });
    const atAccept: number[] = [];
    cluster.on('node', ({ state }) => state === 'up' && atAccept.push(world.jobs.length));
    for (const link of world.links.coordinator) link.close(CloseCode.normal, 'enough');
    await world.clock.pass(2_000);
    expect(atAccept).toEqual([0]);
    await world.run(cluster.close());
  });
});

describe('a link that is cut', () => {
  it('rule 19: is replaced by another, and nothing ends', async () => {
    const bench = await up();
    const { world, cluster } = bench;
    const ends = await hanging(bench);
    const states: string[] = [];
    cluster.on('node', ({ id, state }) => id === 'w1' && states.push(state));
    const [link] = world.links.coordinator;
    link?.abort('cut');
    await world.clock.pass(1_000);
    expect(states).toEqual(['suspect', 'up']);
    await world.clock.pass(30_000);
    expect(ends).toEqual([]);
    expect(world.everyNode.map(({ jobs }) => jobs.length)).toEqual([2, 2]);
    expect(await world.run(cluster.call('who', undefined, { node: 'w1' }))).toBe('w1');
    await world.run(cluster.close());
  });

  it('rule 19: half-open, is found by silence and replaced: suspect after three heartbeats, and nothing ends', async () => {
    const bench = await up();
    const { world, cluster } = bench;
    const ends = await hanging(bench);
    world.silence('coordinator');
    const began = world.clock.now();
    const states: string[] = [];
    cluster.on('node', ({ id, state }) => id === 'w1' && states.push(`${state} ${world.clock.now() - began > 2_000}`));
    await world.clock.pass(5_000);
    expect(states).toEqual(['suspect true', 'up true']);
    await world.clock.pass(30_000);
    expect(ends).toEqual([]);
    await world.run(cluster.close());
  });

  it('rule 3: a kill of the gap goes before what was under way, and deadlines hold', async () => {
    const bench = await up(['w1']);
    const { world, cluster } = bench;
    const aborted = new AbortController();
    const calls = [
      world.failure(cluster.call('deaf', undefined, { signal: aborted.signal })),
      world.failure(cluster.call('deaf', undefined, { timeout: 3_000 })),
    ];
    await world.clock.pass(100);
    world.cutCoordinatorOff();
    for (const link of world.links.coordinator) link.abort('cut');
    await world.clock.pass(500);
    aborted.abort('not wanted');
    await world.clock.pass(3_000);
    expect(await Promise.all(calls)).toEqual(['cancelled', 'deadline']);
    world.cutOff.clear();
    expect(await untilNoJob(world, 3_000)).toBeLessThan(3_000);
    expect(world.everyNode[0]?.executors.started).toHaveLength(2);
    await world.run(cluster.close());
  });

  it('rule 19: is replaced by one to another address of the node, where the first does not answer any more', async () => {
    const world = new InProcess();
    const { address } = await world.node('w1', jobsOf('w1'));
    const other = 'ws://w1.other:1';
    world.aliases.set(other, address);
    const cluster = await world.connect({ nodes: [[address, other]] });
    const ends: string[] = [];
    cluster.call('deaf').catch((error: { code: string }) => ends.push(error.code));
    await world.clock.pass(100);
    world.cutOff.add(address);
    for (let times = 0; times < 2; times += 1) {
      for (const link of world.links.coordinator) link.abort('cut');
      await world.clock.pass(6_000);
      expect(await world.run(cluster.call('who'))).toBe('w1');
    }
    expect(ends).toEqual([]);
    expect(cluster.nodes()).toHaveLength(1);
    await world.run(cluster.close());
  });

  it('rule 9: by a node that is not reached any more, gives `down` within the bound, and jobs are dead by then', async () => {
    const bench = await up();
    const { world, cluster } = bench;
    const ends = await hanging(bench);
    world.cutCoordinatorOff();
    const bound = 1.1 * lease + kill;
    let suspect = 0;
    let down = 0;
    const began = world.clock.now();
    cluster.on('node', ({ state }) => {
      if (state === 'suspect' && suspect === 0) suspect = world.clock.now() - began;
      if (state === 'dialling' && down === 0) down = world.clock.now() - began;
    });
    await world.clock.pass(8_000);
    world.cutOff.clear();
    await world.clock.pass(12_000);
    expect(suspect).toBeGreaterThan(2_000);
    expect(suspect).toBeLessThanOrEqual(5_000);
    expect(down).toBeGreaterThan(suspect);
    expect(down).toBeLessThanOrEqual(bound + 1_000);
    expect(ends).toEqual(['down', 'down']);
    expect(world.jobs).toEqual([]);
    expect(cluster.nodes().map(({ state }) => state)).toEqual(['up', 'up']);
    await world.run(cluster.close());
  });

  it('rule 10: while it is suspect its node gets no cast, and keeps what it has', async () => {
    const { world, cluster } = await up(['w1', 'w2']);
    const running = world.run(cluster.call('slow', 60_000, { node: 'w2' }));
    await world.clock.pass(100);
    const [first] = world.links.coordinator;
    world.cutOff.add(world.nodes.get('w1')?.address ?? '');
    first?.lose(600_000);
    await world.clock.pass(4_500);
    expect(cluster.nodes().map(({ state }) => state)).toEqual(['suspect', 'up']);
    for (let calls = 0; calls < 4; calls += 1) expect(await world.run(cluster.call('who'))).toBe('w2');
    expect(await running).toBe('w2');
    await world.run(cluster.close());
  });

  it('to a guardian only is no matter of the jobs: it dials again', async () => {
    const bench = await up();
    const { world, cluster } = bench;
    const ends = await hanging(bench);
    for (const link of world.links.guardian) link.abort('cut');
    await world.clock.pass(10_000);
    expect(ends).toEqual([]);
    world.killCoordinator();
    expect(await untilNoJob(world, 1_000)).toBeLessThan(100);
    expect(cluster.nodes()).toHaveLength(2);
  });
});

describe('whenSurelyDead', () => {
  const refs = ({ world }: { world: InProcess }): string[] =>
    world.everyNode.flatMap(({ executors }) => executors.started.map(({ ref }) => ref));

  it('waits for the end of a job, and until nothing of it is left', async () => {
    const world = new InProcess();
    await world.node('w1', jobsOf('w1'), { executors: { dies: 400 } });
    const cluster = await world.connect();
    const abort = new AbortController();
    const call = world.failure(cluster.call('deaf', undefined, { signal: abort.signal }));
    await world.clock.pass(100);
    let alive = -1;
    const dead = cluster.whenSurelyDead(refs({ world })[0] ?? '').then(() => (alive = world.jobs.length));
    await world.clock.pass(5_000);
    expect(alive).toBe(-1);
    abort.abort();
    expect(await call).toBe('cancelled');
    expect(alive).toBe(-1);
    await world.run(dead);
    expect(alive).toBe(0);
    await world.run(cluster.close());
  });

  it('waits for the bound where the session is lost and nobody confirms anything', async () => {
    const bench = await up(['w1']);
    const { world, cluster } = bench;
    const ends = await hanging(bench);
    const [ref = ''] = refs(bench);
    world.cutCoordinatorOff();
    world.silence('guardian');
    const began = world.clock.now();
    await world.run(cluster.whenSurelyDead(ref));
    expect(ends).toEqual(['down']);
    expect(world.jobs).toEqual([]);
    expect(world.clock.now() - began).toBeLessThanOrEqual(2 * (1.1 * lease + kill) + 1_000);
    await world.run(cluster.close());
  });

  it('is at once for what is long over, and refuses what is no reference of its own', async () => {
    const { world, cluster } = await up(['w1']);
    await world.run(cluster.call('answer'));
    const began = world.clock.now();
    await world.run(cluster.whenSurelyDead(refs({ world })[0] ?? ''));
    expect(world.clock.now() - began).toBeLessThan(50);
    expect(await world.failure(cluster.whenSurelyDead('0123456789abcdef-1'))).toBe('bad_options');
    expect(await world.failure(cluster.whenSurelyDead('nonsense'))).toBe('bad_options');
    await world.run(cluster.close());
  });
});

describe('a worker node that restarts', () => {
  it('at the same address is another one: old references are down, and new casts run there', async () => {
    const bench = await up(['w1']);
    const { world, cluster } = bench;
    const ends = await hanging(bench);
    const listen = world.everyNode[0]?.address ?? '';
    await world.run(world.nodes.get('w1')?.crash() ?? Promise.resolve());
    await world.node('w1', jobsOf('w1'), { listen });
    await world.clock.pass(2_000);
    expect(ends).toEqual(['down']);
    expect(await world.run(cluster.call('answer'))).toBe(42);
    expect(world.everyNode[1]?.executors.started).toHaveLength(1);
    await world.run(cluster.close());
  });

  it('in a loop, under load, starts no reference twice and loses none', async () => {
    const { world, cluster } = await up(['w1', 'w2']);
    const listen = world.everyNode[0]?.address ?? '';
    const answers: string[] = [];
    const calls = Array.from({ length: 60 }, async (_, i) => {
      await new Promise<void>((resolve) => world.clock.after(i * 50, resolve));
      answers.push(await cluster.call('slow', 100).then(String, (error: { code: string }) => error.code));
    });
    for (let restarts = 0; restarts < 5; restarts += 1) {
      await world.clock.pass(500);
      await world.run(world.nodes.get('w1')?.crash() ?? Promise.resolve());
      await world.node('w1', jobsOf('w1'), { listen });
    }
    await world.run(Promise.all(calls));
    expect(answers).toHaveLength(60);
    expect(answers.every((answer) => /^(w[12]|down)$/.test(answer))).toBe(true);
    expect(new Set(world.started).size).toBe(world.started.length);
    await world.run(cluster.close());
    await world.clock.pass(20_000);
    expect(world.jobs).toEqual([]);
  });
});

describe('a kill that overtakes its cast', () => {
  it('rule 3: keeps it from running', async () => {
    // Casts are body and wait for acks of what is under way; kills are control and do not.
    const { world, cluster } = await up(['w1'], { world: { latency: 20 } });
    const bulk = cluster.call('answer', Buffer.alloc(2_000_000)).then(
      () => 'big',
      () => 'failed',
    );
    await world.clock.pass(1);
    const stop = new AbortController();
    const call = world.failure(cluster.call('hang', undefined, { signal: stop.signal }));
    await world.clock.pass(1);
    stop.abort();
    expect(await call).toBe('cancelled');
    expect(await world.run(bulk)).toBe('big');
    await world.clock.pass(1_000);
    expect(world.started).toHaveLength(1);
    expect(world.everyNode[0]?.agent.jobs.tombstones).toBe(0);
    expect(world.everyNode[0]?.agent.jobs.failures.list).toMatchObject([{ code: 'killed', detail: 'coordinator' }]);
    await world.run(cluster.close());
  });
});

describe('no node at all', () => {
  it('fails to connect, with each trouble, after C', async () => {
    const world = new InProcess();
    const cluster = world.handle({ nodes: ['ws://nobody.test:1'] });
    const began = world.clock.now();
    expect(await world.failure(cluster.whenUp(1))).toBe('unreachable');
    expect(world.clock.now() - began).toBeLessThanOrEqual(tableOf().connect + 100);
    await world.run(cluster.close());
  });
});
