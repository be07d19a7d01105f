import type { ClusterError } from '@muster/rexi';
import { JobError } from '@muster/rexi';
import { describe, expect, it, vi } from 'vitest';
import { InProcess, jobsOf } from '../test/in-process.ts';
import { up } from '../test/up.ts';
import { ClusterNode } from './node.ts';
import type { RowStream } from './row-stream.ts';

const alphabetical = (a: unknown, b: unknown): number => String(a).localeCompare(String(b));

const threeShards = [
  { id: 'a', nodes: ['w1', 'w2'] },
  { id: 'b', nodes: ['w2', 'w3'] },
  { id: 'c', nodes: ['w3', 'w1'] },
];

describe('a call', () => {
  it('rule 1: ends in its value', async () => {
    const { world, cluster } = await up();
    expect(await world.run(cluster.call('answer'))).toBe(42);
    expect(await world.run(cluster.call('answer', { a: [1] }))).toEqual({ a: [1] });
    expect(await world.run(cluster.call('who', undefined, { node: 'w2' }))).toBe('w2');
    expect(cluster.nodes().map(({ load }) => load)).toEqual([0, 0, 0]);
  });

  it("ends in the user's own error, rebuilt, after one run and not one at each node", async () => {
    const { world, cluster } = await up();
    const error: unknown = await world.run(cluster.call('throws').catch((thrown: unknown) => thrown));
    expect(error).toBeInstanceOf(JobError);
    expect(error).toMatchObject({
      code: 'job_failed',
      job: 'throws',
      message: expect.stringMatching(/^boom/),
      cause: { message: 'boom' },
    });
    expect(world.started).toHaveLength(1);
  });

  it('goes to another node when the first has lost its executor, and ends in one error when all have', async () => {
    const { world, cluster } = await up();
    expect(await world.failure(cluster.call('dies'))).toBe('executor_lost it died');
    expect(world.started).toHaveLength(3);
  });

  it('of a name that nobody has ends in `unknown_job`', async () => {
    const { world, cluster } = await up();
    expect(await world.failure(cluster.call('nobody'))).toBe('unknown_job');
  });

  it('of a generator is refused, and its job killed', async () => {
    const { world, cluster } = await up();
    expect(await world.failure(cluster.call('count'))).toBe('bad_options');
    await world.clock.pass(1_000);
    expect(world.jobs).toEqual([]);
  });

  it('rule 15: has an overall timeout, which kills', async () => {
    const { world, cluster } = await up();
    const called = world.clock.now();
    expect(await world.failure(cluster.call('hang', undefined, { timeout: 700 }))).toBe('deadline');
    expect(world.clock.now() - called).toBeLessThan(800);
    await world.clock.pass(300);
    expect(world.jobs).toEqual([]);
  });

  it('rule 15: keeps its overall timeout itself, whatever the node does', async () => {
    const { world, cluster } = await up(['w1']);
    world.silence('coordinator');
    const called = world.clock.now();
    expect(await world.failure(cluster.call('hang', undefined, { timeout: 700 }))).toBe('deadline');
    expect(world.clock.now() - called).toBeLessThan(800);
  });

  it('rule 15: says how much of its time is left when it leaves, not when it was made', async () => {
    const { world, cluster } = await up(['w1']);
    const [guardian] = world.guardians.alive;
    await world.run(guardian?.kill() ?? Promise.resolve());
    const call = world.failure(cluster.call('hang', undefined, { timeout: 700 }));
    await call;
    const left = world.everyNode[0]?.executors.started.at(-1)?.timeLeft ?? 0;
    expect(left).toBeGreaterThan(600);
    expect(left).toBeLessThanOrEqual(700);
  });

  it('rule 6: has a timeout per message, which a ping resets', async () => {
    const { world, cluster } = await up(['w1']);
    expect(await world.failure(cluster.call('hang', undefined, { messageTimeout: 1_000 }))).toBe('timeout message');
    expect(await world.run(cluster.call('pinging', undefined, { messageTimeout: 1_000 }))).toBe('awake');
    expect(await world.failure(cluster.call('pinging', undefined, { messageTimeout: 1_000, timeout: 2_000 }))).toBe(
      'deadline',
    );
  });

  it('is cancelled by its signal, before and during', async () => {
    const { world, cluster } = await up();
    const stop = new AbortController();
    const call = world.failure(cluster.call('hang', undefined, { signal: stop.signal }));
    await world.clock.pass(100);
    expect(world.jobs).not.toEqual([]);
    stop.abort(new Error('enough'));
    expect(await call).toBe('cancelled');
    await world.clock.pass(1_000);
    expect(world.jobs).toEqual([]);
    expect(await world.failure(cluster.call('hang', undefined, { signal: stop.signal }))).toBe('cancelled');
  });

  it('hears progress and logs of its job', async () => {
    const { world, cluster } = await up(['w1']);
    const heard: unknown[] = [];
    await world.run(
      cluster.call('telling', undefined, {
        onProgress: (value) => heard.push(value),
        onLog: (line) => heard.push(line),
      }),
    );
    expect(heard).toEqual([0.5, { said: 'w1' }]);
  });

  it('whose callback throws fails, and nothing else does', async () => {
    const { world, cluster } = await up(['w1']);
    const onProgress = (): never => {
      throw new Error('my own bug');
    };
    expect(await world.failure(cluster.call('telling', undefined, { onProgress }))).toBe('cancelled');
    expect(await world.run(cluster.call('answer'))).toBe(42);
  });

  it('whose arguments cannot travel never leaves', async () => {
    const { world, cluster } = await up(['w1']);
    expect(await world.failure(cluster.call('answer', { f: () => 1 }))).toBe('not_serializable args.f');
    expect(world.started).toEqual([]);
  });

  it('that no message can carry fails, and leaves nothing behind', async () => {
    const { world, cluster } = await up(['w1'], { world: { constants: { message: 10_000 } } });
    expect(await world.failure(cluster.call('answer', 'x'.repeat(20_000)))).toBe('limit message');
    expect(cluster.nodes()[0]?.load).toBe(0);
    expect(await world.run(cluster.call('answer'))).toBe(42);
  });
});

