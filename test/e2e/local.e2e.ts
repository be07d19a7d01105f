import { spawn } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Cluster, ClusterError } from 'muster';
import { afterAll, describe, expect, it } from 'vitest';
import { Child } from './harness/child.ts';
import { Lab } from './harness/lab.ts';
import { processesWith } from './harness/machine.ts';
import { failureOf, until, within } from './harness/wait.ts';
import { jobsFile } from './harness/worker.ts';

const lab = new Lab();
afterAll(() => lab.close());

const script = fileURLToPath(new URL('./cluster/local.mjs', import.meta.url));

/** A service of the lab with a cluster of its own. */
function service(how: 'stay' | 'leave' | 'close'): Child {
  const child = spawn(process.execPath, [script, jobsFile, how], { stdio: ['ignore', 'pipe', 'pipe'], env: lab.env });
  return new Child(child);
}

const processes = (): string[] => processesWith(lab.mark).map(({ command }) => command);
const directories = (): string[] => readdirSync(lab.temporary);
const isLeft = (): boolean => processes().length + directories().length > 0;

/** Calls it with the lab's directory as the one for temporary files. */
async function inLab<T>(run: () => Promise<T>): Promise<T> {
  const before = process.env['TMPDIR'];
  process.env['TMPDIR'] = lab.temporary;
  try {
    return await run();
  } finally {
    if (before === undefined) delete process.env['TMPDIR'];
    else process.env['TMPDIR'] = before;
  }
}

describe('a cluster inside one command', () => {
  it('is like any other, and nothing of it is left when it is closed', async () => {
    await inLab(async () => {
      const jobs = pathToFileURL(jobsFile);
      const shards = [{ id: 1, nodes: ['n3'] }];
      const lanes = { default: { concurrency: 1 } };
      await using cluster = await Cluster.local({
        jobs,
        nodes: 3,
        shards,
        lanes,
        executors: 4,
        constants: { lease: 3_000 },
      });
      expect(cluster).toBeInstanceOf(Cluster);
      expect(cluster.nodes().map(({ id }) => id)).toEqual(['n1', 'n2', 'n3']);
      expect(await cluster.call('where', undefined, { shard: 1 })).toMatchObject({ node: 'n3' });
      expect(await cluster.scatter('where', undefined, { over: 'nodes' }).toArray()).toHaveLength(3);
      expect(directories()).toEqual([expect.stringMatching(/^muster-local-/)]);
    });
    expect([directories(), processes().filter((command) => command.includes('muster'))]).toEqual([[], []]);
  });

  it('does not keep a program alive that has nothing more to do, and goes with it', async () => {
    const program = service('leave');
    expect(await within('it ends', 30_000, program.ended)).toMatchObject({ code: 0 });
    await until('nothing is left', () => !isLeft(), 10_000);
  });

  it('goes with a program that is killed in the middle of a job', async () => {
    const program = service('stay');
    await until('it runs', () => program.output.includes('\n'), 30_000);
    expect(isLeft()).toBe(true);
    program.signal('SIGKILL');
    await until('nothing is left', () => !isLeft(), 10_000);
  });

  it('goes with a program that is killed while its nodes are starting', async () => {
    const program = service('stay');
    await until('nodes are starting', () => processes().some((command) => command.includes('node-main')), 30_000);
    program.signal('SIGKILL');
    await until('nothing is left', () => !isLeft(), 10_000);
  });

  it('leaves nothing when its jobs cannot be loaded, and says what the node has said', async () => {
    const jobs = join(lab.dir, 'broken-local.mjs');
    writeFileSync(jobs, 'throw new Error("broken on purpose");');
    const refused = await failureOf(inLab(() => Cluster.local({ jobs })));
    expect(refused).toBeInstanceOf(ClusterError);
    expect(refused).toMatchObject({
      code: 'unavailable',
      message: expect.stringContaining('broken on purpose') as string,
    });
    await until('nothing is left', () => !isLeft(), 5_000);
  });

  it.each([
    ['jobs', { jobs: '' }, /jobs is the module/],
    ['nodes', { jobs: 'x', nodes: 0 }, /nodes is how many .* 1 to 64, not 0/],
    ['an option that there is not', { jobs: 'x', node: 2 }, /no option "node" for Cluster\.local/],
  ])('is refused for the wrong %s before anything is started', async (_what, options, says) => {
    const refused = await failureOf(inLab(() => Cluster.local(options)));
    expect(refused).toMatchObject({ code: 'bad_options', message: expect.stringMatching(says) as string });
    expect(directories()).toEqual([]);
  });
});
