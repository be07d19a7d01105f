// npm start, npm test, npm run bench, pack and sim on a machine that has nothing but Node and npm: installs what is missing, builds
// what has changed, then runs. Written in plain JavaScript on Node's own modules, since nothing else may be there yet.
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [task = 'start', ...args] = process.argv.slice(2);

/** Runs a command, in the workspace's root unless told otherwise; a failure ends this process with the same code. */
function run(command, words, { quiet = false, env = {}, cwd = root } = {}) {
  const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit';
  const result = spawnSync(command, words, { cwd, stdio, env: { ...process.env, ...env }, encoding: 'utf8' });
  if (result.status === 0) return;
  if (quiet) process.stderr.write(`${result.stdout ?? ''}${result.stderr ?? ''}`);
  if (result.error) console.error(`${command}: ${result.error.message}`);
  process.exit(result.status ?? 1);
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Muster needs Node 20.19 or newer; this is ${process.version}.`);
  process.exit(1);
}

/** Installs once for each state of the lockfile. */
function install() {
  const lock = createHash('sha256')
    .update(readFileSync(`${root}package-lock.json`))
    .digest('hex');
  const mark = `${root}node_modules/.muster-installed`;
  if (existsSync(mark) && readFileSync(mark, 'utf8') === lock) return;
  console.error('Installing dependencies …');
  run('npm', ['ci', '--no-audit', '--no-fund'], { quiet: true });
  writeFileSync(mark, lock);
}

function build() {
  run('npx', ['nx', 'run-many', '-t', 'build', '--outputStyle=static'], {
    quiet: true,
    env: { NX_DAEMON: 'false', NX_TUI: 'false' },
  });
}

/** What `npm install` takes, for as long as there is no release: one file for each package, in dist/. */
function pack() {
  const to = `${root}dist`;
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to);
  const packages = readdirSync(`${root}packages`).map((name) => `./packages/${name}`);
  run('npm', ['pack', ...packages, '--pack-destination', 'dist'], { quiet: true });
  console.log(`npm install ${to}/*.tgz`);
}

checkNode();
install();
build();
// Files that the user names are named from where npm was called.
if (task === 'start') run('node', [`${root}apps/demo/dist/main.js`, ...args], { cwd: process.env.INIT_CWD });
else if (task === 'test') run('npx', ['vitest', 'run', ...args]);
else if (task === 'pack') pack();
else if (task === 'bench') run('node', ['test/bench/main.mjs', ...args]);
else if (task === 'sim') run('node', ['packages/testkit/dist/bin/muster-sim.js', ...args]);
else {
  console.error(`There is no task "${task}"; there are start, test, bench, pack and sim.`);
  process.exit(2);
}
