import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ChaosError } from '../chaos-error.ts';

/** Gives a directory a file system of its own, in memory. @throws ChaosError where that is not allowed, as it is to root. */
export function mountSmall(dir: string, bytes: number): void {
  mkdirSync(dir, { recursive: true });
  const words = ['-t', 'tmpfs', '-o', `size=${bytes}`, 'muster-chaos', dir];
  const { status, stderr, error } = spawnSync('mount', words, { encoding: 'utf8' });
  if (error === undefined && status === 0) return;
  throw new ChaosError(`A small file system could not be mounted: ${error?.message ?? stderr.trim()}`, error);
}

export function unmount(dir: string): void {
  spawnSync('umount', ['--lazy', dir], { stdio: 'ignore' });
}

/** Whether this process may mount file systems. */
export function canMount(): boolean {
  const dir = mkdtempSync(join(tmpdir(), 'muster-chaos-mount-'));
  try {
    mountSmall(dir, 4_096);
    unmount(dir);
    return true;
  } catch {
    return false;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

const fillerName = 'filler';

/** Writes until nothing more fits, into a file that `makeRoom` takes away. @throws ChaosError when so much fits as `most`. */
export function fill(dir: string, most: number): void {
  const file = join(dir, fillerName);
  try {
    for (let written = 0; written <= most; written += 4_096) writeFileSync(file, Buffer.alloc(4_096), { flag: 'a' });
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOSPC') return;
    throw error;
  }
  throw new ChaosError(`${dir} takes more than ${most} bytes: it is no small file system.`);
}

export function makeRoom(dir: string): void {
  rmSync(join(dir, fillerName), { force: true });
}
