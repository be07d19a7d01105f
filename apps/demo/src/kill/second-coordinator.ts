/**
 * The second coordinator: a process of its own that scatters endless jobs, reads what they send, and waits to be killed.
 *
 *     node second-coordinator.js '{"nodes":[…],"secretFile":"…",…}'
 */
import { readFileSync } from 'node:fs';
import { connect } from 'muster';
import type * as jobs from '../jobs.ts';

/** What it is told. */
export interface Order {
  readonly nodes: readonly string[];
  /** Names of the nodes, in the same order. */
  readonly names: readonly string[];
  readonly secretFile: string;
  readonly lease: number;
  /** Endless loops, and as many endless streams. */
  readonly loops: number;
}

/** What it tells the demo. */
export type Report = { readonly incarnation: string } | { readonly rows: number };

const { nodes, names, secretFile, lease, loops } = JSON.parse(process.argv[2] ?? '') as Order;
const places = (kind: string) =>
  Array.from({ length: loops }, (_, i) => ({ id: `${kind} ${i}`, nodes: [names[i % names.length] ?? ''] }));
const spins = places('spin');
const ticks = places('tick');

function report(message: Report): void {
  process.send?.(message);
}

// A demo that dies takes it along: it would wait for ever.
process.on('disconnect', () => process.exit(1));
const cluster = await connect<typeof jobs>({
  id: 'second',
  nodes,
  secret: readFileSync(secretFile, 'utf8'),
  minNodes: nodes.length,
  shards: [...spins, ...ticks],
  constants: { lease },
});
report({ incarnation: cluster.incarnation });

let rows = 0;
setInterval(() => report({ rows }), 50);
const spinning = cluster.jobs.spin.scatter(undefined, { over: spins.map(({ id }) => id) }).toArray();
const ticking = (async () => {
  for await (const batch of cluster.jobs.tick.scatter(undefined, { over: ticks.map(({ id }) => id) }).batches())
    rows += batch.length;
})();
await Promise.all([spinning, ticking]);
