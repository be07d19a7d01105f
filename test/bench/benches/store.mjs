// @ts-check
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { startChild } from '../harness/child.mjs';
import { compare } from '../harness/compare.mjs';
import { progress } from '../harness/report.mjs';
import { startSide } from '../harness/side.mjs';
import { freePorts } from '../yardsticks/moleculer-call.mjs';
import { isThere } from '../yardsticks/store-servers.mjs';

export const about = 'each connector beside the bare client of what it stands on';

const ms = 150;
const sizes = { '100B': 100, '10KB': 10_000, '1MB': 1_000_000 };
const ops = /** @type {const} */ (['put', 'get', 'exists', 'evict']);

/** @param {{ rounds: number }} options */
export async function run({ rounds }) {
  const dir = mkdtempSync(join(tmpdir(), 'muster-bench-'));
  try {
    const results = [];
    for (const kind of ['memory', 'file', 'lmdb', 'redis', 'nats'])
      results.push(...(await connector(kind, dir, rounds)));
    return results;
  } finally {
    rmSync(dir, { recursive: true, force: true });
  }
}

/** @param {string} kind @param {string} dir @param {number} rounds */
async function connector(kind, dir, rounds) {
  const { options, close } = (await prepare(kind, join(dir, kind))) ?? {};
  if (options === undefined) return [];
  const client = { kind, options };
  const ours = await startSide({ name: kind, module: module('../muster/store.mjs'), servers: 0, client });
  const bare = await startSide({
    name: 'bare client',
    module: module('../yardsticks/store-bare.mjs'),
    servers: 0,
    client,
  });
  const orders = Object.entries(sizes).flatMap(([name, size]) =>
    ops.flatMap((op) => [
      { name: `store/${kind}/${op}/${name}`, order: { op, size, inFlight: 1, ms } },
      { name: `store/${kind}/${op}/${name}/x64`, order: { op, size, inFlight: 64, ms } },
    ]),
  );
  const batch = { op: 'batch', size: sizes['10KB'], inFlight: 1, ms };
  const results = [];
  for (const { name, order } of [...orders, { name: `store/${kind}/batch-64x10KB`, order: batch }]) {
    const unit = order.op === 'batch' ? 'items/s' : 'ops/s';
    const wanted = [{ name, figure: 'rate', unit, better: /** @type {const} */ ('higher') }];
    /** @type {(readonly [import('../harness/side.mjs').Side, object])[]} */
    const sides = [
      [ours, order],
      [bare, order],
    ];
    results.push(...(await compare({ label: name, sides, wanted, rounds })));
  }
  await ours.close();
  await bare.close();
  await close?.();
  return results;
}

/** What the connector needs; undefined where that is not here. @param {string} kind @param {string} directory */
async function prepare(kind, directory) {
  if (kind === 'memory') return { options: { budget: 2 ** 40 } };
  if (kind === 'file') return { options: { directory } };
  if (kind === 'lmdb') return { options: { directory, fsync: false } };
  const program = `${kind}-server`;
  if (!isThere(program)) return progress(`store/${kind} is left out: there is no ${program} here.`);
  const { server: port } = await freePorts();
  const args =
    kind === 'redis'
      ? ['--port', `${port}`, '--bind', '127.0.0.1', '--save', '', '--appendonly', 'no']
      : ['--addr', '127.0.0.1', '--port', `${port}`, '--jetstream', '--store_dir', '.'];
  const ready = kind === 'redis' ? 'eady to accept connections' : 'Server is ready';
  const { close } = await startChild(module('../yardsticks/store-servers.mjs'), 'server', { program, args, ready });
  const options = kind === 'redis' ? { url: `redis://127.0.0.1:${port}` } : { servers: [`nats://127.0.0.1:${port}`] };
  return { options, close };
}

/** @param {string} path */
function module(path) {
  return new URL(path, import.meta.url).href;
}
