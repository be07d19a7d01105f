// A service with a cluster of its own: `node local.mjs JOBS stay|leave|close`. Says what it has, and does as it is told.
import { Cluster } from 'muster';

const [jobs, how] = process.argv.slice(2);
const cluster = await Cluster.local({ jobs, nodes: 2 });
const { pid } = await cluster.jobs.where();
process.stdout.write(`${JSON.stringify({ nodes: cluster.nodes(), pid })}\n`);
if (how === 'stay') await cluster.jobs.nap({ ms: 600_000 });
if (how === 'close') await cluster.close();
