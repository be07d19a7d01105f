import { parseArgs } from 'node:util';
import { UsageError } from './usage-error.ts';

export const usage = `Runs a Muster cluster on this machine: real processes, real data,
four queries, and a kill.

  npm start
  npm start -- [options]

  --nodes N          worker nodes, 1 to 16 (default 4)
  --replicas N       nodes that hold a copy of each shard (default 2)
  --shards N         shards, 1 to 256 (default 16)
  --lease MS         how long a node believes in a silent coordinator, at least 2000 (default 5000)

  --data FILE        your own rows instead of the cities: one JSON object a line
  --key FIELD        the field that names a row of FILE; every row must have it
  --near VALUE       the ten rows nearest to VALUE: LAT,LON for the cities; for FILE a number in its
                     key, or FIELD=NUMBER in another field (default: what its first row has)
  --group FIELD      count rows by FIELD (default for FILE: a text that repeats)
  --prefix TEXT      rows that start with TEXT; for FILE in its key, or FIELD=TEXT in another field

  --no-kill          leave out part 5, which takes the longest
  --keep             leave the cluster up afterwards, until Ctrl-C
  --help             this text`;

export interface Options {
  readonly help: boolean;
  readonly nodes: number;
  readonly replicas: number;
  readonly shards: number;
  /** Milliseconds. */
  readonly lease: number;
  readonly data: string | undefined;
  readonly key: string | undefined;
  readonly near: string | undefined;
  readonly group: string | undefined;
  readonly prefix: string | undefined;
  readonly kill: boolean;
  readonly keep: boolean;
}

/** Reads the command line. @throws UsageError */
export function readOptions(argv: readonly string[]): Options {
  const values = parse(argv);
  const nodes = whole('nodes', values.nodes, { least: 1, most: 16, usual: 4 });
  const options: Options = {
    help: values.help ?? false,
    nodes,
    replicas: whole('replicas', values.replicas, { least: 1, most: nodes, usual: Math.min(2, nodes) }),
    shards: whole('shards', values.shards, { least: 1, most: 256, usual: 16 }),
    lease: whole('lease', values.lease, { least: 2_000, most: 60_000, usual: 5_000 }),
    data: values.data,
    key: values.key,
    near: values.near,
    group: values.group,
    prefix: values.prefix,
    kill: !(values['no-kill'] ?? false),
    keep: values.keep ?? false,
  };
  checkTogether(options);
  return options;
}

/** Inferred: what `parseArgs` returns for these options has no shorter name. */
function parse(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const flag = { type: 'boolean' } as const;
  const numbers = { nodes: text, replicas: text, shards: text, lease: text };
  const own = { data: text, key: text, near: text, group: text, prefix: text };
  try {
    const options = { ...numbers, ...own, 'no-kill': flag, keep: flag, help: flag };
    return parseArgs({ args: [...argv], options }).values;
  } catch (error) {
    const [sentence] = error instanceof Error ? error.message.split('\n') : [String(error)];
    throw new UsageError(`${sentence} (--help lists the options)`);
  }
}

function checkTogether({ data, key }: Options): void {
  if (data === undefined && key !== undefined) {
    throw new UsageError(`--key ${key} says something about a file of yours, but --data FILE is missing.`);
  }
}

function whole(
  name: string,
  text: string | undefined,
  { least, most, usual }: { readonly least: number; readonly most: number; readonly usual: number },
): number {
  if (text === undefined) return usual;
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= least && value <= most) return value;
  throw new UsageError(`--${name} takes a whole number from ${least} to ${most}, not "${text}".`);
}
