import type { ChaosMatchers } from '@muster/testkit/chaos';
import { chaosLab, chaosMatchers, failureOf, until } from '@muster/testkit/chaos';
import { execFile } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it, onTestFinished } from 'vitest';
import { jobsFile } from './harness/worker.ts';

declare module 'vitest' {
  // oxlint-disable-next-line typescript/no-empty-object-type -- that is how vitest is told of matchers
  interface Matchers<T> extends ChaosMatchers<T> {}
}
expect.extend(chaosMatchers);

const command = fileURLToPath(new URL('../../packages/testkit/dist/bin/muster-chaos.js', import.meta.url));
const constants = { lease: 1_500, heartbeat: 300 };

/** What the command says, and how it ended. */
async function chaos(...args: string[]): Promise<{ code: number; out: string }> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [command, ...args], {
      timeout: 110_000,
      killSignal: 'SIGKILL',
    });
    return { code: 0, out: stdout };
  } catch (error) {
    const { code = 1, stdout = '' } = error as { code?: number; stdout?: string };
    return { code, out: stdout };
  }
}

describe('A chaos lab', () => {
  it('finds nothing of a killed coordinator after its bound, and everything while it is alive for nobody', async () => {
    await using lab = await chaosLab({ nodes: 2, jobs: jobsFile, constants });
    const beat = join(lab.dir, 'beats');
    mkdirSync(beat);
    for (const job of ['spin', 'fork']) await lab.begin('scatter', job, { beat }, { over: 'nodes' });
    await lab.untilRunning(4);
    expect(lab.orphans()).toEqual([]);
    // Held links: nobody can fence, and the lease is not over.
    for (const party of ['coordinator', 'guardian']) for (const node of ['n1', 'n2']) lab.partition(party, node);
    await lab.killAll('coordinator', 'guardian');
    const late = await failureOf(lab.expectNoOrphans({ within: 200 }));
    expect(late.message).toMatch(/After 200 ms there are still \d+ processes of jobs: .*its coordinator is gone/);
    await expect(expect(lab).toLeaveNoOrphans({ within: 50 })).rejects.toThrow('its coordinator is gone');
    await expect(lab).toLeaveNoOrphans({ within: constants.lease + 500 });
  });

  it('heals a partition that was shorter than the lease without a loss', async () => {
    await using lab = await chaosLab({ nodes: ['a'], jobs: jobsFile, constants });
    const beat = join(lab.dir, 'beats');
    mkdirSync(beat);
    const ticks = await lab.begin('scatter', 'tick', { beat }, { over: 'nodes' });
    await ticks.rows(10);
    lab.partition('coordinator', 'a');
    const { rows } = await ticks.state();
    await until('the partition holds rows back', () => lab.proxy('a').of('coordinator')[0]!.heldBytes('down') > 100);
    lab.heal();
    await ticks.rows(rows + 50);
    expect(await ticks.state()).toMatchObject({ ended: false, inOrder: true });
    expect(lab.proxy('a').fired).toContain('hold');
  });

  it('says what is left when it is closed', async () => {
    const lab = await chaosLab({ nodes: 1, jobs: jobsFile, constants });
    await lab.killAll('n1', 'reaper of n1');
    expect((await failureOf(lab.close())).message).toMatch(/The lab has left something: file .*executors-/);
  });
});

describe('The command', () => {
  it('runs scenarios by seed, says what cannot be tried, and draws what happened', { timeout: 120_000 }, async () => {
    const dir = mkdtempSync(join(tmpdir(), 'muster-chaos-report-'));
    onTestFinished(() => rmSync(dir, { recursive: true }));
    const page = join(dir, 'report.html');
    const names = 'coordinator-killed,agent-and-reaper-killed,link-sliced';
    const { code, out } = await chaos('--scenario', names, '--seed', '7', '--report', page);
    expect(out).toContain('3 runs in');
    expect(out).toMatch(/, 0 failed, 0 not run, \d too busy/);
    // Where the machine has so much else to do that all three were late there is nothing more to be said.
    expect({ code, out }).toEqual({ code: out.includes(' 3 too busy') ? 1 : 0, out });
    expect(out).toMatch(/^coordinator-killed +1 +[01] +kill coordinator +\d+ ms +\d+ ms +1000 ms/m);
    expect(out).toContain('skipped: wall clock jumps');
    const html = readFileSync(page, 'utf8');
    expect(html.match(/<svg/g)).toHaveLength(3);
    expect(html).toMatch(/SIGKILL to process \d+/);
    expect(html).not.toMatch(/(src|href)=/);
  });

  it('refuses a scenario that it does not know', async () => {
    expect((await chaos('--scenario', 'earthquake')).code).toBe(2);
    expect((await chaos('--runs', 'some')).code).toBe(2);
  });
});
