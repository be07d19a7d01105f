/**
 * Talks to a cluster that the demo has left up:
 *
 *     node talk.js DIR nodes
 *     node talk.js DIR ask NODE stats|errors
 *     node talk.js DIR scatter JOB '{…}' [LIMIT]
 */
import type { Cluster, NodeInfo, NodeQuestion } from 'muster';
import { connect } from 'muster';
import { table } from './screen/table.ts';
import { readDirections } from './stage/directions.ts';
import { UsageError } from './usage-error.ts';

const usage = 'talk.js DIR nodes, talk.js DIR ask NODE stats|errors, or talk.js DIR scatter JOB ARGUMENTS [LIMIT]';

/** What one can do with a cluster, and how many words it takes. */
const verbs: Readonly<Record<string, (cluster: Cluster, words: readonly string[]) => Promise<void> | undefined>> = {
  nodes,
  ask: (cluster, [node, about]) => (node === undefined || about === undefined ? undefined : ask(cluster, node, about)),
  scatter: (cluster, [job, args = '{}', limit = '10']) =>
    job === undefined ? undefined : scatter(cluster, job, argumentsOf(args), limitOf(limit)),
};

async function talk([dir, verb = '', ...words]: readonly string[]): Promise<void> {
  const speak = Object.hasOwn(verbs, verb) ? verbs[verb] : undefined;
  if (dir === undefined || speak === undefined) throw new UsageError(usage);
  await using cluster = await connect(await readDirections(dir));
  const spoken = speak(cluster, words);
  if (spoken === undefined) throw new UsageError(usage);
  await spoken;
}

// oxlint-disable-next-line require-await -- all verbs are asynchronous
async function nodes(cluster: Cluster): Promise<void> {
  const lines = table<NodeInfo>(
    [
      { head: 'node', of: ({ id }) => id ?? '' },
      { head: 'address', of: ({ address }) => address },
      { head: 'state', of: ({ state }) => state },
      { head: 'jobs', of: ({ jobs }) => jobs.join(' ') },
    ],
    cluster.nodes(),
  );
  for (const line of lines) console.log(line);
}

async function ask(cluster: Cluster, node: string, about: string): Promise<void> {
  // The node refuses what it does not know, with a sentence.
  console.dir(await cluster.request(node, about as NodeQuestion), { depth: 6 });
}

async function scatter(cluster: Cluster, job: string, args: unknown, limit: number): Promise<void> {
  for await (const row of cluster.scatter(job, args, { limit })) console.log(JSON.stringify(row));
}

function argumentsOf(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new UsageError(`The arguments of the job are JSON, as in '{"field":"name","text":"San"}', not ${text}.`);
  }
}

function limitOf(text: string): number {
  if (/^\d+$/.test(text)) return Number(text);
  throw new UsageError(`LIMIT is a number of rows, not "${text}".`);
}

// Whoever reads only the first lines has what he wants.
process.stdout.on('error', () => process.exit(0));
talk(process.argv.slice(2)).catch((error: unknown) => {
  console.error(error instanceof Error ? error.message : String(error));
  process.exitCode = error instanceof UsageError ? 2 : 1;
});
