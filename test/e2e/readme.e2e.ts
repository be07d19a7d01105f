import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';

const root = new URL('../..', import.meta.url).pathname;
const readme = readFileSync(join(root, 'README.md'), 'utf8');

/** The code block that follows the sentence which names its file. */
function block(file: string): string {
  const from = readme.indexOf(`\`${file}\`,`);
  const begin = readme.indexOf('```js\n', from) + 6;
  return readme.slice(begin, readme.indexOf('```', begin));
}

describe('the job of your own in the README', () => {
  let folder: string;
  const nodes: ReturnType<typeof spawn>[] = [];

  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'muster-readme-'));
    mkdirSync(join(folder, 'node_modules'));
    symlinkSync(join(root, 'packages/muster'), join(folder, 'node_modules/muster'));
    for (const file of ['jobs.mjs', 'main.mjs']) writeFileSync(join(folder, file), block(file));
    writeFileSync(join(folder, 'secret'), 'a secret of thirty-two characters');
    chmodSync(join(folder, 'secret'), 0o600);
  });

  afterEach(async () => {
    for (const node of nodes.splice(0)) {
      node.kill('SIGTERM');
      await once(node, 'exit');
    }
    rmSync(folder, { recursive: true });
  });

  /** Starts a node as the README does, on a free port; resolves with its address. */
  async function startNode(id: string): Promise<string> {
    const main = join(root, 'packages/muster/dist/bin/muster-worker.js');
    const args = [main, '--id', id, '--jobs', 'jobs.mjs', '--secret', 'secret', '--json'];
    const node = spawn(process.execPath, args, { cwd: folder, stdio: ['ignore', 'pipe', 'inherit'] });
    nodes.push(node);
    for await (const line of createInterface({ input: node.stdout })) {
      const said = JSON.parse(line) as { event: string; address: string };
      if (said.event === 'ready') return said.address;
    }
    throw new Error(`node ${id} did not start`);
  }

  it('prints the sum and the first ten primes of two nodes in order', async () => {
    const addresses = [await startNode('a'), await startNode('b')];
    const run = spawnSync(process.execPath, ['main.mjs', ...addresses], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 30_000,
    });
    expect(run.stderr).toBe('');
    const [sum, ...rows] = run.stdout.trim().split('\n');
    expect(sum).toBe('3');
    expect(rows.map((row) => /n: (\d+)/.exec(row)?.[1])).toEqual(['2', '2', '3', '3', '5', '5', '7', '7', '11', '11']);
    expect(run.status).toBe(0);
  });
});

describe('the reference pages', () => {
  it('say what the code says', () => {
    const check = spawnSync(process.execPath, ['scripts/docs.mjs', '--check'], { cwd: root, encoding: 'utf8' });
    expect(check.stderr).toBe('');
    expect(check.status).toBe(0);
  });
});
