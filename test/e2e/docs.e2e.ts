import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { copyFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from './harness/child.ts';
import { missingTypes } from './harness/declarations.ts';
import { Lab } from './harness/lab.ts';
import { blocksOf, brokenLinks, isCode, isNamed, pages, Printed, readPage, root } from './harness/pages.ts';
import { failureOf, until, within } from './harness/wait.ts';

const lab = new Lab();
const printed = new Printed(join(lab.dir, 'pages'));
let said = '';
beforeAll(() => void (said = printed.compile()));
const programs: Child[] = [];
afterAll(() => {
  for (const program of programs) program.signal('SIGKILL');
  return lab.close();
});

describe('The code in the pages', () => {
  it('says of every block which file it is', () => {
    const blocks = pages.flatMap(blocksOf).filter(isCode);
    const nameless = blocks.filter((block) => !isNamed(block));
    expect(nameless.map(({ page, line }) => `${page}:${line}`)).toEqual([]);
    expect(blocks.length).toBeGreaterThan(20);
  });

  it("compiles, with the tsconfig.json that they tell to use, against the packages' types", () => {
    expect(said).toBe('');
  });
});

describe('The types of a package', () => {
  it.each(['rexi', 'store', 'worker', 'coordinator', 'muster', 'testkit'])(
    'need nothing but what comes with it: %s',
    (name) => {
      expect(missingTypes(name)).toEqual([]);
    },
  );
});

describe('The program in', () => {
  it('README.md prints the sum and the first ten primes of two nodes in order', async () => {
    const addresses = await nodes('a b', printed.path('README.md', 'jobs.mjs'));
    const [sum, ...rows] = await outputOf('README.md', 'main.mjs', ...addresses);
    expect(sum).toBe('3');
    expect(rows.map((row) => Number(/n: (\d+)/.exec(row)?.[1]))).toEqual([2, 3, 5, 7, 11, 13, 17, 19, 23, 29]);
    expect(await outputOf('packages/coordinator/README.md', 'main.js', ...addresses)).toEqual(['3']);
    expect(await outputOf('packages/muster/README.md', 'main.mjs', ...addresses)).toEqual(['3']);
  });

  it('the guide to jobs gives one value, and rows', async () => {
    const cluster = await lab.cluster(await nodes('jobs', printed.path('docs/guides/write-a-job.md', 'jobs.mjs')));
    const log: unknown[] = [];
    const options = { onLog: (line: unknown) => void log.push(line) };
    expect(await cluster.call('countFiles', { folder: lab.beats }, options)).toBe(0);
    expect(log).toEqual([{ message: 'counted', fields: { files: 0 } }]);
    expect(await cluster.stream('multiples', { of: 3, below: 10 }).toArray()).toEqual([{ n: 3 }, { n: 6 }, { n: 9 }]);
    await cluster.close();
  });

  it('the guide to jobs checks arguments, and is typed', async () => {
    const page = 'docs/guides/write-a-job.md';
    const addresses = await nodes('images', printed.path(page, 'images.js'));
    expect(await outputOf(page, 'main.js', ...addresses)).toEqual(['resized on images']);
    const cluster = await lab.cluster(addresses);
    const { code, message } = await failureOf(cluster.call('resize', { image: 'cat.png', width: -1 }));
    expect([code, message]).toEqual(['invalid_args', expect.stringContaining('width')]);
    await cluster.close();
  });

  it('the guide to shards finds the nearest in order, counts, and misses nothing', async () => {
    const page = 'docs/guides/shards.md';
    const addresses = await nodes('a b c', printed.path(page, 'jobs.js'), 'shards-');
    expect(await outputOf(page, 'main.js', ...addresses)).toEqual(['Chur', 'Bern', '1 2', '3 0']);
  });

  it('the guide to results moves a key, and reads what it stands for', async () => {
    const page = 'docs/guides/results-by-key.md';
    const addresses = await nodes('a b', printed.path(page, 'jobs.js'), 'results-');
    expect(await outputOf(page, 'main.js', ...addresses)).toEqual(['true 499500 1000', '1000', '1000']);
  });

  it('the guide to services has a cluster inside one command, too', async () => {
    expect(await outputOf('docs/guides/embed-in-a-service.md', 'local.js')).toEqual(['Bergamo', 'Berlin', 'Bern']);
  });

  it('the guide to connectors keeps, reads, describes, and comes back from a config', async () => {
    const lines = await outputOf('docs/guides/which-connector.md', 'main.js');
    expect(lines).toEqual(['hello { size: 5 }', 'kept', 'kept', 'machine']);
  });

  it('the guide to writing a connector has one that passes the suite', async () => {
    const page = 'docs/guides/write-a-connector.md';
    const report = start([printed.path(page, 'bucket.test.js')]);
    expect((await within('the suite of the guide has ended', 50_000, report.ended)).code).toBe(0);
    expect(report.output).toContain('bucketConnector is a connector');
    expect(await outputOf(page, 'columns.js')).toEqual([
      '[ { ok: true, value: { size: 2 } }, { ok: true, value: { size: 1 } } ]',
    ]);
  });

  it('the guide to services answers, says when it cannot, answers again, and ends by itself on SIGTERM', async () => {
    const page = 'docs/guides/embed-in-a-service.md';
    const node = await lab.node('service', { jobs: printed.path(page, 'jobs.js') });
    const port = await freePort();
    const env = { NODES: node.address, SECRET: lab.secretFile, PORT: String(port) };
    const service = start([printed.path(page, 'service.js')], env);
    const ask = (): Promise<Response | undefined> =>
      fetch(`http://127.0.0.1:${port}/cities?q=Ber`).catch(() => undefined);
    const answer = await until('the service answers', ask);
    expect((await answer.text()).trim().split('\n')).toEqual([
      '{"name":"Bergamo"}',
      '{"name":"Berlin"}',
      '{"name":"Bern"}',
    ]);
    node.signal('SIGKILL');
    await until('the service says that its node is lost', () => service.errors.includes('is dialling'));
    // It waits for the node as long as it may, which is less than the 5 s after which a node counts as lost.
    expect((await ask())?.status).toBe(504);
    const again = { jobs: printed.path(page, 'jobs.js'), args: ['--listen', node.address] };
    await lab.node('service', again);
    await until('the service answers again', async () => (await ask())?.ok);
    service.signal('SIGTERM');
    expect((await within('the service has ended', 5_000, service.ended)).code).toBe(0);
  });

  it('the guide to operators tells what runs, and what it cannot reach', async () => {
    const [address = ''] = await nodes('looked', printed.path('README.md', 'jobs.mjs'));
    const gone = 'ws://127.0.0.1:9';
    expect(await outputOf('docs/guides/look-into-a-cluster.md', 'look.mjs', address, gone)).toEqual([
      'looked 0 jobs, and 0 more',
      `${gone} unreachable`,
    ]);
  });

  it('the guide to orphans kills a coordinator, and finds nothing of its jobs', async () => {
    const [line] = await outputOf('docs/guides/prove-no-orphans.md', 'prove.js');
    expect(line).toMatch(/^nothing is left after \d+ ms$/);
  });

  it('the guide to supervisors starts a poller twice again, and gives up from below', async () => {
    expect(await outputOf('docs/guides/supervise-your-own-parts.md', 'main.js')).toEqual([
      'started cache',
      'started poller',
      'started sensors',
      ...['exited poller', 'restarted poller', 'exited poller', 'restarted poller', 'exited poller', 'gave-up poller'],
      ...['exited sensors', 'gave-up sensors', 'the cache is written', 'exited cache'],
      expect.stringContaining('the sensor is gone'),
    ]);
  });

  it('the guide beyond one machine talks to a node over TLS', async () => {
    const main = join(root, 'packages/muster/dist/bin/muster.js');
    const holders = ['--node', 'tls', '--coordinator', 'coordinator'];
    expect(spawnSync(process.execPath, [main, 'certs', join(lab.dir, 'certs'), ...holders]).status).toBe(0);
    const [ca, cert, key] = ['ca.pem', 'tls.pem', 'tls.key'].map((name) => join(lab.dir, 'certs', name)) as [
      string,
      string,
      string,
    ];
    const args = ['--tls-ca', ca, '--tls-cert', cert, '--tls-key', key];
    const { address } = await lab.node('tls', { jobs: printed.path('README.md', 'jobs.mjs'), args });
    expect(address).toMatch(/^wss:/);
    expect(await outputOf('docs/guides/beyond-one-machine.md', 'main.mjs', address)).toEqual(['3']);
  });

  it("the worker's README starts a node, and drains it", async () => {
    copyFileSync(printed.path('README.md', 'jobs.mjs'), join(lab.dir, 'jobs.mjs'));
    const [line] = await outputOf('packages/worker/README.md', 'node.js');
    expect(line).toMatch(/^ws:\/\/127\.0\.0\.1:\d+ \[ 'add', 'primes' \]$/);
  });

  it("the wire's README hears the go-away", async () => {
    expect(await outputOf('packages/rexi/README.md', 'main.js')).toEqual([
      "{ type: 'go-away', reason: 'just looking' }",
    ]);
  });
});

describe('The package that users install', () => {
  it("has the worker's own command", () => {
    const main = join(root, 'packages/muster/dist/bin/muster-worker.js');
    const { stdout } = spawnSync(process.execPath, [main, '--help'], { encoding: 'utf8' });
    expect(stdout).toContain('muster-worker --id NAME --jobs FILE --secret FILE');
  });
});

describe('The pages', () => {
  it('link to what is there', () => {
    expect(pages.flatMap(brokenLinks)).toEqual([]);
  });

  it('name options that there are', () => {
    const helpOf = (program: string, ...words: string[]): string =>
      spawnSync(process.execPath, [join(root, program), ...words, '--help'], { encoding: 'utf8' }).stdout;
    const muster = 'packages/muster/dist/bin/muster.js';
    const commands = Array.from(helpOf(muster).matchAll(/^ {2}([a-z-]+) {2,}\S/gm), ([, name]) => name ?? '');
    const help = [
      'packages/worker/dist/bin/muster-worker.js',
      'packages/testkit/dist/bin/muster-sim.js',
      'packages/testkit/dist/bin/muster-chaos.js',
      'apps/demo/dist/main.js',
    ].map((program) => helpOf(program));
    help.push(helpOf(muster), ...commands.map((name) => helpOf(muster, name)));
    // Node's own, and that of scripts/docs.mjs.
    const known = [...optionsIn(help.join(' ')), '--conditions', '--check'];
    const named = pages.flatMap((page) => optionsIn(readPage(page)).map((option) => `${page}: ${option}`));
    expect(named.filter((one) => !known.includes(one.split(' ')[1] ?? ''))).toEqual([]);
    expect(named.length).toBeGreaterThan(20);
  });

  it.each([
    ['of reference say', 'scripts/docs.mjs'],
    ['of the protocol say in their tables', 'packages/rexi/scripts/docs.mjs'],
  ])('%s what the code says', (_which, script) => {
    const check = spawnSync(process.execPath, [script, '--check'], { cwd: root, encoding: 'utf8' });
    expect(check.stderr).toBe('');
    expect(check.status).toBe(0);
  });
});

function optionsIn(text: string): string[] {
  return [...new Set(text.match(/(?<![\w-])--[a-z][a-z-]+/g))];
}

/** Starts nodes as the pages do, on free ports; resolves with their addresses. */
async function nodes(ids: string, jobs: string, dir = ''): Promise<string[]> {
  const started = await Promise.all(
    ids.split(' ').map((id) => lab.node(id, { jobs, dataDir: join(lab.dir, `${dir}data-${id}`) })),
  );
  return started.map(({ address }) => address);
}

/** In a directory with the cluster's secret, where the pages have it. */
function start(args: readonly string[], env: NodeJS.ProcessEnv = {}): Child {
  const stdio = ['ignore', 'pipe', 'pipe'] as const;
  const all = { ...lab.env, ...env };
  const child = new Child(spawn(process.execPath, args, { cwd: lab.dir, env: all, stdio: [...stdio] }));
  programs.push(child);
  return child;
}

/** Runs a program of a page to its end; its lines. @throws when it fails or complains. */
async function outputOf(page: string, file: string, ...args: string[]): Promise<string[]> {
  const program = start([printed.path(page, file), ...args]);
  const { code } = await within(`${file} of ${page} has ended`, 20_000, program.ended);
  expect([program.errors, code]).toEqual(['', 0]);
  return program.output.trim().split('\n');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return port;
}
