// A node's agent with nothing but executors: runs the named jobs, says where they run, and waits for its end.
import { closeSync, openSync } from 'node:fs';
import { startPool } from '../../../packages/worker/dist/executor/pool.js';

const [node, dataDir, lease, ...names] = process.argv.slice(2);
const say = (line) => process.stdout.write(`${JSON.stringify(line)}\n`);
const jobs = new URL('./misbehaving.mjs', import.meta.url).href;
const pool = await startPool({
  jobs,
  node,
  dataDir,
  lease: Number(lease),
  spares: 1,
  warn: (line) => say({ warn: line }),
});

const silent = ['taken', 'rows', 'rowKeys', 'parked', 'reply', 'last', 'failed', 'stopped', 'request'];
let id = 0;
async function run(job) {
  const executor = await pool.acquire('exclusive', 'a');
  const events = Object.fromEntries(silent.map((name) => [name, () => undefined]));
  const nothing = new Uint8Array(0);
  Object.assign(events, {
    notice: () => say({ running: job, pid: executor.pid }),
    exited: (cause) => say({ exited: job, cause }),
  });
  executor.run({ id: (id += 1), job, ref: '89abcdef01234567-1', args: nothing, shard: nothing }, events);
}

for (const name of names) await run(name);
const held = [];
const orders = {
  'go on': () => void run('deaf'),
  close: () => void pool.close().then(() => process.exit(0)),
  'use up descriptors': useUp,
  'give back descriptors': () => held.splice(0).forEach(closeSync),
};
process.on('message', (order) => orders[order]());

function useUp() {
  try {
    for (;;) held.push(openSync('/dev/null'));
  } catch {
    say({ full: true });
  }
}

say({ ready: true });
setInterval(() => undefined, 60_000);
