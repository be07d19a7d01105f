// @ts-check
import { setTimeout as sleep } from 'node:timers/promises';
import { startChild } from '../harness/child.mjs';
import { compare } from '../harness/compare.mjs';
import { quantile } from '../harness/figures.mjs';
import { progress } from '../harness/report.mjs';
import { startSide } from '../harness/side.mjs';
import { newSecret, scratch } from '../muster/cluster.mjs';

export const about = 'links are reset at random bytes under load: the time without rows, and rows lost and doubled';

const resets = 1_000;
/** Bytes after which a connection is reset, at most. */
const most = 2 ** 21;
/** Milliseconds after which resets that were not made are a failure. */
const patience = 900_000;

/** @param {{ rounds: number, quick?: boolean }} options */
export async function run({ rounds, quick = false }) {
  const count = quick ? resets / 10 : resets;
  return [...(await underResets(count)), ...(await cost(rounds))];
}

/** @param {number} count */
async function underResets(count) {
  const secret = newSecret();
  const module = new URL('../muster/resume.mjs', import.meta.url).href;
  const proxy = await startChild(new URL('../harness/resetting-proxy.mjs', import.meta.url).href, 'proxy', null);
  const advertise = [`127.0.0.1:${proxy.ready}`];
  const serving = { index: 0, jobs: 'rows', dir: scratch(), secret, advertise, niceness: 0 };
  const node = await startChild(module, 'serve', serving);
  await proxy.ask('aim', Number(new URL(node.ready).port));
  const client = await startChild(module, 'client', { addresses: [`ws://${advertise[0]}`], secret });
  await client.ask('begin');
  await proxy.ask('reset', count, most);
  const end = performance.now() + patience;
  for (let made = 0; made < count; made = await proxy.ask('made')) {
    if (performance.now() > end) throw new Error(`${made} of ${count} resets were made in ${patience} ms.`);
    progress(`resume: ${made} of ${count} resets`);
    await sleep(2_000);
  }
  await sleep(2_000);
  const { gaps, rows, lost, doubled, ended } = await client.ask('state');
  progress(`resume: ${rows} rows, ${gaps.length} gaps, ${ended} streams ended`);
  if (ended > 0) throw new Error(`${ended} streams have ended, and none should.`);
  for (const child of [client, node, proxy]) await child.close();
  const extremes = { min: Math.min(...gaps), max: Math.max(...gaps) };
  return [
    { name: 'resume/gap-ms/p50', unit: 'ms', value: quantile(gaps, 0.5), ...extremes },
    { name: 'resume/gap-ms/p99', unit: 'ms', value: quantile(gaps, 0.99), ...extremes },
    { name: 'resume/rows-lost', unit: 'rows', value: lost, min: lost, max: lost },
    { name: 'resume/rows-doubled', unit: 'rows', value: doubled, min: doubled, max: doubled },
  ];
}

/** Rows a second of a link that keeps what it has sent until it is acked, beside one that does not. @param {number} rounds */
async function cost(rounds) {
  const order = { count: 12_000_000 };
  const sides = [await side('with the store', true), await side('without it', false)];
  const results = await compare({
    label: 'resume/cost',
    sides: sides.map((one) => /** @type {const} */ ([one, order])),
    wanted: [{ name: 'resume/cost', figure: 'rows', unit: 'rows/s', better: 'higher' }],
    rounds: Math.max(rounds, 5),
  });
  for (const one of sides) await one.close();
  return results;
}

/** @param {string} name @param {boolean} store */
function side(name, store) {
  const module = new URL('../muster/resume-link.mjs', import.meta.url).href;
  const options = { secret: newSecret(), store };
  return startSide({ name, module, servers: 1, serving: options, client: options });
}