describe('a stream', () => {
  it('rule 5: yields all rows in order, once', async () => {
    const { world, cluster } = await up();
    expect(await world.run(cluster.stream('count', { count: 25 }).toArray())).toEqual(
      Array.from({ length: 25 }, (_, i) => i),
    );
  });

  it('rule 4: goes on beyond its window as its rows are consumed', async () => {
    const { world, cluster } = await up(['w1'], { world: { constants: { windowRows: 8 } } });
    const stream = cluster.stream<number>('single', { count: 100 });
    expect(await world.run(stream.toArray())).toHaveLength(100);
  });

  it('rule 4: keeps a producer at its window while nobody reads, and says that it is still wanted', async () => {
    const { world, cluster } = await up(['w1'], { world: { constants: { windowRows: 8 } } });
    const stream = cluster.stream<number>('single', { count: 100 });
    expect((await world.run(stream.next())).value).toBe(0);
    await world.clock.pass(300_000);
    const [job] = world.everyNode[0]?.agent.jobs.all ?? [];
    expect(job?.state).toBe('parked');
    expect(job?.sent.rows).toBeLessThanOrEqual(8 + 1);
    expect(job?.acked.rows).toBeLessThanOrEqual(1);
    expect(await world.run(stream.toArray())).toHaveLength(99);
  });

  it('does not blame its part for the silence of a consumer that is busy', async () => {
    const { world, cluster } = await up(['w1'], { world: { constants: { windowRows: 2 } } });
    const rows: number[] = [];
    const stream = cluster.stream<number>('count', { count: 12 }, { messageTimeout: 1_000 });
    const reading = (async () => {
      for await (const batch of stream.batches()) {
        rows.push(...batch);
        await new Promise<void>((resolve) => world.clock.after(5_000, resolve));
      }
    })();
    await world.run(reading);
    expect(rows).toHaveLength(12);
  });

  it('left early kills its job', async () => {
    const { world, cluster } = await up();
    const reading = (async () => {
      for await (const row of cluster.stream('endless')) return row;
      return undefined;
    })();
    expect(await world.run(reading)).toBe(1);
    await world.clock.pass(1_000);
    expect(world.jobs).toEqual([]);
  });

  it('ends at its limit, which may be none', async () => {
    const { world, cluster } = await up();
    expect(await world.run(cluster.stream('count', { count: 25 }, { limit: 5 }).toArray())).toEqual([0, 1, 2, 3, 4]);
    expect(await world.run(cluster.stream('count', { count: 25 }, { limit: 0 }).toArray())).toEqual([]);
  });

  it('rule 5: that breaks after a row ends in an explicit error, behind the rows before it', async () => {
    const { world, cluster } = await up();
    const stream = cluster.stream<number>('half');
    const rows: number[] = [];
    const reading = (async () => {
      for await (const row of stream) rows.push(row);
    })();
    expect(await world.failure(reading)).toBe('job_failed');
    expect(rows).toEqual([1, 2]);
  });

  it('gives rows in order to several who ask at once', async () => {
    const { world, cluster } = await up(['w1']);
    const stream = cluster.stream<number>('count', { count: 6 });
    const asked = await world.run(Promise.all(Array.from({ length: 8 }, () => stream.next())));
    expect(asked.map(({ value }) => value)).toEqual([0, 1, 2, 3, 4, 5, undefined, undefined]);
  });
});

