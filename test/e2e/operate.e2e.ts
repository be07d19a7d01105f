import { spawn } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Cluster } from '@muster/coordinator';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Terminal } from '../../packages/muster/dist/commands/command.js';
import { main } from '../../packages/muster/dist/commands/main.js';
import { Child, now } from './harness/child.ts';
import { beating, deathsAfter, lastBeat } from './harness/evidence.ts';
import { Lab } from './harness/lab.ts';
import { root } from './harness/pages.ts';
import { failureOf, throughout, until, within } from './harness/wait.ts';
import type { Worker } from './harness/worker.ts';

const lab = new Lab();
const program = join(root, 'packages/muster/dist/bin/muster.js');
const started: Child[] = [];
let [a, b]: (Worker | undefined)[] = [];
let cluster: Cluster;
let [observerKey, operatorKey] = ['', ''];

/** Starts the command without waiting for its end. */
function start(args: readonly string[], input?: string): Child {
  const stdin = input === undefined ? 'ignore' : 'pipe';
  const child = spawn(process.execPath, [program, ...args], { stdio: [stdin, 'pipe', 'pipe'], env: lab.env });
  child.stdin?.end(input);
  const running = new Child(child);
  started.push(running);
  return running;
}

/** Runs the command to its end. */
async function muster(...args: string[]): Promise<Child> {
  const child = start(args);
  await within(`muster ${args.join(' ')} has ended`, 20_000, child.ended);
  // What it said may be read after its end.
  await until('its output is here', () => child.output + child.errors !== '', 2_000).catch(() => undefined);
  return child;
}

const nodes = (): string => [a, b].map((node) => node?.address ?? '').join(',');
const there = (): string[] => ['--nodes', nodes(), '--secret', lab.secretFile];
const codes = (children: readonly Child[]): unknown[] => children.map(({ ending }) => ending?.code);
const json = ({ output }: Child): Record<string, never> => JSON.parse(output) as Record<string, never>;

function fileWith(name: string, text: string, mode = 0o600): string {
  const path = join(lab.dir, name);
  writeFileSync(path, text, { mode });
  return path;
}

beforeAll(async () => {
  [a, b] = await lab.nodes(['a', 'b'], { set: { heartbeat: 500 } });
  cluster = await lab.cluster([a?.address ?? '', b?.address ?? ''], { id: 'report' });
  for (const role of ['observer', 'operator']) {
    const { output } = await muster('key', '--role', role, '--secret', lab.secretFile);
    fileWith(`${role}.key`, output);
  }
  [observerKey, operatorKey] = [join(lab.dir, 'observer.key'), join(lab.dir, 'operator.key')];
});
afterAll(async () => {
  for (const child of started) if (child.ending === undefined) child.signal('SIGKILL');
  await lab.close();
});

/** A job that spins for ever at a node, as it is seen there. */
async function spinning(node: string): Promise<{ beat: string; failed: Promise<Error & { code?: string }> }> {
  const beat = lab.beat();
  const failed = failureOf(cluster.call('spin', { beat }, { node }));
  await beating(beat, 1);
  return { beat, failed };
}

