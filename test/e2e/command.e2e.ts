import { spawn } from 'node:child_process';
import { chmodSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Child } from './harness/child.ts';
import { beating, deathsAfter } from './harness/evidence.ts';
import { Lab } from './harness/lab.ts';
import { failureOf, until, within } from './harness/wait.ts';
import { command, jobsFile } from './harness/worker.ts';

const lab = new Lab();
afterAll(() => lab.close());

/** Runs the command to its end. */
async function run(...args: string[]): Promise<Child> {
  const child = new Child(
    spawn(process.execPath, [command, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: lab.env }),
  );
  await within(`muster-worker ${args.join(' ')} has ended`, 10_000, child.ended);
  return child;
}

const base = (): string[] => [
  '--id',
  'x',
  '--jobs',
  jobsFile,
  '--secret',
  lab.secretFile,
  '--data-dir',
  join(lab.dir, 'data-x'),
];

describe('muster-worker whose output nobody reads any more', () => {
  it('goes on: jobs print, it complains itself, and neither ends what runs', async () => {
    const node = await lab.node('unread');
    const cluster = await lab.cluster([node.address]);
    const beat = lab.beat();
    const running = cluster.call('nap', { ms: 1_000, beat });
    await beating(beat, 1);
    node.hangUp();
    expect(await cluster.call('print', { text: 'hello' })).toBe('printed');
    // The executor in which a job leaves an interval behind is replaced, which the node says.
    await cluster.call('leaveInterval', { beat: lab.beat() });
    expect(await cluster.call('print', { text: 'still here' })).toBe('printed');
    expect(await running).toBe('rested');
    expect(node.ending).toBeUndefined();
    await cluster.close();
  });
});

describe('muster-worker asked to end', () => {
  it('by one SIGTERM lets what runs finish, refuses what comes, and exits with 0', async () => {
    const [a, b] = await lab.nodes(['a', 'b']);
    const cluster = await lab.cluster([a?.address ?? '', b?.address ?? '']);
    const beat = lab.beat();
    const nap = cluster.call('nap', { ms: 700, beat }, { node: 'a' });
    await beating(beat, 1);
    // One that has not heard of it yet casts all the same.
    const late = await lab.rawCoordinator(a?.address ?? '');
    a?.signal('SIGTERM');
    await until('the node drains', () => cluster.nodes().some(({ id, state }) => id === 'a' && state === 'draining'));
    late.cast('add');
    expect((await late.answer('exit')).code).toBe('maintenance');
    late.hangUp();
    expect(await cluster.call('where', {})).toMatchObject({ node: 'b' });
    expect(await nap).toBe('rested');
    expect(await within('the node has ended', 3_000, a?.ended ?? Promise.reject(new Error('no node')))).toMatchObject({
      code: 0,
    });
    await cluster.close();
  });

  it('by a second SIGTERM ends at once, kills what runs, and exits with 1', async () => {
    const c = await lab.node('c');
    const cluster = await lab.cluster([c.address]);
    const beat = lab.beat();
    const spun = failureOf(cluster.call('spin', { beat }));
    await beating(beat, 1);
    c.signal('SIGTERM');
    await until('the node drains', () => cluster.nodes()[0]?.state === 'draining');
    const since = c.signal('SIGTERM');
    await deathsAfter(since, 1_000, { workers: [c], incarnation: cluster.incarnation, beat });
    expect(await within('the node has ended', 3_000, c.ended)).toMatchObject({ code: 1 });
    expect(['down', 'executor_lost']).toContain((await spun).code);
    await cluster.close();
  });
});

