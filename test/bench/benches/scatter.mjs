// @ts-check
import { availableParallelism } from 'node:os';
import { startChild } from '../harness/child.mjs';
import { compare } from '../harness/compare.mjs';
import { progress } from '../harness/report.mjs';
import { startSide } from '../harness/side.mjs';
import { startMuster } from '../muster/cluster.mjs';
import { freePorts } from '../yardsticks/moleculer-call.mjs';
import { isThere } from '../yardsticks/nats-scatter.mjs';

export const about = 'one small reply each of 4, 64 and 512 parts over 4 nodes: milliseconds until all are there';

const servers = 4;
const widths = [4, 64, 512];
const args = { text: 'x'.repeat(16) };
const ms = 700;
/** A part passes three processes, of a dozen on this machine, each of which is compiled as it runs: as in `call`, and longer. */
const warmUp = 8;
/** Where a server hands parts on to processes, it has as many as a node has shared executors. */
const processes = availableParallelism();

/** @param {{ rounds: number }} options */
export async function run({ rounds }) {
  const muster = await startMuster({ bench: 'scatter', jobs: 'call', servers, lane: 128 });
  const grpc = await startSide({ name: 'grpc-js', module: yardstick('grpc-scatter.mjs'), servers });
  const alike = await startSide({
    name: 'grpc-js and processes',
    module: yardstick('grpc-scatter.mjs'),
    servers,
    serving: { processes },
  });
  const floor = await startSide({ name: 'corked ws floor', module: yardstick('ws-scatter.mjs'), servers });
  const nats = await startNats();
  const results = [];
  for (const width of widths) {
    const order = { width, ms, args };
    const name = `scatter/${width}`;
    const sides = [muster, grpc, alike, floor, ...(nats === undefined ? [] : [nats.side])];
    const wanted = [{ name, figure: 'p50', unit: 'ms', better: /** @type {const} */ ('lower') }];
    results.push(
      ...(await compare({
        label: name,
        sides: sides.map((side) => /** @type {const} */ ([side, order])),
        wanted,
        rounds,
        warmUp,
      })),
    );
  }
  for (const side of [muster, grpc, alike, floor, nats?.side]) await side?.close();
  await nats?.broker.close();
  return results;
}

async function startNats() {
  if (!isThere()) return progress('NATS is left out: there is no program nats-server on the path.');
  const { server: port } = await freePorts();
  const module = yardstick('nats-scatter.mjs');
  const broker = await startChild(module, 'broker', { port });
  const side = await startSide({ name: 'NATS requestMany', module, servers, serving: { port, widths, servers } });
  return { broker, side };
}

/** @param {string} file */
function yardstick(file) {
  return new URL(`../yardsticks/${file}`, import.meta.url).href;
}
