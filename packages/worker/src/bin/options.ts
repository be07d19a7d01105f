import { ClusterError, defaults } from '@muster/rexi';
import { parseArgs } from 'node:util';

export const usage = `muster-worker: a worker node of Muster.

  muster-worker --id NAME --jobs FILE --secret FILE [options]

  --id NAME            the node's name, unique in the cluster
  --jobs FILE          the module that exports the jobs
  --secret FILE        file (mode 0600) with the cluster secret; - reads it from standard input
  --listen ADDRESS     where to listen (default ws://127.0.0.1:0, a free port)
  --advertise A,B      host:port under which the node may be dialled as well (proxies, port mappings)
  --data-dir DIR       the node's own directory (default ./.muster/NAME)
  --lane NAME=N[,Q]    at most N jobs of a lane at a time (default 64), and Q waiting (10000); may be repeated
  --executors N        executors at most (default 64)
  --spares N           executors kept warm (default 2)
  --objects BYTES      most bytes of objects held (default 1 GiB)
  --set NAME=VALUE     a constant of the protocol; may be repeated (see --config)
  --plaintext          listen beyond loopback without encryption
  --json               one JSON object a line: ready, and the node's history
  --config             print the constants as they would be, and exit
  --help, --version`;

export interface WorkerOptions {
  readonly id: string;
  readonly jobs: string;
  readonly secret: string;
  readonly listen: string;
  readonly advertise: readonly string[];
  readonly dataDir: string;
  readonly lanes: Readonly<Record<string, { concurrency: number; queue?: number }>>;
  readonly executors: number | undefined;
  readonly spares: number | undefined;
  readonly objects: number | undefined;
  readonly constants: Readonly<Record<string, number>>;
  readonly plaintext: boolean;
  readonly json: boolean;
  readonly only: 'help' | 'version' | 'config' | undefined;
}

/** Reads the command line. @throws ClusterError `bad_options` with a sentence that says what to do. */
export function readOptions(argv: readonly string[]): WorkerOptions {
  const { values } = parse(argv);
  const only = values.help ? 'help' : values.version ? 'version' : values.config ? 'config' : undefined;
  const need = (name: 'id' | 'jobs' | 'secret'): string => {
    const value = values[name];
    if (value === undefined && only === undefined) throw bad(`--${name} is missing; --help tells what it is.`);
    return value ?? '';
  };
  const id = need('id');
  return {
    id,
    jobs: need('jobs'),
    secret: need('secret'),
    listen: values.listen ?? 'ws://127.0.0.1:0',
    advertise: values.advertise?.split(',') ?? [],
    dataDir: values['data-dir'] ?? `.muster/${id}`,
    lanes: Object.fromEntries((values.lane ?? []).map(lane)),
    executors: values.executors === undefined ? undefined : count('executors', values.executors),
    spares: values.spares === undefined ? undefined : count('spares', values.spares),
    objects: values.objects === undefined ? undefined : count('objects', values.objects),
    constants: Object.fromEntries((values.set ?? []).map(setting)),
    plaintext: values.plaintext ?? false,
    json: values.json ?? false,
    only,
  };
}

/** Inferred: what `parseArgs` returns for these options has no shorter name. */
function parse(argv: readonly string[]) {
  const text = { type: 'string' } as const;
  const many = { type: 'string', multiple: true } as const;
  const flag = { type: 'boolean' } as const;
  try {
    return parseArgs({
      args: [...argv],
      options: {
        id: text,
        jobs: text,
        secret: text,
        listen: text,
        advertise: text,
        'data-dir': text,
        lane: many,
        executors: text,
        spares: text,
        objects: text,
        set: many,
        plaintext: flag,
        json: flag,
        config: flag,
        help: flag,
        version: flag,
      },
    });
  } catch (error) {
    throw bad(`${error instanceof Error ? error.message.split('\n')[0] : String(error)} (--help lists the options)`);
  }
}

function lane(text: string): [string, { concurrency: number; queue?: number }] {
  const match = /^([\w.-]{1,64})=(\d+)(?:,(\d+))?$/.exec(text);
  if (match === null) throw bad(`"--lane ${text}" is not NAME=N or NAME=N,Q.`);
  const [, name = '', concurrency = '', queue] = match;
  return [name, { concurrency: count('lane', concurrency), ...(queue === undefined ? {} : { queue: Number(queue) }) }];
}

function setting(text: string): [string, number] {
  const [name = '', value = ''] = text.split('=');
  if (!Object.hasOwn(defaults, name)) throw bad(`There is no constant "${name}"; --config prints all.`);
  return [name, count(name, value, name === 'killGrace' ? 0 : 1)];
}

function count(name: string, text: string, least: number = name === 'spares' ? 0 : 1): number {
  const value = Number(text);
  if (!/^\d+$/.test(text) || !Number.isSafeInteger(value) || value < least)
    throw bad(`--${name} takes a whole number of at least ${least}, not "${text}".`);
  return value;
}

function bad(message: string): ClusterError {
  return new ClusterError('bad_options', message);
}
