// @ts-check
import { randomBytes } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startSide } from '../harness/side.mjs';

/** A directory of this run alone, removed with it. */
export function scratch() {
  const dir = mkdtempSync(join(tmpdir(), 'muster-bench-'));
  process.on('exit', () => rmSync(dir, { recursive: true, force: true }));
  return dir;
}

/** What nodes and coordinators of one cluster share. */
export function newSecret() {
  return randomBytes(24).toString('hex');
}

/**
 * Nodes with the jobs of `jobs/NAME.mjs`, and a coordinator with the verbs of `muster/NAME.mjs`. Their executors do not
 * stand back, as they do by default: nothing of what they are compared with does, and on a machine that others use as
 * well it is their load that would be measured.
 * @param {{ bench: string, jobs?: string, servers: number, lane?: number }} options
 */
export function startMuster({ bench, jobs = bench, servers, lane = 64 }) {
  const secret = newSecret();
  const module = new URL(`${bench}.mjs`, import.meta.url).href;
  return startSide({
    name: 'Muster',
    module,
    servers,
    serving: { jobs, dir: scratch(), secret, lane, niceness: 0 },
    client: { secret },
  });
}