describe('a scatter', () => {
  it('runs one job for each shard, each told which', async () => {
    const { world, cluster } = await up(undefined, { shards: threeShards });
    expect((await world.run(cluster.scatter('shard').toArray())).toSorted(alphabetical)).toEqual(['a', 'b', 'c']);
    expect(await world.run(cluster.scatter('shard', undefined, { over: ['b'] }).toArray())).toEqual(['b']);
    expect(world.started).toHaveLength(4);
  });

  it('runs one job at each node', async () => {
    const { world, cluster } = await up();
    expect(
      (await world.run(cluster.scatter('who', undefined, { over: 'nodes' }).toArray())).toSorted(alphabetical),
    ).toEqual(['w1', 'w2', 'w3']);
  });

  it('sends the shared arguments of a fan-out once to each node, in one message', async () => {
    const shards = Array.from({ length: 20 }, (_, id) => ({ id, nodes: ['w1'] }));
    const { world, cluster } = await up(['w1'], { shards });
    expect(await world.run(cluster.scatter('shard').toArray())).toHaveLength(20);
    expect(world.guardians.all[0]?.said.filter(({ is }) => is === 'registered')).not.toEqual([]);
  });

  it('merges rows in order', async () => {
    const { world, cluster } = await up();
    const args = { count: 200, by: 3 };
    const rows = await world.run(cluster.scatter<number>('count', args, { merge: {} }).toArray());
    expect(rows).toEqual(rows.toSorted((a, b) => a - b));
    expect(rows).toHaveLength(600);
  });

  it('that merges with a comparison that throws ends with its error, and kills what runs', async () => {
    const { world, cluster } = await up();
    const compare = (): never => {
      throw new TypeError('my own bug');
    };
    const stream = cluster.scatter('endless', undefined, { merge: { compare } });
    expect(await world.failure(stream.next())).toBe('TypeError: my own bug');
    await world.clock.pass(1_000);
    expect(world.jobs).toEqual([]);
  });

  it('reduces all rows to one value', async () => {
    const { world, cluster } = await up();
    const options = { initial: 0, reduce: (sum: number, row: number) => sum + row };
    expect(await world.run(cluster.reduce<number, number>('count', { count: 10 }, options))).toBe(3 * 45);
  });

  it('ends at its limit and cancels what is left', async () => {
    const { world, cluster } = await up();
    expect(await world.run(cluster.scatter('endless', undefined, { limit: 4 }).toArray())).toHaveLength(4);
    await world.clock.pass(1_000);
    expect(world.jobs).toEqual([]);
  });

  it('that misses a part throws one error with its parts, or says what is missing', async () => {
    const { world, cluster } = await up(undefined, { shards: [...threeShards, { id: 'lost', nodes: ['w9'] }] });
    const error = await world.run(
      cluster
        .scatter('shard')
        .toArray()
        .catch((thrown: unknown) => thrown),
    );
    expect(error).toMatchObject({ code: 'incomplete', parts: [{ shard: 'lost', error: { code: 'bad_options' } }] });
    const partial = cluster.scatter('shard', undefined, { partial: true });
    expect((await world.run(partial.toArray())).toSorted(alphabetical)).toEqual(['a', 'b', 'c']);
    expect(partial.missing.map(({ shard }) => shard)).toEqual(['lost']);
  });

  it('replaces the copies of a node that dies before its rows were handed on', async () => {
    const { world, cluster } = await up(undefined, { shards: threeShards });
    const stream = cluster.scatter<number>('slowly', { count: 5 }, { merge: {} });
    const reading = world.run(stream.toArray());
    await world.clock.pass(50);
    await world.nodes.get('w1')?.crash();
    expect(await reading).toEqual([0, 0, 0, 1, 1, 1, 2, 2, 2, 3, 3, 3, 4, 4, 4]);
    expect(stream.stats.replaced).toBeGreaterThan(0);
  });

  it('rule 16: starts no copy whose node is not alive any more, but the next', async () => {
    const { world, cluster } = await up(undefined, { shards: [{ id: 1, nodes: ['w1', 'w2'] }] });
    const holds = vi.spyOn(ClusterNode.prototype, 'holds').mockReturnValueOnce(false);
    const stream = cluster.scatter('count');
    expect(await world.run(stream.toArray())).toEqual([0, 1, 2]);
    holds.mockRestore();
    expect(stream.stats).toMatchObject({ replaced: 1, cancelled: 1 });
    await world.clock.pass(1_000);
    expect(world.jobs).toEqual([]);
  });

  it('races copies: the first that is ready runs, the others are cancelled', async () => {
    const { world, cluster } = await up(undefined, { shards: [{ id: 1, nodes: ['w1', 'w2', 'w3'] }] });
    expect(await world.run(cluster.scatter('count', undefined, { race: true }).toArray())).toEqual([0, 1, 2]);
    expect(world.started).toHaveLength(3);
    await world.clock.pass(500);
    expect(world.jobs).toEqual([]);
  });

  it('casts the next copy when the first has not said in time that it is ready', async () => {
    const world = new InProcess();
    await world.node('w1', { ...jobsOf('w1'), count: { stream: true, takes: Infinity, steps: [] } });
    await world.node('w2', jobsOf('w2'));
    const cluster = await world.connect({ shards: [{ id: 1, nodes: ['w1', 'w2'] }] });
    const began = world.clock.now();
    const streams = [cluster.scatter('count'), cluster.scatter('count')];
    for (const stream of streams) expect(await world.run(stream.toArray())).toEqual([0, 1, 2]);
    expect(world.clock.now() - began).toBeLessThan(1_000);
    await world.run(cluster.close());
    expect(world.jobs).toEqual([]);
  });

  it('of a generator works also while no node is up yet to say that it is one', async () => {
    const world = new InProcess();
    await world.node('w1', jobsOf('w1'));
    const cluster = world.handle();
    expect(await world.run(cluster.scatter('count').toArray())).toEqual([0, 1, 2]);
    await world.run(cluster.close());
  });

  it('kills with one message a node', async () => {
    const shards = Array.from({ length: 30 }, (_, id) => ({ id, nodes: [`w${(id % 3) + 1}`] }));
    const { world, cluster } = await up(undefined, { shards });
    const kills: number[] = [];
    for (const { agent } of world.everyNode) {
      const kill = agent.jobs.kill.bind(agent.jobs);
      agent.jobs.kill = (session, message, by) => (kills.push(message.counters.length), kill(session, message, by));
    }
    const stream = cluster.scatter('endless');
    await world.run(stream.next());
    await world.run(stream.return());
    await world.clock.pass(1_000);
    expect(kills).toEqual([10, 10, 10]);
    expect(world.jobs).toEqual([]);
  });
});

