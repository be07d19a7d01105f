import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Child } from './harness/child.ts';
import { guardiansOf } from './harness/coordinator.ts';
import { guardiansIn, Lab } from './harness/lab.ts';
import { until } from './harness/wait.ts';

const lab = new Lab();
const main = fileURLToPath(new URL('cluster/waiting.mjs', import.meta.url));
let first: string;

beforeAll(async () => {
  first = (await lab.node('a')).address;
});
afterAll(() => lab.close());

/** The program, under a limit of the shell's where one is given. */
function start(what: string, nodes: readonly string[], limit = 'true'): Child {
  const line = `${limit} && exec "$@"`;
  const args = [process.execPath, main, what, lab.secret, ...nodes];
  return new Child(spawn('/bin/sh', ['-c', line, 'sh', ...args], { env: lab.env, stdio: ['ignore', 'pipe', 'pipe'] }));
}

describe('A process lives as long as it waits for something of ours, and no longer', () => {
  it.each(['call', 'stream', 'scatter', 'reduce', 'get', 'request', 'close'])('%s', async (what) => {
    const child = start(what, [first]);
    expect(await child.ended).toMatchObject({ code: 0 });
    expect([child.output, child.errors]).toEqual([`after ${what}\n`, '']);
  });

  it('whenUp, of a node that comes later', async () => {
    const proxy = await lab.proxy();
    proxy.target = 1;
    const child = start('whenUp', [first, `ws://${proxy.authority}`]);
    await until('it is connected', () => guardiansOf(child.pid).length > 0);
    await lab.node('late', { proxy });
    expect(await child.ended).toMatchObject({ code: 0 });
    expect([child.output, child.errors]).toEqual(['after whenUp\n', '']);
  });

  it('nothing, because connecting was refused', async () => {
    const child = start('a refusal', [first]);
    expect(await child.ended).toMatchObject({ code: 0 });
    expect(child.output).toBe('bad_options\nafter a refusal\n');
  });

  it('nothing: an open cluster alone keeps no process, and its guardian goes too', async () => {
    const child = start('nothing', [first]);
    expect(await child.ended).toMatchObject({ code: 0 });
    expect(child.output).toBe('after nothing\n');
    await until('the guardian has gone', () => guardiansIn(lab).length === 0);
  });
});

describe('Where there is no room for a guardian', () => {
  it('connecting fails with an error that says why, and the process goes on', async () => {
    const child = start('no more files', [first], 'ulimit -n 256');
    expect(await child.ended).toMatchObject({ code: 0 });
    expect(child.output).toMatch(/^ClusterError unavailable .*guardian.*EMFILE/);
    expect(child.errors).toBe('');
  });
});
