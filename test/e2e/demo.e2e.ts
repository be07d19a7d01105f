import { spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import { Child } from './harness/child.ts';
import { guardiansIn, Lab } from './harness/lab.ts';
import { leftovers } from './harness/leftovers.ts';
import { isAlive } from './harness/machine.ts';
import { root } from './harness/pages.ts';
import { until, within } from './harness/wait.ts';

const lab = new Lab();
const started: Child[] = [];
afterAll(() => {
  for (const child of started) if (child.ending === undefined) child.signal('SIGKILL');
  return lab.close();
});

/** A program of the demo, in the lab's directory. */
function run(program: string, ...args: string[]): Child {
  const all = [join(root, 'apps/demo/dist', program), ...args];
  const child = new Child(
    spawn(process.execPath, all, { cwd: lab.dir, env: lab.env, stdio: ['ignore', 'pipe', 'pipe'] }),
  );
  started.push(child);
  return child;
}

/** The nodes that it says it has started: their ports are looked after from now on. */
function nodesOf({ output }: Child): { id: string; pid: number }[] {
  return Array.from(output.matchAll(/(n\d+) listens on ws:\/\/127\.0\.0\.1:(\d+), process (\d+)/g), (said) => {
    lab.ports.add(Number(said[2]));
    return { id: said[1] ?? '', pid: Number(said[3]) };
  });
}

/** Nothing of it is there any more: processes, sockets, files. */
async function leavesNothing(): Promise<void> {
  await until('nothing is left', () => leftovers(lab).length === 0, 5_000).catch((error: unknown) => {
    throw new Error(`${String(error)} There are: ${leftovers(lab).join('; ')}`);
  });
}

const numbers = (text: string): number[] =>
  Array.from(text.matchAll(/[\d,]+/g), ([n]) => Number(n.replaceAll(',', '')));

describe('The demo', () => {
  it('tells what it can be told', async () => {
    const { output, ended } = run('main.js', '--help');
    expect((await ended).code).toBe(0);
    const help = output === '' ? started.at(-1)?.output : output;
    for (const option of ['--nodes', '--replicas', '--lease', '--data FILE', '--key FIELD', '--keep'])
      expect(help).toContain(option);
  });

  it(
    'asks four queries of the cities, kills a coordinator in three ways, and leaves nothing',
    { timeout: 180_000 },
    async () => {
      const demo = run('main.js');
      const { code } = await within('the demo has ended', 170_000, demo.ended);
      expect([demo.errors, code]).toEqual(['', 0]);
      expect(nodesOf(demo).map(({ id }) => id)).toEqual(['n1', 'n2', 'n3', 'n4']);
      const [, ingest = '', nearest = '', grouped = '', prefixed = '', object = '', kill = '', end = ''] =
        demo.output.split(/\n(?=Ingest|\d  |Clean-up)/);

      expect(ingest).toContain('135,233 cities into 16 shards, 2 copies each, on 4 nodes');
      expect(ingest).toContain('270,466 rows acknowledged');

      const distances = Array.from(nearest.matchAll(/^ +(\d+\.\d)  Zürich.* CH .* n\d$/gm), (row) => Number(row[1]));
      expect(distances).toHaveLength(10);
      expect(distances).toEqual([...distances].sort((a, b) => a - b));
      expect(nearest).toContain('16 of 16 streams ended early');
      const [sent = 0, of, unsent = 0] = numbers(/.* left their nodes; .*/.exec(nearest)?.[0] ?? '');
      expect([of, sent + unsent]).toEqual([135_233, 135_233]);
      expect(unsent).toBeGreaterThan(60_000);

      expect(grouped).toMatch(/^ +CN +400,167,044 +2,702$/m);
      expect(grouped).toContain('246 groups of 135,233 rows');

      expect(prefixed.match(/^ +San.* n\d$/gm)).toHaveLength(10);
      expect(prefixed).toMatch(/The first after .*, 100 rows \(10 shown\)/);

      const [key = ''] = /^ +o1\.\S+\.n1@ws:\S+$/m.exec(object) ?? [];
      expect(object).toContain(`its key, ${key.trim().length} bytes:`);
      expect(object).toMatch(/read by a job, 16,677 rows +n1 to n3/);
      expect(object).toMatch(/read here, 16,677 rows +n1 to coordinator/);
      expect(object).toContain('Dropped; nobody has it any more.');

      const rounds = kill.split(/\n {3}[abc] {2}/).slice(1);
      expect(
        rounds.map((round) =>
          Array.from(round.matchAll(/^ +(n\d) +[▁-█·]+ +(\d+) +(\d+) +(\D+?)  +[\d,]+ ms$/gm), (row) => row.slice(1)),
        ),
      ).toEqual(
        ['guardian', 'closed links', 'lease'].map((by) => ['n1', 'n2', 'n3', 'n4'].map((node) => [node, '8', '8', by])),
      );
      for (const round of rounds) {
        expect(round).toContain('64 ran,');
        expect(round).toMatch(/[\d,.]+ m?s after the kill none did/);
        expect(round).toContain('The nodes say that they ended 64,');
      }
      expect(end).toContain('none of it is left.');
      await leavesNothing();
    },
  );

  it('of a file of your own asks all queries, stays up for talk, and goes on Ctrl-C', async () => {
    const rows = ['lamp', 'chair', 'sofa', 'bulb'].map((name, i) => ({
      sku: `A-${i}`,
      name,
      kind: 'thing',
      price: 10 * i,
    }));
    writeFileSync(join(lab.dir, 'own.ndjson'), rows.map((row) => `${JSON.stringify(row)}\n`).join(''));
    const demo = run('main.js', '--data', 'own.ndjson', '--key', 'sku', '--nodes', '2', '--no-kill', '--keep');
    await until('it stays up', () => /Ctrl-C here ends them/.test(demo.output), 50_000);
    expect(nodesOf(demo)).toHaveLength(2);
    expect(demo.output).toMatch(/The rows of own\.ndjson nearest to price 0\n/);
    expect(demo.output).toMatch(/^ +thing +4$/m);
    expect(demo.output).toMatch(/starts with "A"[^]*4 rows after/);
    expect(demo.output).toMatch(/read by a job, 4 rows +n1 to n2/);

    const [, dir = ''] = /below (\S+) …/.exec(demo.output) ?? [];
    const talk = async (...words: string[]): Promise<[string, string, number | null]> => {
      const child = run('talk.js', dir, ...words);
      const { code } = await within(`talk ${words.join(' ')} has ended`, 20_000, child.ended);
      return [child.output.trim(), child.errors.trim(), code];
    };
    const prefix = JSON.stringify({ field: 'name', text: 'so' });
    const [nodes, asked, found, ...refused] = await Promise.all([
      talk('nodes'),
      talk('ask', 'n1', 'stats'),
      talk('scatter', 'startingWith', prefix, '5'),
      talk('scatter', 'startingWith', '{field:"name"}'),
      talk('ask', 'n9', 'stats'),
      talk('ask', 'n1', 'weather'),
      talk('scatter', 'nothing'),
      talk('dance'),
    ]);
    expect(nodes[0]).toMatch(/^node +address +state +jobs\nn1 +ws:\S+ +up .*\nn2 +ws:\S+ +up /);
    expect(asked[0]).toContain("node: 'n1'");
    expect(JSON.parse(found[0])).toMatchObject({ row: rows[2] });
    expect(refused.map(([, errors, code]) => [errors.split('\n').length, code])).toEqual([
      [1, 2],
      [1, 1],
      [1, 1],
      [1, 1],
      [1, 2],
    ]);
    const sentences = [/JSON, as in/, /There is no node "n9"/, /no request "weather"/, /no job/, /^talk\.js DIR nodes/];
    expect(refused.map(([, errors], i) => sentences[i]?.test(errors))).toEqual(sentences.map(() => true));

    const lines = Array.from(demo.output.matchAll(/^ *node (\S*bin\/muster\.js \S.*)$/gm), ([, line]) => line ?? '');
    expect(lines.map((line) => line.split(' ')[1])).toEqual(['nodes', 'watch', 'drain']);
    const muster = async (line: string): Promise<[string, string, number | null]> => {
      const child = new Child(
        spawn(process.execPath, line.split(' '), { cwd: lab.dir, env: lab.env, stdio: ['ignore', 'pipe', 'pipe'] }),
      );
      started.push(child);
      if (line.includes(' watch '))
        await until('it draws', () => child.output.includes('No jobs.') && child.signal('SIGINT'));
      const { code } = await within(`${line} has ended`, 20_000, child.ended);
      return [child.output, child.errors, code];
    };
    const [seen = '', watched = '', drained = ''] = lines;
    expect(await muster(seen)).toEqual([expect.stringMatching(/^n1 .* up [^]*^n2 .* up /m), '', 0]);
    expect(await muster(watched)).toEqual([expect.stringMatching(/^n2 .* up /m), '', 0]);
    expect(await muster(drained)).toEqual(['n1 drains: it has no job.\nn1 has ended.\n', '', 0]);

    demo.signal('SIGINT');
    expect((await within('the demo has ended', 20_000, demo.ended)).code).toBe(0);
    expect(demo.output).toContain('none of it is left.');
    await leavesNothing();
  });

  it('that is killed takes its nodes with it', async () => {
    const demo = run('main.js', '--nodes', '2', '--no-kill', '--keep');
    const nodes = await until('its nodes are up', () => nodesOf(demo).length === 2 && nodesOf(demo), 30_000);
    demo.signal('SIGKILL');
    await until('its nodes have gone', () => nodes.every(({ pid }) => !isAlive(pid)), 10_000);
    await until('its guardian has gone', () => guardiansIn(lab).length === 0, 15_000);
    await leavesNothing();
  });

  it.each([
    ['npm start', 'SIGTERM', ['npm', 'start', '--']],
    ['its script', 'SIGHUP', [process.execPath, 'scripts/run.mjs', 'start']],
  ] as const)(
    'that %s has started ends when that gets %s',
    { timeout: 180_000 },
    async (_, signal, [command, ...words]) => {
      const data = join(lab.dir, 'few.ndjson');
      writeFileSync(data, '{"sku":"A","name":"lamp","price":4}\n');
      const all = [...words, '--data', data, '--key', 'sku', '--nodes', '2', '--no-kill', '--keep'];
      const script = new Child(spawn(command, all, { cwd: root, env: lab.env, stdio: ['ignore', 'pipe', 'pipe'] }));
      started.push(script);
      await until('it stays up', () => /Ctrl-C here ends them/.test(script.output), 150_000);
      const nodes = nodesOf(script);
      expect(nodes).toHaveLength(2);
      script.signal(signal);
      await within('it has ended', 30_000, script.ended);
      expect(nodes.filter(({ pid }) => isAlive(pid))).toEqual([]);
      await leavesNothing();
    },
  );

  const bad = '{"sku":1}\n{"sku":2\n';
  it.each([
    ['a file that is not there', ['--data', 'missing.ndjson', '--key', 'sku'], 'There is no file missing.ndjson.'],
    ['a line that is no JSON', ['--data', 'bad.ndjson', '--key', 'sku'], 'bad.ndjson, line 2: this is no JSON'],
    ['a file without its key', ['--data', 'bad.ndjson'], '--data bad.ndjson needs --key FIELD'],
    [
      'a text to be near to',
      ['--data', 'good.ndjson', '--key', 'sku', '--near', 'name=x'],
      'there are numbers in price.',
    ],
    ['a place that is none', ['--near', 'Bern'], '--near takes a point as LAT,LON'],
    ['an option that there is not', ['--node', '3'], '--help lists the options'],
  ])('with %s says so in a sentence and exits with 2', async (_, args, sentence) => {
    writeFileSync(join(lab.dir, 'bad.ndjson'), bad);
    writeFileSync(join(lab.dir, 'good.ndjson'), '{"sku":"A","name":"lamp","price":4}\n');
    const demo = run('main.js', ...args);
    const { code } = await demo.ended;
    expect([demo.output, demo.errors.trim().split('\n').length, code]).toEqual(['', 1, 2]);
    expect(demo.errors).toContain(sentence);
  });
});
