import { describe, expect, it } from 'vitest';
import { startPool } from '../../packages/worker/dist/executor/pool.js';
import { codec, DataDir, eventually, isAlive, jobsFile, marked, Rig, Run } from './executor-rig.ts';

describe('an executor', () => {
  it('runs a job in a process of its own, with a clean environment and a scratch directory', async () => {
    process.env['MUSTER_TEST_SECRET'] = 'not for jobs';
    await using rig = await Rig.start();
    const run = await rig.run('where');
    const end = await run.end();
    expect(end).toMatchObject({ type: 'reply', value: { pid: run.executor.pid, options: null, secret: null } });
    expect((end as { value: { cwd: string } }).value.cwd).toContain(rig.data.path);
    expect(run.taken).toBe(1);
  });

  it('tells the pool which jobs there are', async () => {
    await using rig = await Rig.start();
    expect(rig.pool.jobs.get('rows')).toEqual({ name: 'rows', stream: true, isolation: 'shared', lane: 'default' });
    expect(rig.pool.jobs.get('constructor')).toBeUndefined();
    expect(await (await rig.run('constructor')).end()).toMatchObject({ type: 'failed', code: 'unknown_job' });
  });

  it('checks arguments before it takes a job', async () => {
    await using rig = await Rig.start();
    const wrong = await rig.run('checked', { land: 5 });
    expect(await wrong.end()).toMatchObject({
      type: 'failed',
      code: 'invalid_args',
      detail: '$.land: expected a string',
    });
    expect(wrong.taken).toBe(0);
    expect(await (await rig.run('checked', { land: 'CH' })).end()).toMatchObject({ type: 'reply', value: 'CH' });
  });

  it.each([
    ['throwsText', 'The job threw a string instead of an error: just a text'],
    ['throwsNothing', 'The job threw nothing instead of an error: undefined'],
    ['throwsError', 'told so'],
    ['leaksException', 'thrown later'],
    ['leaksRejection', 'nobody cares'],
  ])('ends the job in job_failed when it %s', async (job, message) => {
    await using rig = await Rig.start();
    const end = await (await rig.run(job)).end();
    expect(end).toMatchObject({ type: 'failed', code: 'job_failed', message });
    expect(codec.unpack((end as { error: Uint8Array }).error)).toBeInstanceOf(Error);
  });

  it('rebuilds the error of a job with its code and cause', async () => {
    await using rig = await Rig.start();
    const end = await (await rig.run('throwsError')).end();
    const error = codec.unpack((end as { error: Uint8Array }).error) as Error & { code: string; cause: Error };
    expect([error instanceof TypeError, error.code, error.cause.message]).toEqual([true, 'E_TOLD', 'deeper']);
  });

  it('says where in a value that is which cannot travel', async () => {
    await using rig = await Rig.start();
    const end = await (await rig.run('givesFunction')).end();
    expect(end).toMatchObject({
      type: 'failed',
      code: 'not_serializable',
      message: expect.stringContaining('result.deep[0].call') as string,
    });
  });

  it('names the exit code when a job exits', async () => {
    await using rig = await Rig.start();
    expect(await (await rig.run('exits')).end()).toMatchObject({ type: 'exited', cause: 'it exited with code 3' });
  });

  it('is told of in one line when it is replaced, whatever its job has said', async () => {
    await using rig = await Rig.start();
    await (await rig.run('leaksLines')).end();
    await eventually('the pool warns', () => rig.warnings.length > 0);
    expect(rig.warnings[0]).toContain(String.raw`one\nNode b is ready\u001b[2J`);
  });

  it('is refused an object that fits no frame to its agent, with the limit, and goes on', async () => {
    await using rig = await Rig.start();
    const run = await rig.run('keepsTooMuch', 2 ** 28);
    const { value } = (await run.end()) as { value: { code: string; message: string } };
    expect(value.code).toBe('not_serializable');
    expect(value.message).toContain(`more than ${2 ** 28 - 65_536} bytes`);
  });

  it('reaches the store through its agent', async () => {
    await using rig = await Rig.start();
    const end = await (await rig.run('keeps', { deep: [1, 2] })).end();
    expect(end).toMatchObject({ type: 'reply', keys: ['key-1'], value: { value: { deep: [1, 2] } } });
  });

  it('keeps the value and replies with its key when that is what is wanted', async () => {
    await using rig = await Rig.start();
    const end = await (await rig.run('echo', 'large', 'exclusive', { inlineUpTo: 0 })).end();
    expect(end).toEqual({ type: 'reply', keys: ['key-1'], value: { key: 'key-1' } });
  });

  it('aborts: what listens is stopped, what does not is there to be killed', async () => {
    await using rig = await Rig.start();
    const [obedient, deaf] = [await rig.run('obedient'), await rig.run('deaf')];
    await eventually('both run', () => obedient.pings + deaf.pings === 2);
    for (const run of [obedient, deaf]) run.executor.abort(run.task, 'enough');
    expect(await obedient.end()).toEqual({ type: 'stopped' });
    expect(deaf.ends).toEqual([]);
    await deaf.executor.kill('the grace is over');
    expect(deaf.ends).toEqual([{ type: 'exited', cause: 'it was ended by SIGKILL: the grace is over' }]);
  });
});