describe('the jobs of a handle', () => {
  it('are called, streamed, scattered and reduced by name', async () => {
    const { world, cluster } = await up(['w1', 'w2']);
    const jobs = cluster.jobs as unknown as Record<string, Verbs>;
    expect(await world.run(jobs['answer']?.(7) ?? Promise.reject(new Error('no verb')))).toBe(7);
    expect(await world.run(jobs['count']?.stream({ count: 2 }).toArray() ?? Promise.resolve([]))).toEqual([0, 1]);
    expect(await world.run(jobs['who']?.scatter().toArray() ?? Promise.resolve([]))).toHaveLength(2);
    const sum = { initial: 0, reduce: (all: number, row: number) => all + row };
    expect(await world.run(jobs['count']?.reduce({ count: 3 }, sum) ?? Promise.resolve(0))).toBe(6);
    expect(jobs['then']).toBeUndefined();
    expect(jobs['answer']).toBe(jobs['answer']);
  });
});

/** The verbs of a job, without its types. */
interface Verbs {
  (args?: unknown): Promise<unknown>;
  stream(args?: unknown): RowStream<unknown>;
  scatter(args?: unknown): RowStream<unknown>;
  reduce(args: unknown, options: { initial: number; reduce: (all: number, row: number) => number }): Promise<number>;
}

