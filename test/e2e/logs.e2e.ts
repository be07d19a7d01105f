import { spawn } from 'node:child_process';
import { afterAll, describe, expect, it } from 'vitest';
import { Child } from './harness/child.ts';
import { Lab } from './harness/lab.ts';
import { until, within } from './harness/wait.ts';
import { command, jobsFile } from './harness/worker.ts';
import { join } from 'node:path';

const lab = new Lab();
afterAll(() => lab.close());

const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

/** Lines of a log that are JSON, by their sentences. */
function linesOf(errors: string, message: string): Record<string, unknown>[] {
  const lines = errors
    .split('\n')
    .flatMap((text) => (text.startsWith('{') ? [JSON.parse(text) as Record<string, unknown>] : []));
  return lines.filter(({ msg }) => msg === message);
}

describe('the log of a node', () => {
  it('has what jobs say, with the job, its reference, the node and the trace, and nothing of it on standard output', async () => {
    const node = await lab.node('said');
    const cluster = await lab.cluster([node.address]);
    const trace = { traceparent, correlationId: 'order 4711' };
    const seen = (await cluster.call('says', { password: 'p4ssw0rd', x: '\u001b[2J\u2028' }, { trace })) as object;
    const line = await until('it is logged', () => linesOf(node.errors, 'said')[0]);
    expect(line).toMatchObject({
      level: 'info',
      node: 'said',
      job: 'says',
      ...seen,
      correlationId: 'order 4711',
      fields: { password: '[withheld]', x: '\u001b[2J\u2028' },
    });
    expect(node.errors).not.toContain('p4ssw0rd');
    // oxlint-disable-next-line no-control-regex -- these are what must not be there
    expect(node.errors).not.toMatch(/[\u001b\u2028]/);
    expect(node.output).not.toContain('"msg"');
    expect(linesOf(node.errors, 'a coordinator has opened a session')).toHaveLength(1);
    expect(node.lines('start')).toMatchObject([{ job: 'says', trace: { correlationId: 'order 4711' } }]);
  });

  it('is for people without --json, and as much as is asked for', async () => {
    const start = (id: string, ...args: string[]): Child => {
      const own = ['--id', id, '--jobs', jobsFile, '--secret', lab.secretFile, '--data-dir', join(lab.dir, id)];
      return new Child(
        spawn(process.execPath, [command, ...own, ...args], { stdio: ['ignore', 'pipe', 'pipe'], env: lab.env }),
      );
    };
    const end = async (node: Child): Promise<string> => {
      await until('it is ready', () => node.output.includes('is ready'));
      node.signal('SIGTERM');
      expect((await within('it ends', 10_000, node.ended)).code).toBe(0);
      return node.errors;
    };
    const [plain, silent] = await Promise.all([end(start('plain')), end(start('silent', '--log-level', 'warn'))]);
    expect(plain).toMatch(/^\d\d:\d\d:\d\d\.\d{3} info {2}plain: the node takes casts address=ws:\S+ jobs=\d+$/m);
    expect(plain).toMatch(/ plain: the node drains ms=30000 running=0$/m);
    expect(silent).not.toContain(' info ');
    const wrong = start('wrong', '--log-level', 'loud');
    expect((await wrong.ended).code).toBe(2);
    expect(wrong.errors).toContain('--log-level loud: it is one of debug, info, warn, error, silent.');
  });

  it('that somebody holds and does not read stops neither the node nor its end', async () => {
    const node = await lab.node('stuck');
    node.stopReading();
    const cluster = await lab.cluster([node.address]);
    for (let i = 0; i < 5; i += 1) await cluster.call('saysMuch', { lines: 250 });
    expect(await cluster.call('add', { a: 1, b: 2 })).toBe(3);
    await cluster.close();
    node.signal('SIGTERM');
    expect(await within('it ends', 10_000, node.ended)).toMatchObject({ signal: 'SIGKILL' });
  });
});
