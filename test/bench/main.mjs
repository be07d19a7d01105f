// @ts-check
import { parseArgs } from 'node:util';
import { endAll } from './harness/child.mjs';
import { install } from './harness/install.mjs';
import { profileInto } from './harness/profiles.mjs';
import { asChart, asJson, asTable, progress } from './harness/report.mjs';

const names = ['rows', 'call', 'scatter', 'kill', 'resume', 'memory', 'sim', 'store'];

const usage = `npm run bench -- NAME [--json] [--quick] [--profile DIR]

  rows      rows from nodes to a for await, beside a bare ws loop and grpc-js
  call      one value there and back, beside a bare ws echo and moleculer
  scatter   one small reply of each of many parts, beside grpc-js, a bare ws floor and NATS
  kill      a coordinator is killed: how long its jobs outlive it
  resume    links are reset under load: the time without rows, and what keeping frames costs
  memory    512 streams that are read slowly, and what an idle node costs
  sim       a cluster under virtual time: how much faster than real time
  store     each connector beside the bare client of what it stands on

  --json         one JSON object on standard output, and nothing else there
  --quick        two rounds instead of five
  --profile DIR  measures once more under the profiler: profiles into DIR, self times on standard error`;

/** @param {string} sentence @returns {never} */
function refuse(sentence) {
  console.error(sentence);
  process.exit(2);
}

function readArguments() {
  try {
    const flag = /** @type {const} */ ({ type: 'boolean', default: false });
    const options = { json: flag, quick: flag, help: flag, profile: /** @type {const} */ ({ type: 'string' }) };
    return parseArgs({ allowPositionals: true, options });
  } catch (error) {
    return refuse(`${error instanceof Error ? error.message : String(error)}\n\n${usage}`);
  }
}

async function main() {
  const { values, positionals } = readArguments();
  if (values.help) return console.log(usage);
  const [name, ...more] = positionals;
  if (name === undefined) return refuse(`Say which benchmark: ${names.join(', ')}.`);
  if (!names.includes(name)) return refuse(`There is no benchmark "${name}"; there are ${names.join(', ')}.`);
  if (more.length > 0) return refuse(`One benchmark at a time, please; "${more.join(' ')}" is one too many.`);
  for (const signal of /** @type {const} */ (['SIGINT', 'SIGTERM'])) process.once(signal, () => void end(130));
  install();
  if (values.profile !== undefined) profileInto(values.profile);
  const { run } = await import(`./benches/${name}.mjs`);
  /** @type {import('./harness/compare.mjs').Result[]} */
  const results = await run({ rounds: values.quick ? 2 : 5, quick: values.quick });
  if (values.json) return console.log(asJson(name, results));
  console.log(`\n${asTable(results)}\n\n${asChart(results)}`);
}

/** @param {number} code */
async function end(code) {
  await endAll();
  process.exit(code);
}

await main().catch((error) => {
  progress(error instanceof Error ? (error.stack ?? error.message) : String(error));
  return end(1);
});
