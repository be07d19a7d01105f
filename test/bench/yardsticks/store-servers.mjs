// @ts-check
// The servers that connectors need: programs, no npm packages. Where one is missing, its connector is left out.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

/** @param {string} program */
export function isThere(program) {
  return spawnSync(program, ['--version'], { stdio: 'ignore' }).status === 0;
}

/**
 * Runs a server for as long as this process lives.
 * @param {{ program: string, args: string[], ready: string }} options `ready`: what it says when it is
 * @returns {Promise<import('../harness/child.mjs').Role>}
 */
export async function server({ program, args, ready }) {
  const dir = mkdtempSync(join(tmpdir(), `${program}-`));
  const child = spawn(program, args, { cwd: dir, stdio: ['ignore', 'pipe', 'pipe'] });
  process.on('exit', () => {
    child.kill('SIGKILL');
    rmSync(dir, { recursive: true, force: true });
  });
  await new Promise((resolve, reject) => {
    const hear = (/** @type {unknown} */ text) => String(text).includes(ready) && resolve(undefined);
    child.stdout.on('data', hear);
    child.stderr.on('data', hear);
    child.on('exit', () => reject(new Error(`${program} has ended.`)));
  });
  return {
    close: async () => {
      child.kill('SIGKILL');
      await once(child, 'exit');
    },
  };
}
