import { spawn } from 'node:child_process';
import { describe, expect, it, onTestFinished } from 'vitest';
import { Child } from './harness/child.ts';
import { within } from './harness/wait.ts';

const dist = new URL('../../packages/worker/dist/', import.meta.url).href;

/** Runs a module in a process that may open few files, with `exhaust()` and `release()`; what it says as JSON. */
async function withFewDescriptors(program: string): Promise<unknown> {
  const source = `
    import { closeSync, openSync } from 'node:fs';
    import { spawn } from 'node:child_process';
    import { once } from 'node:events';
    import { setTimeout as pause } from 'node:timers/promises';
    import { systemClock } from '@muster/rexi';
    import { companyOf, Hunter } from '${dist}reaper/hunter.js';
    import { statOf } from '${dist}reaper/processes.js';
    const held = [];
    function exhaust() {
      try {
        for (;;) held.push(openSync('/dev/null'));
      } catch (error) {
        if (error.code !== 'EMFILE') throw error;
      }
    }
    const release = () => held.splice(0).forEach((file) => closeSync(file));
    const codeOf = (look) => { try { return String(look()); } catch (error) { return error.code; } };
    const alive = (pid) => !['Z', undefined].includes(statOf(pid)?.state);
    ${program}
  `;
  const node = [process.execPath, '--input-type=module', '-e', source];
  const child = new Child(
    spawn('sh', ['-c', 'ulimit -n 100 && exec "$@"', 'sh', ...node], {
      cwd: new URL('.', import.meta.url),
      stdio: ['ignore', 'pipe', 'pipe'],
    }),
  );
  onTestFinished(() => void (child.ending === undefined && child.signal('SIGKILL')));
  const { code } = await within('the program has ended', 20_000, child.ended);
  expect([child.errors, code]).toEqual(['', 0]);
  return JSON.parse(child.output) as unknown;
}

describe('A process without a descriptor left', () => {
  it('counts nobody as gone that it cannot look at', async () => {
    const said = await withFewDescriptors(`
      exhaust();
      const blind = [codeOf(() => statOf(process.pid)), codeOf(() => companyOf({ pid: process.pid, start: 0, marker: 'none' }))];
      release();
      console.log(JSON.stringify([...blind, alive(process.pid), statOf(2 ** 22) === undefined]));
    `);
    expect(said).toEqual(['EMFILE', 'EMFILE', true, true]);
  });

  it('kills all the same, and what has escaped as soon as it can look for it', async () => {
    const said = await withFewDescriptors(`
      const env = { ...process.env, MARK: 'descriptors/' + process.pid };
      const escape = "const { spawn } = require('child_process');"
        + "const away = spawn('sleep', ['60'], { detached: true, stdio: 'ignore' }); console.log(away.pid); setInterval(() => 0, 1e6)";
      const leader = spawn(process.execPath, ['-e', escape], { env, detached: true, stdio: ['ignore', 'pipe', 'inherit'] });
      const escaped = Number(String((await once(leader.stdout, 'data'))[0]));
      const prey = { pid: leader.pid, start: statOf(leader.pid).start, marker: 'MARK=' + env.MARK };
      leader.stdout.destroy();
      await once(leader.stdout, 'close'); // It would give back a descriptor when the leader dies.
      exhaust();
      let over = false;
      const killed = new Hunter(systemClock).kill(prey).then(() => (over = true));
      await once(leader, 'exit');
      await pause(300);
      const early = over;
      release();
      const before = alive(escaped);
      const awake = setInterval(() => undefined, 1_000); // The hunter's clock lets a process end.
      await killed;
      clearInterval(awake);
      console.log(JSON.stringify({ early, before, after: alive(escaped) }));
    `);
    expect(said).toEqual({ early: false, before: true, after: false });
  });
});