describe('what can never be answered is refused before a job runs', () => {
  it('a stream of a function', async () => {
    const { world, cluster } = await up();
    expect(await world.failure(cluster.stream('answer').toArray())).toBe('bad_options');
    expect(world.started).toEqual([]);
  });

  it('a call of a generator', async () => {
    const { world, cluster } = await up();
    expect(await world.failure(cluster.call('count'))).toBe('bad_options');
    expect(world.started).toEqual([]);
  });

  it('a shard at nodes that there are not, of which the others are named', async () => {
    const { world, cluster } = await up(['w1', 'w2'], { shards: [{ id: 1, nodes: ['q', 'r'] }] });
    const error = await world.run(cluster.call('answer', undefined, { shard: 1 }).catch((thrown: unknown) => thrown));
    expect(error).toMatchObject({ code: 'bad_options', retryable: false, text: expect.stringContaining('w1, w2') });
    const scattered = await world.run(
      cluster
        .scatter('answer')
        .toArray()
        .catch((thrown: unknown) => thrown),
    );
    expect(scattered).toMatchObject({ code: 'incomplete', retryable: false });
  });

  it('but not a shard of which one copy is at a node that there is: what became of that copy is told', async () => {
    const { world, cluster } = await up(['w1', 'w2'], { shards: [{ id: 1, nodes: ['w1', 'q'] }] });
    expect(await world.failure(cluster.call('dies', undefined, { shard: 1 }))).toMatch(/^executor_lost/);
  });

  it('a listener for an event that there is not', async () => {
    const { cluster } = await up(['w1']);
    expect(() => cluster.on('nod' as 'node', () => undefined)).toThrow(
      'There is no event "nod"; there are node, trouble, fenced.',
    );
    expect(() => cluster.once('node', () => undefined)).not.toThrow();
  });
});

