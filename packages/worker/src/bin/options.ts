import type { LogLevel, TlsOptions } from '@muster/rexi';
import { ClusterError, constants, defaults, logLevels } from '@muster/rexi';
import { parseArgs } from 'node:util';
import { isLogLevel } from '../log/log.ts';

export const usage = `muster-worker: a worker node of Muster.

  muster-worker --id NAME --jobs FILE --secret FILE [options]

  --id NAME            the node's name, unique in the cluster
  --jobs FILE          the module that exports the jobs (.ts needs Node 22.18)
  --secret FILE        file (mode 0600) with the cluster secret; - reads it from standard input
  --listen ADDRESS     where to listen (default ws://127.0.0.1:0, a free port; wss:// with TLS)
  --advertise A,B      host:port under which the node may be dialled as well (proxies, port mappings)
  --data-dir DIR       the node's own directory (default ./.muster/NAME)
  --lane NAME=N[,Q]    at most N jobs of a lane at a time (default 64), and Q waiting (10000); may be repeated
  --executors N        executors at most (default 64)
  --spares N           executors kept warm (default 2)
  --load-timeout MS    milliseconds that the jobs module may take to load (default 30000)
  --objects SIZE       most bytes of objects held: a number, or one with KiB, MiB, GiB, kB, MB or GB (default 1GiB)
  --set NAME=VALUE     a constant of the protocol; may be repeated (see --config)
  --tls-ca FILE        the authority whose certificates are believed; with it and the next two links are wss://
  --tls-cert FILE      the node's certificate, whose subject has CN=NAME and OU=worker; SIGHUP reads the files anew
  --tls-key FILE       the key of that certificate (mode 0600)
  --tls-pin PIN        a key that may come in beside what certificates say (sha256/…); may be repeated (default any)
  --plaintext          listen beyond loopback without encryption
  --json               one JSON object a line: ready and the node's history, and on standard error the log
  --log-level LEVEL    what is logged on standard error: silent, error, warn, info (default) or debug
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
  readonly loadTimeout: number | undefined;
  readonly objects: number | undefined;
  readonly constants: Readonly<Record<string, number>>;
  readonly tls: TlsOptions | undefined;
  readonly plaintext: boolean;
  readonly json: boolean;
  readonly logLevel: LogLevel;
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
  for (const [name, value] of Object.entries(values)) if (value === '') throw wrong(name, '', 'it is empty');
  const id = need('id');
  const tls = certificates(values);
  return {
    id,
    jobs: need('jobs'),
    secret: need('secret'),
    listen: values.listen ?? `${tls ? 'wss' : 'ws'}://127.0.0.1:0`,
    advertise: values.advertise?.split(',') ?? [],
    dataDir: values['data-dir'] ?? `.muster/${id}`,
    lanes: Object.fromEntries((values.lane ?? []).map(lane)),
    executors: values.executors === undefined ? undefined : count('executors', values.executors, 1),
    spares: values.spares === undefined ? undefined : count('spares', values.spares, 0),
    loadTimeout: values['load-timeout'] === undefined ? undefined : count('load-timeout', values['load-timeout'], 1),
    objects: values.objects === undefined ? undefined : size('objects', values.objects),
    constants: Object.fromEntries((values.set ?? []).map(setting)),
    tls,
    plaintext: values.plaintext ?? false,
    json: values.json ?? false,
    logLevel: values['log-level'] === undefined ? 'info' : level('log-level', values['log-level']),
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
        'load-timeout': text,
        objects: text,
        set: many,
        'tls-ca': text,
        'tls-cert': text,
        'tls-key': text,
        'tls-pin': many,
        plaintext: flag,
        json: flag,
        'log-level': text,
        config: flag,
        help: flag,
        version: flag,
      },
    });
  } catch (error) {
    throw bad(`${error instanceof Error ? error.message.split('\n')[0] : String(error)} (--help lists the options)`);
  }
}

/** All of them, or none. */
function certificates(values: ReturnType<typeof parse>['values']): TlsOptions | undefined {
  const { 'tls-ca': ca, 'tls-cert': cert, 'tls-key': key, 'tls-pin': pins } = values;
  if (ca === undefined && cert === undefined && key === undefined && pins === undefined) return undefined;
  if (ca === undefined) throw bad('--tls-ca is missing; TLS needs --tls-ca, --tls-cert and --tls-key.');
  if (cert === undefined) throw bad('--tls-cert is missing; TLS needs --tls-ca, --tls-cert and --tls-key.');
  if (key === undefined) throw bad('--tls-key is missing; TLS needs --tls-ca, --tls-cert and --tls-key.');
  return { ca, cert, key, ...(pins && { pins }) };
}

function lane(text: string): [string, { concurrency: number; queue?: number }] {
  const [, name = '', running = '', waiting] = /^([\w.-]{1,64})=(\d+)(?:,(\d+))?$/.exec(text) ?? [];
  const concurrency = Number(running);
  const queue = waiting === undefined ? undefined : Number(waiting);
  if (!(concurrency >= 1 && Number.isSafeInteger(concurrency) && Number.isSafeInteger(queue ?? 0))) {
    throw wrong('lane', text, 'it is NAME=N or NAME=N,Q, with at least 1 job at a time, and 0 or more waiting');
  }
  return [name, { concurrency, ...(queue === undefined ? {} : { queue }) }];
}

function setting(text: string): [string, number] {
  const [name = '', ...rest] = text.split('=');
  if (!Object.hasOwn(defaults, name)) throw wrong('set', text, `there is no constant "${name}"; --config prints all`);
  const value = rest.join('=');
  if (!/^\d+$/.test(value)) throw wrong('set', text, `it is ${name}=N, a whole number`);
  try {
    constants({ [name]: Number(value) });
  } catch (error) {
    throw wrong('set', text, error instanceof Error ? error.message.replace(/\.$/, '') : String(error));
  }
  return [name, Number(value)];
}

function count(name: string, text: string, least: number): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && Number.isSafeInteger(value) && value >= least) return value;
  throw wrong(name, text, `it takes a whole number of at least ${least}`);
}

const units: Readonly<Record<string, number>> = {
  '': 1,
  kb: 1_000,
  mb: 1_000 ** 2,
  gb: 1_000 ** 3,
  kib: 1_024,
  mib: 1_024 ** 2,
  gib: 1_024 ** 3,
};

/** Bytes, with or without a unit. */
function size(name: string, text: string): number {
  const [, digits = '', unit = ''] = /^(\d+) ?([kmg]i?b)?$/i.exec(text) ?? [];
  const value = Number(digits) * (units[unit.toLowerCase()] ?? 0);
  if (value >= 1 && Number.isSafeInteger(value)) return value;
  throw wrong(name, text, 'it takes a number of bytes, or one with a unit: KiB, MiB, GiB, kB, MB, GB');
}

function level(name: string, text: string): LogLevel {
  if (isLogLevel(text)) return text;
  throw wrong(name, text, `it is one of ${logLevels.join(', ')}`);
}

/** One sentence that names the option, as it was said. */
function wrong(name: string, text: string, why: string): ClusterError {
  return bad(`--${name} ${/^[\w.:=,/+-]+$/.test(text) ? text : JSON.stringify(text)}: ${why}.`);
}

function bad(message: string): ClusterError {
  return new ClusterError('bad_options', message);
}
