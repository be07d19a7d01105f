// @ts-check
import { compare } from '../harness/compare.mjs';
import { startSide } from '../harness/side.mjs';
import { startMuster } from '../muster/cluster.mjs';

export const about = 'rows from nodes to a for await: per second, and by the byte';

const servers = 4;

/** Rows of a measurement: about half a second of them. gRPC gets fewer, being slower. */
const sizes = [
  { label: '100B', size: 100, count: 400_000, slow: 60_000, figure: 'rows', unit: 'rows/s' },
  { label: '10KB', size: 10_000, count: 32_000, slow: 4_000, figure: 'megabytes', unit: 'MB/s' },
];

/** @param {{ rounds: number }} options */
export async function run({ rounds }) {
  const muster = await startMuster({ bench: 'rows', servers });
  const bare = await yardstick('ws+msgpackr loop', 'ws-rows.mjs', { records: false });
  const records = await yardstick('the same with records', 'ws-rows.mjs', { records: true });
  const grpc = await yardstick('grpc-js', 'grpc-rows.mjs', {});
  const results = [];
  for (const { label, size, count, slow, figure, unit } of sizes) {
    for (const nodes of [1, servers]) {
      for (const by of size > 1_000 ? ['batch'] : ['row', 'batch']) {
        const name = `rows/${label}/${nodes}node/by-${by}`;
        const order = { nodes, count, size, by };
        results.push(
          ...(await compare({
            label: name,
            sides: [
              [muster, order],
              [bare, order],
              [records, order],
              [grpc, { ...order, count: slow }],
            ],
            wanted: [{ name, figure, unit, better: 'higher' }],
            rounds,
          })),
        );
      }
    }
  }
  for (const side of [muster, bare, records, grpc]) await side.close();
  return results;
}

/** @param {string} name @param {string} file @param {object} options */
function yardstick(name, file, options) {
  const module = new URL(`../yardsticks/${file}`, import.meta.url).href;
  return startSide({ name, module, servers, serving: options, client: options });
}