describe('a kill', () => {
  it.each(['spin', 'block', 'deaf'])('ends a job that does nothing but %s', async (job) => {
    await using rig = await Rig.start();
    const run = await rig.run(job);
    await eventually('it runs', () => run.pings > 0);
    await run.executor.kill('the test says so');
    expect(run.ends).toEqual([{ type: 'exited', cause: 'it was ended by SIGKILL: the test says so' }]);
    expect(marked(rig.node)).not.toContain(run.executor.pid);
  });

  it.each(['grandchild', 'unmarked', 'estranged', 'daemon'])(
    'ends the %s process that a job has started, before it says so',
    async (job) => {
      await using rig = await Rig.start();
      const run = await rig.run(job);
      await eventually('it has started one', () => run.progress.length > 0);
      const [pid] = run.progress as [number];
      expect(isAlive(pid)).toBe(true);
      await run.executor.kill('the test says so');
      expect([isAlive(pid), run.ends.length]).toEqual([false, 1]);
    },
  );

  it('cannot find what has cleared its environment and reparented itself: only a cgroup could', async () => {
    await using rig = await Rig.start();
    const run = await rig.run('stranger');
    await eventually('it has started one', () => run.progress.length > 0);
    const [pid] = run.progress as [number];
    await run.executor.kill('the test says so');
    expect(isAlive(pid)).toBe(true);
    process.kill(pid, 'SIGKILL');
    await eventually('it is gone', () => !isAlive(pid));
  });

  it('ends a stream in its middle, with a prefix of its rows', async () => {
    await using rig = await Rig.start();
    const run = await rig.run('endless', undefined, 'shared');
    run.onRows = () => run.executor.credit(run.task, run.sent);
    await eventually('it is taken', () => run.taken === 1);
    run.executor.start(run.task, { rows: 4_096, bytes: 1_048_576 });
    await eventually('rows come', () => run.rows.length > 10_000);
    await run.executor.kill('enough');
    expect((run.rows as { id: number }[]).every(({ id }, index) => id === index)).toBe(true);
    expect(run.ends).toHaveLength(1);
  });

  it('may be asked for twice', async () => {
    await using rig = await Rig.start();
    const { executor, ends } = await rig.run('deaf');
    await Promise.all([executor.kill('once'), executor.kill('twice')]);
    await executor.kill('thrice');
    expect(ends).toEqual([{ type: 'exited', cause: 'it was ended by SIGKILL: once' }]);
  });
});

describe('a stream', () => {
  it('delivers ten thousand rows through a small window, never beyond it', async () => {
    await using rig = await Rig.start();
    const run = await rig.run('rows', 10_000, 'shared');
    const window = { rows: 7, bytes: 1_000 };
    let acked = { rows: 0, bytes: 0 };
    let beyond = 0;
    run.onRows = () => {
      if (run.sent.rows - acked.rows > window.rows || run.sent.bytes - acked.bytes > window.bytes) beyond += 1;
      acked = run.sent;
      run.executor.credit(run.task, acked);
    };
    await eventually('it is taken', () => run.taken === 1);
    expect(run.rows).toEqual([]);
    run.executor.start(run.task, window);
    expect(await run.end()).toMatchObject({ type: 'last', value: 10_000 });
    expect((run.rows as { id: number }[]).map(({ id }) => id)).toEqual(Array.from({ length: 10_000 }, (_, id) => id));
    expect(beyond).toBe(0);
  });

  it('hears an abort while it yields without a pause', async () => {
    await using rig = await Rig.start();
    const run = await rig.run('endless', undefined, 'shared');
    run.onRows = () => run.executor.credit(run.task, run.sent);
    run.executor.start(run.task, { rows: 4_096, bytes: 1_048_576 });
    await eventually('rows come', () => run.rows.length > 1_000);
    run.executor.abort(run.task, 'enough');
    expect(await run.end()).toEqual({ type: 'stopped' });
  });

  it('parks without credit', async () => {
    await using rig = await Rig.start();
    const run = await rig.run('endless', undefined, 'shared');
    run.executor.start(run.task, { rows: 10, bytes: 1_000_000 });
    await eventually('it is parked', () => run.parked.length > 0);
    expect([run.sent.rows, run.parked]).toEqual([10, [{ rows: 0, bytes: 0 }]]);
  });
});

