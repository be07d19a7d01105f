// npm start, npm test, npm run bench, pack, sim, chaos and soak on a machine that has nothing but Node and npm: installs
// what is missing, builds what has changed, then runs. Written in plain JavaScript on Node's own modules, since nothing else may be there yet.
import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { createHash } from 'node:crypto';
import { constants } from 'node:os';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const [task = 'start', ...args] = process.argv.slice(2);

/** What runs now. */
let child;

// Whoever ends this process means what it runs, which cleans up and is waited for. Ctrl-C goes to all of a terminal's
// processes: passed on as well, it would come twice, which means "at once" to some.
for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'])
  process.on(signal, () => (signal === 'SIGINT' && process.stdin.isTTY) || child?.kill(signal));

/** Runs a command, in the workspace's root unless told otherwise; a failure ends this process with the same code. */
async function run(command, words, { quiet = false, env = {}, cwd = root } = {}) {
  const stdio = quiet ? ['ignore', 'pipe', 'pipe'] : 'inherit';
  child = spawn(command, words, { cwd, stdio, env: { ...process.env, ...env } });
  const output = [];
  for (const stream of [child.stdout, child.stderr]) stream?.on('data', (chunk) => output.push(chunk));
  const { code, signal, error } = await new Promise((resolve) => {
    child.once('error', (failure) => resolve({ error: failure }));
    child.once('close', (status, by) => resolve({ code: status, signal: by }));
  });
  if (code === 0) return;
  process.stderr.write(Buffer.concat(output));
  if (error) console.error(`${command}: ${error.message}`);
  process.exit(code ?? (signal ? 128 + constants.signals[signal] : 1));
}

function checkNode() {
  const [major = 0, minor = 0] = process.versions.node.split('.').map(Number);
  if (major > 20 || (major === 20 && minor >= 19)) return;
  console.error(`Muster needs Node 20.19 or newer; this is ${process.version}.`);
  process.exit(1);
}

/** Installs once for each state of the lockfile. */
async function install() {
  const lock = createHash('sha256')
    .update(readFileSync(`${root}package-lock.json`))
    .digest('hex');
  const mark = `${root}node_modules/.muster-installed`;
  if (existsSync(mark) && readFileSync(mark, 'utf8') === lock) return;
  console.error('Installing dependencies …');
  await run('npm', ['ci', '--no-audit', '--no-fund'], { quiet: true });
  writeFileSync(mark, lock);
}

async function build() {
  await run('npx', ['nx', 'run-many', '-t', 'build', '--outputStyle=static'], {
    quiet: true,
    env: { NX_DAEMON: 'false', NX_TUI: 'false' },
  });
}

/** What `npm install` takes, for as long as there is no release: one file for each package, in dist/. */
async function pack() {
  const to = `${root}dist`;
  rmSync(to, { recursive: true, force: true });
  mkdirSync(to);
  const packages = readdirSync(`${root}packages`).map((name) => `./packages/${name}`);
  await run('npm', ['pack', ...packages, '--pack-destination', 'dist'], { quiet: true });
  console.log(`npm install ${to}/*.tgz`);
}

checkNode();
await install();
await build();
// Files that the user names are named from where npm was called.
if (task === 'start') await run('node', [`${root}apps/demo/dist/main.js`, ...args], { cwd: process.env.INIT_CWD });
else if (task === 'test') await run('npx', ['vitest', 'run', ...args]);
else if (task === 'pack') await pack();
else if (task === 'bench') await run('node', ['test/bench/main.mjs', ...args]);
else if (task === 'sim') await run('node', ['packages/testkit/dist/bin/muster-sim.js', ...args]);
else if (task === 'chaos' || task === 'soak')
  await run(
    'node',
    [`${root}packages/testkit/dist/bin/muster-chaos.js`, ...(task === 'soak' ? ['--soak'] : []), ...args],
    {
      cwd: process.env.INIT_CWD,
    },
  );
else {
  console.error(`There is no task "${task}"; there are start, test, bench, pack, sim, chaos and soak.`);
  process.exit(2);
}
