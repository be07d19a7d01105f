import type { CallOptions, Cluster } from '@muster/coordinator';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { now } from './harness/child.ts';
import { beating, lastBeat, quiet, runners, tell } from './harness/evidence.ts';
import { Lab } from './harness/lab.ts';
import { failureOf, until, within } from './harness/wait.ts';
import type { Worker } from './harness/worker.ts';

const lab = new Lab();
let node: Worker;
let cluster: Cluster;

beforeAll(async () => {
  node = await lab.node('a');
  cluster = await lab.cluster([node.address]);
});
afterEach(async () => {
  await within('the node serves the next job', 1_000, cluster.call('add', { a: 1, b: 2 }));
  await quiet(lab);
  const { jobs, tombstones } = (await cluster.request('a', 'stats')) as Record<string, number>;
  if (jobs !== 0 || tombstones !== 0) throw new Error(`The node still has ${jobs} jobs and ${tombstones} tombstones.`);
});
afterAll(() => lab.close());

/** Begins a job, cancels it when it has beaten, and tells after how long nothing of it lived. */
async function cancelled(job: string, files: number, options: CallOptions = {}): Promise<Error & { code?: string }> {
  const beat = lab.beat();
  const abort = new AbortController();
  const failed = failureOf(cluster.call(job, { beat }, { signal: abort.signal, ...options }));
  await beating(beat, files);
  const since = now();
  if (options.timeout === undefined) abort.abort();
  const error = await failed;
  await until('no process of it is left', () => runners([node], cluster.incarnation).length === 0, 2_000);
  await until('nothing beats', () => now() - lastBeat(beat) > 100, 2_000);
  tell(`${job} ended`, { ms: Math.round(lastBeat(beat) - since) });
  expect(lastBeat(beat) - since).toBeLessThan((options.timeout ?? 0) + 1_000);
  return error;
}

describe('A job that', () => {
  it('spins is killed when it is cancelled', async () => {
    expect((await cancelled('spin', 1)).code).toBe('cancelled');
  });

  it('spins is killed when its time is over', async () => {
    expect((await cancelled('spin', 1, { timeout: 500 })).code).toBe('deadline');
  });

  it('blocks in execFileSync is killed, and the child that it waits for as well', async () => {
    expect((await cancelled('block', 1)).code).toBe('cancelled');
  });

  it('forks grandchildren into sessions of their own is killed with them', async () => {
    expect((await cancelled('fork', 2)).code).toBe('cancelled');
  });

  it('returns and leaves a grandchild behind has its value; the grandchild dies', async () => {
    const beat = lab.beat();
    expect(await cluster.call('leaveGrandchild', { beat })).toBe('gone');
    await until('nothing beats', () => now() - lastBeat(beat) > 100, 2_000);
  });

  it('returns and leaves an interval running has its value; the executor is replaced', async () => {
    const beat = lab.beat();
    expect(await cluster.call('leaveInterval', { beat })).toBe('gone');
    await until('nothing beats', () => now() - lastBeat(beat) > 100, 2_000);
  });

  it('calls process.exit ends with executor_lost, which says with what code', async () => {
    const error = await failureOf(cluster.call('exit', { code: 3 }));
    expect(error).toMatchObject({ code: 'executor_lost', node: 'a', job: 'exit' });
    expect(error.message).toContain('it exited with code 3');
  });

  it.each([
    ['a word that there is not', '00000001c8'],
    ['a frame without an end', 'ffffffff01'],
    ['the end of a job that is not in it', '000000070800000000ffff'],
  ])("writes to its agent's socket %s ends with its executor, and the session goes on", async (_what, hex) => {
    const other = cluster.stream('count', { n: 1_000_000 });
    expect((await other.next()).done).toBe(false);
    const error = await failureOf(cluster.call('forge', { hex }));
    expect(error).toMatchObject({ code: 'executor_lost', job: 'forge' });
    expect(error.message).toContain("it wrote to its agent's socket");
    for (let i = 0; i < 5_000; i += 1) await other.next();
    await other.return?.();
    await until(
      'the stream is gone',
      async () => ((await cluster.request('a', 'stats')) as { jobs: number }).jobs === 0,
    );
  });

  it('throws a text of hundreds of kilobytes ends neither its executor nor its node; the error arrives', async () => {
    const error = await failureOf(cluster.call('throwMuch', { size: 500_000 }));
    expect(error).toMatchObject({ code: 'job_failed', job: 'throwMuch' });
    expect(error.message).toContain('x'.repeat(1_000));
    const [{ message = '' } = {}] = (await cluster.request('a', 'errors')) as { message?: string }[];
    expect(message.length).toBeLessThanOrEqual(1_024);
  });

  it('throws what is no error ends with an error that says what was thrown', async () => {
    const error = await failureOf(cluster.call('throwText'));
    expect(error).toMatchObject({ code: 'job_failed', job: 'throwText' });
    expect(error.message).toContain('The job threw a string instead of an error: just a text');
  });

  it('returns a function ends with not_serializable, which names the path', async () => {
    const error = await failureOf(cluster.call('returnFunction'));
    expect(error.code).toBe('not_serializable');
    expect(error.message).toContain('result.handler');
  });

  it('leaks a rejection fails with that error', async () => {
    const error = await failureOf(cluster.call('leakRejection'));
    expect(error.code).toBe('job_failed');
    expect(error.message).toContain('nobody waits for this');
  });

  it('is not there is unknown', async () => {
    expect((await failureOf(cluster.call('nothing'))).code).toBe('unknown_job');
  });
});

describe('The node', () => {
  it('tells of the failures, newest first', async () => {
    const errors = (await cluster.request('a', 'errors')) as { job: string; code: string }[];
    expect(errors.map(({ job, code }) => [job, code]).slice(0, 3)).toEqual([
      ['nothing', 'unknown_job'],
      ['leakRejection', 'job_failed'],
      ['returnFunction', 'not_serializable'],
    ]);
  });
});