describe('neighbours in a shared executor', () => {
  it('are not hurt by the error of one that can be told', async () => {
    await using rig = await Rig.start({ limits: { shared: 1 } });
    const neighbour = await rig.run('obedient', undefined, 'shared');
    const leaking = await rig.run('leaksRejection', undefined, 'shared');
    expect(leaking.executor).toBe(neighbour.executor);
    expect(await leaking.end()).toMatchObject({ type: 'failed', code: 'job_failed', message: 'nobody cares' });
    expect(neighbour.ends).toEqual([]);
    // What has such an error behind it takes no new job, and goes when the others are done.
    expect(await rig.pool.acquire('shared', 'a')).not.toBe(leaking.executor);
    rig.pool.release(leaking.executor);
    neighbour.executor.abort(neighbour.task, 'enough');
    expect(await neighbour.end()).toEqual({ type: 'stopped' });
    rig.pool.release(neighbour.executor);
    await eventually('it is replaced', () => !isAlive(neighbour.executor.pid as number));
  });

  it('end with it when nobody can tell whose error it was', async () => {
    await using rig = await Rig.start({ limits: { shared: 1 } });
    const neighbour = await rig.run('obedient', undefined, 'shared');
    const leaking = await rig.run('leaksUntraceably', undefined, 'shared');
    const ends = [await neighbour.end(), await leaking.end()];
    expect(ends).toMatchObject([{ type: 'exited' }, { type: 'exited' }]);
    expect((ends[0] as { cause: string }).cause).toBe(
      'it exited with code 70: an error that nobody caught: whose is this',
    );
  });
});

describe('the pool', () => {
  it('uses an exclusive executor again when nothing is left in it', async () => {
    await using rig = await Rig.start({ limits: { executors: 1 }, spares: 0 });
    const first = await rig.run('echo', 1);
    await first.end();
    rig.pool.release(first.executor);
    const second = await rig.run('echo', 2);
    expect(await second.end()).toMatchObject({ value: 2 });
    expect(second.executor).toBe(first.executor);
  });

  it('replaces one in which a job has left an interval', async () => {
    await using rig = await Rig.start({ limits: { executors: 1 }, spares: 0 });
    const first = await rig.run('leaksInterval');
    await first.end();
    rig.pool.release(first.executor);
    const second = await rig.run('echo', 2);
    expect(await second.end()).toMatchObject({ value: 2 });
    expect(second.executor).not.toBe(first.executor);
    expect(rig.warnings).toEqual(['An executor is replaced: a job left 1 Timeout behind.']);
  });

  it('ends what a job has left running, although the job ended well', async () => {
    await using rig = await Rig.start();
    const run = await rig.run('daemonLeft');
    const { value: pid } = (await run.end()) as { value: number };
    expect(isAlive(pid)).toBe(true);
    rig.pool.release(run.executor);
    await eventually('both are gone', () => !isAlive(pid) && !isAlive(run.executor.pid as number));
  });

  it('refuses at once what would need one executor too many', async () => {
    await using rig = await Rig.start({ limits: { executors: 2 } });
    await rig.run('deaf');
    await rig.run('deaf');
    await expect(rig.run('echo')).rejects.toMatchObject({ code: 'overloaded', retryable: true });
  });

  it('gives a shared executor to one incarnation only, and replaces it when that has ended', async () => {
    await using rig = await Rig.start();
    const executor = await rig.pool.acquire('shared', 'a');
    expect(await rig.pool.acquire('shared', 'b')).not.toBe(executor);
    rig.pool.retire('a');
    expect(isAlive(executor.pid as number)).toBe(true);
    rig.pool.release(executor);
    await eventually('it is gone', () => !isAlive(executor.pid as number));
  });

  it('replaces a spare that dies', async () => {
    await using rig = await Rig.start();
    await eventually('there is a spare', () => marked(rig.node).length === 1);
    const [pid] = marked(rig.node) as [number];
    process.kill(pid, 'SIGKILL');
    await eventually('it is replaced', () => marked(rig.node).some((other) => other !== pid));
    expect(await (await rig.run('echo', 1)).end()).toMatchObject({ value: 1 });
  });

  it('says why the jobs module cannot be loaded, and leaves nothing behind', async () => {
    using data = new DataDir();
    const started = startPool({ jobs: jobsFile('broken.mjs'), node: 'broken', dataDir: data.path });
    await expect(started).rejects.toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('this module is broken on purpose') as string,
      cause: { stack: expect.stringContaining('broken.mjs') as string },
    });
    expect([marked('broken'), data.entries]).toEqual([[], []]);
  });

  it.skipIf('typescript' in process.features && Boolean(process.features.typescript))(
    'says what to do about jobs in TypeScript that Node cannot run',
    async () => {
      using data = new DataDir();
      const started = startPool({ jobs: jobsFile('typed.ts'), node: 'typed', dataDir: data.path });
      await expect(started).rejects.toThrow(/cannot run TypeScript.*compile it, or use Node 22\.18 or newer/);
    },
  );

  it('ends everything when it closes', async () => {
    const rig = await Rig.start();
    const runs = [
      new Run(await rig.pool.acquire('exclusive', 'a'), 'deaf'),
      await rig.run('endless', undefined, 'shared'),
    ];
    await rig[Symbol.asyncDispose]();
    expect(runs.map(({ ends }) => ends.length)).toEqual([1, 1]);
    await expect(rig.pool.acquire('shared', 'a')).rejects.toMatchObject({ code: 'unavailable' });
  });
});