describe('muster looks', () => {
  it('at jobs: for people as a table, for scripts as JSON, with the key of an observer too', async () => {
    const { failed } = await spinning('a');
    const [table, document, keyed, none] = await Promise.all([
      muster('ps', ...there()),
      muster('ps', ...there(), '--json', '--job', 'spin'),
      muster('ps', '--nodes', nodes(), '--role-key', observerKey, '--json'),
      muster('ps', ...there(), '--job', 'nothing'),
    ]);
    expect(codes([table, document, keyed, none])).toEqual([0, 0, 0, 0]);
    expect(table.output).toMatch(/^REF +JOB +NODE +COORDINATOR +STATE +AGE +ROWS +QUEUE\n/);
    expect(table.output).toMatch(
      new RegExp(`^${cluster.incarnation}-\\w+ +spin +a +report +(?:running|sent) +\\S+ +0 +default$`, 'm'),
    );
    expect(json(document)).toMatchObject({
      jobs: [{ node: 'a', job: 'spin', coordinator: cluster.incarnation, name: 'report', rows: 0 }],
      more: { a: 0, b: 0 },
      failures: [],
    });
    expect(json(keyed)['jobs']).toHaveLength(1);
    expect(none.output).toBe('No jobs.\n');
    const kill = await muster(
      'kill',
      '--coordinator',
      cluster.incarnation,
      '--nodes',
      nodes(),
      '--role-key',
      operatorKey,
    );
    expect([kill.output, kill.ending?.code]).toEqual(['1 job killed; nothing of it is left.\n', 0]);
    expect((await failed).code).toBe('killed');
  });

  it('at nodes, sessions, failures and configuration', async () => {
    expect((await failureOf(cluster.call('throwText', undefined, { node: 'b' }))).code).toBe('job_failed');
    const names = ['nodes', 'sessions', 'errors', 'config'];
    const [tables, documents] = await Promise.all([
      Promise.all(names.map((name) => muster(name, ...there()))),
      Promise.all(names.map((name) => muster(name, ...there(), '--json'))),
    ]);
    expect([...codes(tables), ...codes(documents)]).toEqual(Array(8).fill(0));
    const [nodeTable, sessionTable, errorTable, configTable] = tables.map(({ output }) => output);
    expect(nodeTable).toMatch(/^NODE +ADDRESS +STATE[^]*^a +ws:\S+ +up .*\nb +ws:\S+ +up .* info +\S+$/m);
    expect(sessionTable).toMatch(new RegExp(`^${cluster.incarnation} +report +b +\\d+ +open +yes +\\S+ +0$`, 'm'));
    expect(errorTable).toMatch(/^ *\S+ +b +\S+ +throwText +job_failed/m);
    expect(configTable).toContain('a: constants.heartbeat = 500');
    expect(configTable).toContain('b: lanes.default.concurrency = 64');
    expect(tables.map(({ output }) => output).join('')).not.toContain(lab.secret);
    const [nodeList, , errorList, config] = documents.map(json);
    expect(nodeList?.['nodes']).toMatchObject([{ node: 'a', draining: false }, { node: 'b' }]);
    expect(errorList?.['errors']).toEqual(
      expect.arrayContaining([expect.objectContaining({ node: 'b', job: 'throwText', code: 'job_failed' })]),
    );
    expect(config?.['nodes']).toMatchObject({ a: { id: 'a', executors: 64, objectBudget: 2 ** 30 } });
  });

  it('on, and draws what changes until Ctrl-C, or says it line by line', async () => {
    const drawn = start(['watch', ...there(), '--every', '200']);
    const said = start(['watch', ...there(), '--every', '200', '--json']);
    const { failed } = await spinning('b');
    await until('both have seen the job', () => /spin +b/.test(drawn.output) && said.output.includes('"spin"'));
    await muster('kill', '--coordinator', cluster.incarnation, ...there());
    expect((await failed).code).toBe('killed');
    await until('both have seen it go', () => {
      const last = said.output.trim().split('\n').at(-1) ?? '';
      return drawn.output.endsWith('No jobs.\n\n') && !last.includes('"spin"');
    });
    drawn.signal('SIGINT');
    said.signal('SIGTERM');
    await within('both have ended', 5_000, Promise.all([drawn.ended, said.ended]));
    expect(codes([drawn, said])).toEqual([0, 0]);
    expect([drawn.errors, said.errors]).toEqual(['', '']);
    for (const line of said.output.trim().split('\n')) expect(JSON.parse(line)).toMatchObject({ failures: [] });
    await until('their links are gone', async () => {
      const { links } = (await cluster.request('a', 'stats')) as { links: Record<string, number> };
      return links['observer'] === undefined && links['operator'] === undefined;
    });
  });

  it('on, and on a screen it draws over what it has drawn', async () => {
    const end = new AbortController();
    const drawn: string[] = [];
    const terminal: Terminal = {
      out: (text) => void drawn.push(text),
      err: (text) => expect(text).toBe(''),
      isScreen: true,
      pause: () => new Promise((resolve) => setTimeout(resolve, 20)),
      end: end.signal,
    };
    const code = main(['watch', ...there()], terminal, () => '');
    await until('it has drawn thrice', () => drawn.length > 2);
    end.abort();
    expect(await within('it has ended', 5_000, code)).toBe(0);
    const pictures = drawn.map((picture) => picture.replaceAll('\u001b', '^'));
    for (const picture of pictures) expect(picture).toMatch(/^\^\[HNODE .*\^\[K\n[^]*\^\[J$/);
  });

  it('until nobody reads what it says', async () => {
    const child = start(['watch', ...there(), '--every', '100']);
    await until('it says something', () => child.output !== '');
    child.hangUp();
    expect((await within('it has ended', 5_000, child.ended)).code).toBe(0);
  });
});

describe('muster kills', () => {
  it.each(['spin', 'block', 'fork'])(
    'a job by its reference (%s): its caller hears who and why, and nothing of it is left',
    async (job) => {
      const beat = lab.beat();
      const failed = failureOf(cluster.call(job, { beat }, { node: 'a' }));
      await beating(beat, 1);
      const { jobs } = json(await muster('ps', ...there(), '--json')) as unknown as { jobs: { ref: string }[] };
      expect(jobs).toHaveLength(1);
      const ref = jobs[0]?.ref ?? '';
      const killed = await muster('kill', ref, ...there(), '--id', 'ann', '--why', 'enough of it');
      const since = now();
      expect([killed.output, killed.errors, killed.ending?.code]).toEqual([
        '1 job killed; nothing of it is left.\n',
        '',
        0,
      ]);
      await deathsAfter(since, 500, { workers: [a, b] as Worker[], incarnation: cluster.incarnation, beat });
      expect(await failed).toMatchObject({ code: 'killed', detail: 'operator ann', ref });
      expect((await failed).message).toContain('Killed by the operator "ann": enough of it');
      expect(a?.lines('operator').at(-1)).toMatchObject({ by: 'ann', did: 'kill', refs: [ref], why: 'enough of it' });
      const again = await muster('kill', ref, ...there());
      expect([again.output, again.ending?.code]).toEqual(['', 1]);
      expect(again.errors).toBe(`muster: No node that has answered has the job ${ref}.\n`);
    },
  );

  it('a stream by its reference: its reader hears of it behind the rows, and its neighbours in the executor run on', async () => {
    const user = await lab.cluster([a?.address ?? '']);
    const [beat, otherBeat] = [lab.beat(), lab.beat()];
    const read = async (dir: string): Promise<number> => {
      let rows = 0;
      for await (const _row of user.stream('tick', { beat: dir })) if ((rows += 1) === 2_000_000) break;
      return rows;
    };
    const failed = failureOf(read(beat));
    await beating(beat, 1);
    const { jobs } = json(await muster('ps', ...there(), '--job', 'tick', '--json')) as unknown as {
      jobs: { ref: string }[];
    };
    const kept = failureOf(read(otherBeat));
    await beating(otherBeat, 1);
    expect((await muster('kill', jobs[0]?.ref ?? '', ...there())).ending?.code).toBe(0);
    expect((await failed).code).toBe('killed');
    const since = now();
    await until('the other beats on', () => lastBeat(otherBeat) > since + 300);
    expect(lastBeat(beat)).toBeLessThan(since + 100);
    await user.close();
    await kept;
  });

  it('all of a coordinator at all nodes; what another has runs on', async () => {
    const other = await lab.cluster([a?.address ?? '', b?.address ?? '']);
    const otherBeat = lab.beat();
    const kept = failureOf(other.call('spin', { beat: otherBeat }, { node: 'a' }));
    await beating(otherBeat, 1);
    const beat = lab.beat();
    const failed = ['a', 'a', 'b', 'b'].map((node) => failureOf(cluster.call('fork', { beat }, { node })));
    await beating(beat, 8);
    const killed = await muster('kill', '--coordinator', cluster.incarnation, ...there(), '--json');
    const since = now();
    expect(json(killed)).toEqual({ killed: 4, left: [], unknown: [], failures: [] });
    await deathsAfter(since, 500, { workers: [a, b] as Worker[], incarnation: cluster.incarnation, beat });
    expect((await Promise.all(failed)).map(({ code }) => code)).toEqual(Array(4).fill('killed'));
    expect(await cluster.call('add', { a: 1, b: 2 })).toBe(3);
    const { jobs } = json(await muster('ps', ...there(), '--json')) as unknown as { jobs: { coordinator: string }[] };
    expect(jobs.map(({ coordinator }) => coordinator)).toEqual([other.incarnation]);
    const { incarnation } = other;
    await other.close();
    expect((await kept).message).toContain('closed');
    const nobody = await muster('kill', '--coordinator', incarnation, ...there());
    expect([nobody.errors, nobody.ending?.code]).toEqual([
      `muster: No node that has answered has a job of ${incarnation}.\n`,
      1,
    ]);
  });

  it('nothing with the key of an observer, whatever its file says; nor does that key connect or cast', async () => {
    const { beat, failed } = await spinning('a');
    const order = ['--coordinator', cluster.incarnation, '--nodes', nodes()];
    const forged = fileWith('forged.key', readFileSync(observerKey, 'utf8').replace('observer', 'operator'));
    const [own, other, secret] = await Promise.all([
      muster('kill', ...order, '--role-key', observerKey),
      muster('kill', ...order, '--role-key', forged),
      muster('kill', ...order, '--secret', observerKey),
    ]);
    expect([own.errors, own.ending?.code]).toEqual([
      'muster kill: This is the key of an observer, with which nobody is an operator; ask for the key of that role.\n',
      2,
    ]);
    expect(other.errors).toMatch(/The proof does not fit/);
    expect(other.ending?.code).toBe(1);
    expect(secret.errors).toMatch(/there is the key of a role, and not the secret: say --role-key/);
    expect(secret.ending?.code).toBe(2);
    const connected = await failureOf(lab.cluster([a?.address ?? ''], { secret: readFileSync(observerKey, 'utf8') }));
    expect(connected.message).toContain('the key of one role');
    const { output } = await muster('ps', ...there(), '--json');
    expect((JSON.parse(output) as { jobs: unknown[] }).jobs).toHaveLength(1);
    await muster('kill', '--coordinator', cluster.incarnation, '--nodes', nodes(), '--role-key', operatorKey);
    expect((await failed).code).toBe('killed');
    expect(beat).not.toBe('');
  });
});

describe('muster log-level', () => {
  it('sets at run time how much a node says', async () => {
    const said = (): number => b?.errors.length ?? 0;
    const before = said();
    const set = await muster('log-level', 'debug', 'b', ...there());
    expect([set.output, set.ending?.code]).toEqual(['b logs at debug; before, at info.\n', 0]);
    await cluster.call('add', { a: 1, b: 2 }, { node: 'b' });
    await until('it tells of the job', () => b?.errors.slice(before).includes('"job":"add"'));
    const { output } = await muster('nodes', ...there(), '--json');
    expect((JSON.parse(output) as { nodes: { logLevel: string }[] }).nodes.map(({ logLevel }) => logLevel)).toEqual([
      'info',
      'debug',
    ]);
    await muster('log-level', 'warn', ...there());
    const quiet = said();
    await cluster.call('add', { a: 1, b: 2 }, { node: 'b' });
    await throughout('it says nothing more', 100, () => said() === quiet);
  });
});

describe('muster drain', () => {
  it('ends a node as SIGTERM does: nothing new, what runs may finish, exit code 0', async () => {
    const c = await lab.node('c');
    const user = await lab.cluster([c.address]);
    const beat = lab.beat();
    const nap = user.call('nap', { ms: 6_000, beat });
    await beating(beat, 1);
    const draining = start(['drain', 'c', '--nodes', `${nodes()},${c.address}`, '--secret', lab.secretFile]);
    await until('the node drains', () => user.nodes()[0]?.state === 'draining');
    const { output } = await muster('nodes', '--nodes', c.address, '--secret', lab.secretFile);
    expect(output).toMatch(/^c +ws:\S+ +draining +1 /m);
    expect(await nap).toBe('rested');
    expect(await within('the node has ended', 10_000, c.ended)).toMatchObject({ code: 0 });
    await within('the command has ended', 5_000, draining.ended);
    expect(draining.output).toBe('c drains: 1 job may go on for 30s.\nc has ended.\n');
    expect([draining.errors, draining.ending?.code]).toEqual(['', 0]);
    await user.close();
  });

  it('gives jobs the time that it is told, and does not wait where it is told so', async () => {
    const d = await lab.node('d');
    const user = await lab.cluster([d.address]);
    const beat = lab.beat();
    const failed = failureOf(user.call('spin', { beat }));
    await beating(beat, 1);
    const args = ['--all', '--nodes', d.address, '--secret', lab.secretFile, '--json'];
    const first = await muster('drain', ...args, '--no-wait');
    expect(json(first)).toMatchObject({ nodes: [{ node: 'd', jobs: 1, ms: 30_000, ended: false }], failures: [] });
    expect(first.ending?.code).toBe(0);
    const second = await muster('drain', ...args, '--time', '100');
    expect(json(second)).toMatchObject({ nodes: [{ node: 'd', ms: 100, ended: true }] });
    expect(await within('the node has ended', 5_000, d.ended)).toMatchObject({ code: 0 });
    expect((await failed).code).toBe('maintenance');
    await user.close();
  });
});

describe('muster says', () => {
  const gone = 'ws://127.0.0.1:9';

  it('which node it cannot reach and why, shows the others, and exits with 1', async () => {
    const some = ['--nodes', `${a?.address},${gone}`, '--secret', lab.secretFile];
    const { incarnation } = cluster;
    const all = await Promise.all([
      ...['ps', 'nodes', 'sessions', 'errors', 'config'].map((name) => muster(name, ...some)),
      muster('log-level', 'info', ...some),
      muster('kill', `${incarnation}-fff`, ...some),
      muster('drain', 'b', ...some),
    ]);
    expect(codes(all)).toEqual(Array(8).fill(1));
    for (const { errors } of all) expect(errors).toMatch(/^muster: .*ws:\/\/127\.0\.0\.1:9.*\n/m);
    expect(all[1]?.output).toMatch(/^a +ws:\S+ +up .*\n\? +ws:\/\/127\.0\.0\.1:9 +unreachable$/m);
    expect(all[7]?.errors).toContain('No node that could be reached is called "b".');
    const document = json(await muster('nodes', ...some, '--json'));
    expect(document).toMatchObject({ nodes: [{ node: 'a' }], failures: [{ address: gone, code: 'unreachable' }] });
    const foreign = fileWith('foreign', 'the secret of some other cluster');
    const refused = await muster('ps', '--nodes', a?.address ?? '', '--secret', foreign);
    expect([refused.errors, refused.ending?.code]).toEqual([expect.stringMatching(/different cluster secrets/), 1]);
    // Nothing to hold on to: it is dialled again each time all the same.
    const watching = start(['watch', '--nodes', gone, '--secret', lab.secretFile, '--every', '100', '--json']);
    await until('it has looked thrice', () => watching.output.split('\n').length > 3);
    watching.signal('SIGINT');
    expect((await within('it has ended', 5_000, watching.ended)).code).toBe(0);
    expect(watching.output).toContain('"unreachable"');
  });

  it('what is wrong in a sentence, and exits with 2', async () => {
    const short = fileWith('short', 'x');
    const open = fileWith('open', lab.secret, 0o644);
    const bad = fileWith('bad.key', 'muster-role-key observer AAAA');
    const key = ['--role-key', observerKey];
    const ref = `${cluster.incarnation}-1`;
    const cases: readonly (readonly [RegExp, readonly string[]])[] = [
      [/^muster: A command is missing; there are ps, /, []],
      [/^muster: There is no command "dance"; there are ps, /, ['dance']],
      [/^muster ps: .*'--colour'.*--help lists the options/, ['ps', ...there(), '--colour', 'red']],
      [/^muster ps: .*'now'.*--help lists the options/, ['ps', 'now', ...there()]],
      [/--nodes is missing/, ['nodes', '--secret', lab.secretFile]],
      [/--nodes "": it is empty/, ['nodes', '--nodes', '', '--secret', lab.secretFile]],
      [/"here" is no address of a node/, ['nodes', '--nodes', 'here', '--secret', lab.secretFile]],
      [/named twice/, ['nodes', '--nodes', `${a?.address},${a?.address}`, '--secret', lab.secretFile]],
      [/--secret is missing, or --role-key/, ['errors', '--nodes', nodes()]],
      [/give one of the two/, ['errors', ...there(), ...key]],
      [/cannot be read/, ['errors', '--nodes', nodes(), '--secret', join(lab.dir, 'nothing')]],
      [/chmod 600/, ['errors', '--nodes', nodes(), '--secret', open]],
      [/at least 16/, ['errors', '--nodes', nodes(), '--secret', short]],
      [/no key of a role/, ['errors', '--nodes', nodes(), '--role-key', bad]],
      [/--limit 0: it takes a whole number from 1 to 4096/, ['ps', ...there(), '--limit', '0']],
      [/--timeout soon: it takes a whole number/, ['ps', ...there(), '--timeout', 'soon']],
      [/--every 5: it takes a whole number from 100/, ['watch', ...there(), '--every', '5']],
      [/takes references, or --coordinator/, ['kill', ...there()]],
      [/takes references, or --coordinator/, ['kill', ref, '--coordinator', cluster.incarnation, ...there()]],
      [/"me" is no reference/, ['kill', 'me', ...there()]],
      [/--coordinator me: it takes 16 hexadecimal digits/, ['kill', '--coordinator', 'me', ...there()]],
      [/nobody is an operator/, ['kill', ref, '--nodes', nodes(), ...key]],
      [/takes the names of nodes, or --all/, ['drain', ...there()]],
      [/takes the names of nodes, or --all/, ['drain', 'a', '--all', ...there()]],
      [/nobody is an operator/, ['drain', '--all', '--nodes', nodes(), ...key]],
      [/takes a level: debug, info, warn, error, silent/, ['log-level', 'loud', ...there()]],
      [/nobody is an operator/, ['log-level', 'info', '--nodes', nodes(), ...key]],
      [/--role is missing/, ['key', '--secret', lab.secretFile]],
      [/--role worker: it is observer or operator/, ['key', '--role', 'worker', '--secret', lab.secretFile]],
      [/say --role-key/, ['key', '--role', 'observer', '--secret', observerKey]],
    ];
    const said: Child[] = [];
    // A few at a time: each is a process.
    for (let at = 0; at < cases.length; at += 6) {
      said.push(...(await Promise.all(cases.slice(at, at + 6).map(async ([, args]) => muster(...args)))));
    }
    expect(
      cases.map(([sentence, args], i) => [
        args.join(' '),
        sentence.test(said[i]?.errors ?? ''),
        said[i]?.errors.trim().split('\n').length,
        said[i]?.output,
        said[i]?.ending?.code,
      ]),
    ).toEqual(cases.map(([, args]) => [args.join(' '), true, 1, '', 2]));
  });

  it('its help, that of each command, and its version', async () => {
    const help = await muster('--help');
    const names = Array.from(help.output.matchAll(/^ {2}([a-z-]+) {2,}\S/gm), ([, name]) => name ?? '');
    expect(names).toEqual(expect.arrayContaining(['ps', 'nodes', 'errors', 'kill', 'drain', 'config', 'watch', 'key']));
    const all = await Promise.all(names.map((name) => muster(name, '--help')));
    expect(codes([help, ...all])).toEqual(Array(names.length + 1).fill(0));
    all.forEach(({ output }, i) => expect(output).toMatch(new RegExp(`^muster ${names[i]}: [^]*--help`)));
    const manifest = JSON.parse(readFileSync(join(root, 'packages/muster/package.json'), 'utf8')) as {
      version: string;
    };
    expect((await muster('--version')).output.trim()).toBe(manifest.version);
  });

  it('keys that only their roles have, the secret also from standard input', async () => {
    const child = start(['key', '--role', 'observer', '--secret', '-'], `${lab.secret}\n`);
    expect((await child.ended).code).toBe(0);
    expect(child.output).toBe(readFileSync(observerKey, 'utf8'));
    expect(child.output).not.toBe(readFileSync(operatorKey, 'utf8'));
    expect(child.output).not.toContain(lab.secret);
  });
});
