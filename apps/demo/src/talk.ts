/**
 * Talks to a cluster that the demo has left up:
 *
 *     node talk.js DIR nodes
 *     node talk.js DIR ask NODE stats|jobs|errors
 *     node talk.js DIR scatter JOB '{…}' [LIMIT]
 */
import { connect } from 'muster';
import { readDirections } from './stage/directions.ts';
import { UsageError } from './usage-error.ts';

const usage = 'talk.js DIR nodes, talk.js DIR ask NODE stats|jobs|errors, or talk.js DIR scatter JOB ARGUMENTS [LIMIT]';

async function talk([dir, verb, what = '', more = '{}', limit = '10']: readonly string[]): Promise<void> {
  if (dir === undefined) throw new UsageError(usage);
  await using cluster = await connect(await readDirections(dir));
  if (verb === 'nodes') return console.table(cluster.nodes(), ['id', 'address', 'state', 'load']);
  if (verb === 'ask') return console.dir(await cluster.request(what, more), { depth: 6 });
  if (verb !== 'scatter') throw new UsageError(usage);
  for await (const row of cluster.scatter(what, JSON.parse(more), { limit: Number(limit) }))
    console.log(JSON.stringify(row));
}

// Whoever reads only the first lines has what he wants.
process.stdout.on('error', () => process.exit(0));
talk(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : error);
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