describe('the end of a cluster handle', () => {
  it('fails what is open with `closed`, and resolves when the jobs are dead', async () => {
    const { world, cluster } = await up();
    const open = [cluster.call('hang'), cluster.call('deaf'), cluster.stream('endless').toArray()].map((promise) =>
      promise.catch((error: ClusterError) => error.code),
    );
    await world.clock.pass(100);
    expect(world.jobs.length).toBeGreaterThan(0);
    await world.run(cluster.close());
    expect(world.jobs).toEqual([]);
    expect(await Promise.all(open)).toEqual(['closed', 'closed', 'closed']);
    expect(await world.failure(cluster.call('answer'))).toBe('closed');
  });

  it('does not come before its kills are confirmed', async () => {
    const world = new InProcess();
    await world.node('w1', jobsOf('w1'), { executors: { dies: 300 } });
    const cluster = await world.connect();
    void cluster.call('hang').catch(() => undefined);
    await world.clock.pass(100);
    const began = world.clock.now();
    await world.run(cluster.close());
    expect(world.clock.now() - began).toBeGreaterThanOrEqual(300);
    expect(world.jobs).toEqual([]);
  });

  it('lets its guardian go', async () => {
    const { world, cluster } = await up();
    await world.run(cluster.close());
    await world.clock.pass(1_000);
    expect(world.guardians.all.map(({ exit }) => exit)).toEqual([0]);
  });

  it('ends a guardian that was stopped and has nothing left to do', async () => {
    const { world, cluster } = await up();
    world.guardians.all[0]?.stop();
    await world.run(cluster.close());
    expect(world.guardians.all.map(({ exit }) => exit)).toEqual(['SIGKILL']);
  });

  it('leaves its guardian what was not confirmed', async () => {
    const { world, cluster } = await up();
    void cluster.call('hang', undefined, { node: 'w1' }).catch(() => undefined);
    await world.clock.pass(100);
    world.silence('coordinator');
    world.guardians.all[0]?.stop();
    await world.run(cluster.close());
    await world.clock.pass(2_000);
    expect(world.guardians.alive).toHaveLength(1);
    void world.guardians.all[0]?.kill();
  });

  it('does not wait longer than K for a node that does not answer', async () => {
    const { world, cluster } = await up();
    void cluster.call('hang', undefined, { node: 'w1' }).catch(() => undefined);
    await world.clock.pass(100);
    world.silence('coordinator');
    const began = world.clock.now();
    await world.run(cluster.close());
    expect(world.clock.now() - began).toBeLessThanOrEqual(600);
  });
});

describe('a node that drains', () => {
  it('rule 7: gets nothing new, and what it runs comes to its end', async () => {
    const { world, cluster } = await up(['w1', 'w2']);
    const running = world.run(cluster.call('slow', 2_000, { node: 'w1' }));
    await world.clock.pass(100);
    void world.nodes.get('w1')?.agent.drain(30_000);
    await world.clock.pass(100);
    expect(cluster.nodes().map(({ state }) => state)).toEqual(['draining', 'up']);
    for (let calls = 0; calls < 4; calls += 1) expect(await world.run(cluster.call('who'))).toBe('w2');
    expect(await running).toBe('w1');
  });

  it('rule 7: that is cast to all the same answers `maintenance`, and another copy is taken', async () => {
    const { world, cluster } = await up(['w1', 'w2'], {
      shards: [
        { id: 1, nodes: ['w1', 'w2'] },
        { id: 2, nodes: ['w2', 'w1'] },
      ],
    });
    world.nodes.get('w1')?.agent.jobs.drain(30_000);
    expect(await world.run(cluster.scatter('who').toArray())).toEqual(['w2', 'w2']);
  });
});

describe('what a node is asked', () => {
  it('is answered by it, and refused with a sentence where it is unknown', async () => {
    const { world, cluster } = await up(['w1']);
    expect(await world.run(cluster.request('w1', 'ping'))).toBe('pong');
    expect(await world.failure(cluster.request('w1', 'nonsense' as 'stats'))).toBe('bad_options');
    expect(await world.failure(cluster.request('w7', 'ping'))).toBe('bad_options');
  });

  it('however much it is asked at once: what is more than it takes waits for its turn', async () => {
    const { world, cluster } = await up(['w1']);
    const job = cluster.call('slow', 1_000);
    const asked = Array.from({ length: 1_500 }, () => cluster.request('w1', 'ping'));
    expect(new Set(await world.run(Promise.all(asked)))).toEqual(new Set(['pong']));
    expect(await world.run(job)).toBe('w1');
  });

  it('is given up as `closed` at once when the handle is closed, answered or not', async () => {
    const { world, cluster } = await up(['w1']);
    world.silence('coordinator');
    const began = world.clock.now();
    const asked = cluster.request('w1', 'ping').catch((error: unknown) => [error, world.clock.now() - began]);
    const closing = cluster.close();
    const told = { code: 'closed', message: 'The cluster handle was closed. (node w1)' };
    expect(await world.run(asked)).toMatchObject([told, 0]);
    await world.run(closing);
  });
});
