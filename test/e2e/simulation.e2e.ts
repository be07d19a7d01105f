import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { describe, expect, it } from 'vitest';

const command = fileURLToPath(new URL('../../packages/testkit/dist/bin/muster-sim.js', import.meta.url));

/** What the command says, and how it ended. */
async function sim(...args: string[]): Promise<{ code: number; out: string }> {
  try {
    const { stdout } = await promisify(execFile)(process.execPath, [command, ...args], { maxBuffer: 2 ** 26 });
    return { code: 0, out: stdout };
  } catch (error) {
    const { code = 1, stdout = '' } = error as { code?: number; stdout?: string };
    return { code, out: stdout };
  }
}

describe('The simulation', () => {
  it(
    'keeps every promise over 1,000 seeds in safety mode and 200 in liveness mode, with every kind of fault',
    { timeout: 600_000 },
    async () => {
      const { code, out } = await sim('--seeds', '1000');
      // The table, and behind it what failed and how to see it again.
      const table = out.slice(Math.max(0, out.lastIndexOf('seeds  ')));
      expect(out).not.toContain('not run');
      expect({ code, table }).toEqual({ code: 0, table });
      expect(out).toMatch(/^seeds +1200 \(12 run twice\)$/m);
    },
  );

  it('replays a seed with some of its faults, by the line that it prints', { timeout: 120_000 }, async () => {
    const failed = await sim('--seeds', '2', '--mode', 'safety', '--bug', 'window-off-by-one-row');
    expect(failed.code).toBe(1);
    const line = /npm run sim -- (--seed .*--keep .*)/.exec(failed.out)?.[1] ?? '';
    const again = await sim(...line.split(' '));
    expect(again.code).toBe(1);
    expect(again.out).toContain('windowGranted');
  });

  it('refuses a fault and a bug that it does not know', { timeout: 60_000 }, async () => {
    expect((await sim('--faults', 'earthquake')).code).toBe(2);
    expect((await sim('--planted', '--bug', 'none')).code).toBe(2);
    expect((await sim('--seeds', 'many')).code).toBe(2);
  });
});