describe('muster-worker with a wrong option', () => {
  const cases: readonly (readonly [string, RegExp, () => string[]])[] = [
    ['an option that there is not', /'--colour'.*--help lists the options/, () => [...base(), '--colour', 'red']],
    ['a word that is no option', /'jobs\.mjs'.*--help lists the options/, () => [...base(), 'jobs.mjs']],
    ['nothing', /--id is missing/, () => []],
    ['an option of nothing', /--data-dir "": it is empty/, () => [...base(), '--data-dir', '']],
    ['a name that is none', /--id: "a b" is no node id/, () => [...base(), '--id', 'a b']],
    ['a lane that is none', /--lane x=y: it is NAME=N/, () => [...base(), '--lane', 'x=y']],
    ['a lane without room', /--lane x=0: it is NAME=N.*at least 1/, () => [...base(), '--lane', 'x=0']],
    ['executors that are no number', /--executors many: .*whole number/, () => [...base(), '--executors', 'many']],
    ['a size of an unknown unit', /--objects 1XB: .*KiB, MiB, GiB, kB, MB, GB/, () => [...base(), '--objects', '1XB']],
    ['a constant that there is not', /--set lesae=5: .*no constant "lesae"/, () => [...base(), '--set', 'lesae=5']],
    ['a constant of no use', /--set lease=soon: .*whole number/, () => [...base(), '--set', 'lease=soon']],
    ['a constant out of bounds', /--set frame=3: .*from 64 to 65536/, () => [...base(), '--set', 'frame=3']],
    ['an address that is none', /--listen: "here" is no address to listen on/, () => [...base(), '--listen', 'here']],
    ['an address without a port', /--listen: .*no address/, () => [...base(), '--listen', 'ws://127.0.0.1']],
    ['an address that is not ours', /--listen: Cannot listen at/, () => [...base(), ...elsewhere]],
    ['a name to dial without a port', /--advertise: "a" is not HOST:PORT/, () => [...base(), '--advertise', 'a']],
    ['an address that others reach, without TLS', /--plaintext/, () => [...base(), '--listen', 'ws://0.0.0.0:0']],
    ['TLS without certificates', /--listen: wss:.*--tls-ca/, () => [...base(), '--listen', 'wss://127.0.0.1:0']],
    ['a part of the certificates', /--tls-key is missing/, () => [...base(), '--tls-ca', 'x', '--tls-cert', 'y']],
    ['certificates that are not there', /--tls-ca: .*cannot be read/, () => [...base(), ...tls()]],
    ['certificates that are none', /--tls-ca: There is not the cert/, () => [...base(), ...tls(lab.secretFile)]],
    ['certificates without TLS', /--listen: .*wss:\/\//, () => [...base(), ...tls(), '--listen', 'ws://127.0.0.1:0']],
    ['a secret file that is not there', /--secret: .*cannot be read/, () => [...base(), '--secret', inLab('nothing')]],
    ['a directory for a secret', /--secret: .* is a directory/, () => [...base(), '--secret', lab.dir]],
    ['a secret that others may read', /chmod 600/, () => [...base(), '--secret', open('open', lab.secret, 0o644)]],
    ['a secret that is too short', /--secret: .*at least 16/, () => [...base(), '--secret', open('short', 'x', 0o600)]],
    ['a jobs file that is not there', /--jobs: .*it is not there/, () => [...base(), '--jobs', inLab('nothing.mjs')]],
    ['a directory for jobs', /--jobs: .* is a directory/, () => [...base(), '--jobs', lab.dir]],
    ["another node's directory", /--data-dir: .*belongs to the node that runs/, () => [...base(), '--data-dir', owned]],
    ['a file for a directory', /--data-dir: .*it is a file/, () => [...base(), '--data-dir', lab.secretFile]],
  ];
  const owned = join(lab.dir, 'data-owner');
  const elsewhere = ['--plaintext', '--listen', 'ws://192.0.2.1:7101'];

  it('says what is wrong in a sentence and exits with 2', async () => {
    await lab.node('owner', { dataDir: owned });
    const said = await Promise.all(cases.map(async ([, , args]) => run(...args())));
    const sentences = cases.map(([what, text], i) => [
      what,
      text.test(said[i]?.errors ?? ''),
      said[i]?.errors.trim().split('\n').length,
      said[i]?.ending?.code,
    ]);
    expect(sentences).toEqual(cases.map(([what]) => [what, true, 1, 2]));
  });

  it('that is a jobs file which cannot be loaded says so and exits with 1', async () => {
    const broken = await run(...base(), '--jobs', open('broken.mjs', 'throw new Error("broken on purpose");', 0o644));
    expect(broken.errors).toContain('broken on purpose');
    expect(broken.ending?.code).toBe(1);
  });

  it('that is a jobs file which never loads says so in time, and exits with 1', async () => {
    const never = open('never.mjs', 'await new Promise(() => undefined); export const one = async () => 1;', 0o644);
    const { errors, ending } = await run(...base(), '--jobs', never, '--load-timeout', '1000');
    expect(errors).toMatch(/The jobs module .*never\.mjs was not loaded .* within 1 s/i);
    expect(ending?.code).toBe(1);
  });

  it('is said to who embeds a node as well, by an error: Node does not give up on the await in front of it', async () => {
    const never = open('never.mjs', 'await new Promise(() => undefined); export const one = async () => 1;', 0o644);
    const script = open(
      'embeds.mjs',
      `import { startNode } from ${JSON.stringify(join(command, '../../index.js'))};
       const node = { id: 'e', listen: 'ws://127.0.0.1:0', secret: Buffer.alloc(32, 1), pool: { loadTimeout: 500 } };
       const error = await startNode({ ...node, jobs: ${JSON.stringify(never)}, dataDir: ${JSON.stringify(join(lab.dir, 'data-e'))} }).catch((e) => e);
       console.log(error.code);`,
      0o644,
    );
    const child = new Child(spawn(process.execPath, [script], { stdio: ['ignore', 'pipe', 'pipe'], env: lab.env }));
    expect(await within('it has ended', 10_000, child.ended)).toMatchObject({ code: 0 });
    expect(child.output.trim()).toBe('unavailable');
  });

  it('that is a TypeScript file, on a Node that cannot run it, says what to do', async () => {
    const { errors, ending } = await run(
      ...base(),
      '--jobs',
      open('jobs.ts', 'export const one = async (): Promise<number> => 1;', 0o644),
    );
    expect(errors).toMatch(/cannot run TypeScript \(.*jobs\.ts\): compile it, or use Node/);
    expect(ending?.code).toBe(1);
  });

  function tls(ca = inLab('nothing')): string[] {
    return ['--tls-ca', ca, '--tls-cert', lab.secretFile, '--tls-key', lab.secretFile];
  }

  function inLab(name: string): string {
    return join(lab.dir, name);
  }

  function open(name: string, text: string, mode: number): string {
    const path = inLab(name);
    writeFileSync(path, text);
    chmodSync(path, mode);
    return path;
  }
});

describe('muster-worker', () => {
  it('prints its constants as they would be, its help, and its version', async () => {
    const [config, help, version] = await Promise.all([
      run('--config', '--set', 'lease=2000'),
      run('--help'),
      run('--version'),
    ]);
    expect(JSON.parse(config.output)).toMatchObject({ lease: 2_000, heartbeat: 1_000 });
    expect(help.output).toContain('--jobs FILE');
    const manifest = JSON.parse(readFileSync(join(command, '../../../package.json'), 'utf8')) as { version: string };
    expect(version.output.trim()).toBe(manifest.version);
    expect([config, help, version].map(({ ending }) => ending?.code)).toEqual([0, 0, 0]);
  });

  it('says in the line that it is ready with how many jobs it is', async () => {
    const said = async (source: string, ...args: string[]): Promise<string> => {
      const jobs = join(lab.dir, 'counted.mjs');
      writeFileSync(jobs, source);
      const all = [command, ...base(), '--jobs', jobs, ...args];
      const worker = new Child(spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'], env: lab.env }));
      const line = await until('it is ready', () => /^.* is ready .*(?=\n)/m.exec(worker.output)?.[0]);
      worker.signal('SIGTERM');
      await worker.ended;
      return line;
    };
    expect(await said('export async function one() {}')).toMatch(/ with 1 job: one$/);
    expect(await said('export async function a() {} export async function b() {}', '--objects', '64MiB')).toMatch(
      / with 2 jobs: a, b$/,
    );
  });

  it.each([
    ['no job', 'export const x = 1;', 'exports no job; export async functions or async generators by name'],
    ['a default export', 'export default 1;', 'has a default export; jobs are exported by name'],
    ['a job that no caller could use', 'export async function inspect() {}', '"inspect" cannot be the name of a job'],
  ])('does not start for a module with %s', async (_what, source, says) => {
    const jobs = join(lab.dir, 'refused.mjs');
    writeFileSync(jobs, source);
    const all = [command, ...base(), '--jobs', jobs];
    const worker = new Child(spawn(process.execPath, all, { stdio: ['ignore', 'pipe', 'pipe'], env: lab.env }));
    expect((await worker.ended).code).toBe(1);
    expect(worker.errors).toContain(says);
  });

  it('takes its secret from standard input', async () => {
    const args = [...base(), '--secret', '-', '--json'];
    const child = spawn(process.execPath, [command, ...args], { stdio: ['pipe', 'pipe', 'pipe'], env: lab.env });
    const worker = new Child(child);
    child.stdin.end(`${lab.secret}\n`);
    const ready = await until('it is ready', () => /^.*"event":"ready".*(?=\n)/m.exec(worker.output)?.[0]);
    const cluster = await lab.cluster([(JSON.parse(ready) as { address: string }).address]);
    expect(await cluster.call('add', { a: 1, b: 2 })).toBe(3);
    await cluster.close();
    worker.signal('SIGTERM');
    expect((await worker.ended).code).toBe(0);
  });
});
