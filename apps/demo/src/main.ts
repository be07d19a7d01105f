import { relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { DataSet } from './data/data-set.ts';
import { Interruption, interruption } from './interruption.ts';
import type { Options } from './options.ts';
import { readOptions, usage } from './options.ts';
import type { Cast } from './play.ts';
import { play } from './play.ts';
import { complain, say, title } from './screen/screen.ts';
import { Stage } from './stage/stage.ts';
import { strike } from './strike.ts';
import { UsageError } from './usage-error.ts';

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.help) return console.log(usage);
  const data = await dataOf(options);
  const began = performance.now();
  const interrupted = interruption();
  const stage = await Stage.set(options.lease);
  const cast: Cast = { cluster: undefined };
  try {
    const played = play(options, data, stage, cast);
    // When it is interrupted, what it was about to say is of no interest.
    played.catch(() => undefined);
    await Promise.race([played, interrupted]);
    if (options.keep) await keep(stage, cast, data, interrupted);
  } finally {
    await strike(stage, cast, began);
  }
}

async function dataOf(options: Options): Promise<DataSet> {
  if (options.data === undefined) return (await import('./data/cities.ts')).readCities(options);
  return (await import('./data/own-file.ts')).readOwnFile(options.data, options);
}

/** Leaves the nodes up, without a coordinator, until somebody says so. */
async function keep(stage: Stage, cast: Cast, { prefix }: DataSet, interrupted: Promise<never>): Promise<void> {
  await (await cast.cluster)?.close();
  const talk = `node ${programAt(new URL('./talk.js', import.meta.url))} ${stage.dir}`;
  const muster = `node ${programAt(new URL(import.meta.resolve('muster/muster')))}`;
  const there = `--nodes ${stage.addresses.join(',')} --secret ${stage.secretFile}`;
  title('The nodes stay up. In another terminal:');
  say(`${talk} nodes`);
  say(`${talk} ask n1 stats`);
  say(`${talk} scatter startingWith ${quoted(JSON.stringify(prefix))} 5`);
  say('');
  say(`${muster} nodes ${there}`);
  say(`${muster} watch ${there}`);
  say(`${muster} drain n1 ${there}`);
  say('');
  say('Ctrl-C here ends them.');
  const forever = setInterval(() => undefined, 2 ** 30);
  try {
    await interrupted;
  } catch (error) {
    if (!(error instanceof Interruption)) throw error;
  } finally {
    clearInterval(forever);
  }
}

/** As one says it from here. */
function programAt(url: URL): string {
  return relative(process.cwd(), fileURLToPath(url));
}

/** As a shell takes it. */
function quoted(text: string): string {
  return `'${text.replaceAll("'", `'\\''`)}'`;
}

main().then(
  () => process.exit(0),
  (error: unknown) => {
    if (error instanceof UsageError || error instanceof Interruption) complain(error.message);
    else complain(error instanceof Error ? (error.stack ?? error.message) : String(error));
    process.exit(error instanceof UsageError ? 2 : error instanceof Interruption ? error.exitCode : 1);
  },
);
