// @ts-check
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { progress } from './report.mjs';

const home = fileURLToPath(new URL('..', import.meta.url));

/** Installs what Muster is compared with, once for each state of the lockfile. */
export function install() {
  const lock = createHash('sha256')
    .update(readFileSync(`${home}package-lock.json`))
    .digest('hex');
  const mark = `${home}node_modules/.muster-installed`;
  if (existsSync(mark) && readFileSync(mark, 'utf8') === lock) return;
  progress('Installing the libraries that Muster is compared with …');
  const { status, stdout, stderr } = spawnSync('npm', ['ci', '--no-audit', '--no-fund'], {
    cwd: home,
    encoding: 'utf8',
  });
  if (status !== 0) throw new Error(`npm ci in ${home} has failed:\n${stdout}${stderr}`);
  writeFileSync(mark, lock);
}
