import { ClusterError, isId } from '@muster/rexi';
import { isIP } from 'node:net';
import { parseArgs } from 'node:util';
import type { Holder } from './authority.ts';

export const usage = `muster certs: certificates for wss://, from an authority of your own, for tests and small private clusters.

  muster certs DIR [--node ID[=HOST,HOST...]]... [--coordinator ID]... [options]

  --node ID=HOST,...   a worker node, and the host names and addresses under which it is dialled
                       (default localhost, 127.0.0.1 and ::1); may be repeated
  --coordinator ID     a coordinator, and its guardian; may be repeated
  --operator ID        somebody who may change what runs; may be repeated
  --observer ID        somebody who may look; may be repeated
  --days N             days that the certificates are valid (default 30); the authority's own is for a year at least
  --help

The authority is made in DIR (ca.pem, ca.key) if it is not there. Each holder gets ID.pem and ID.key; one that has a
key already keeps it, so that pins stay good, and gets a new certificate. muster-worker takes them as --tls-ca, --tls-cert
and --tls-key, connect() as tls: { ca, cert, key }.`;

export interface CertsOptions {
  readonly dir: string;
  readonly days: number;
  readonly holders: readonly Holder[];
}

const mostDays = 3_650;
const loopback: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** Reads the command line. @throws ClusterError `bad_options` with a sentence that says what to do. */
export function readOptions(argv: readonly string[]): CertsOptions {
  const { values, positionals } = parse(argv);
  const [dir, ...more] = positionals;
  if (dir === undefined || dir === '' || more.length > 0) throw bad('Name one directory for them: muster certs DIR.');
  const holders = [
    ...(values.node ?? []).map(worker),
    ...(['coordinator', 'operator', 'observer'] as const).flatMap((role) =>
      (values[role] ?? []).map((id): Holder => ({ id: checkId(role, id), role })),
    ),
  ];
  const seen = new Set<string>(['ca']);
  for (const { id } of holders) {
    if (seen.has(id))
      throw bad(`There can be one "${id}" only; every holder has an id of its own, and ca is the authority.`);
    seen.add(id);
  }
  return { dir, days: days(values.days ?? '30'), holders };
}

/** Inferred: what `parseArgs` returns for these options has no shorter name. */
function parse(argv: readonly string[]) {
  const many = { type: 'string', multiple: true } as const;
  try {
    return parseArgs({
      args: [...argv],
      allowPositionals: true,
      options: {
        node: many,
        coordinator: many,
        operator: many,
        observer: many,
        days: { type: 'string' },
        help: { type: 'boolean' },
      },
    });
  } catch (error) {
    throw bad(`${error instanceof Error ? error.message.split('\n')[0] : String(error)} (--help lists the options)`);
  }
}

function worker(text: string): Holder {
  const [id = '', ...rest] = text.split('=');
  const hosts = rest.length === 0 ? loopback : rest.join('=').split(',');
  const wrong = hosts.find((host) => isIP(host) === 0 && !/^[A-Za-z0-9.*-]+$/.test(host));
  if (wrong !== undefined) {
    throw bad(
      `--node ${text}: ${JSON.stringify(wrong)} is no host; say it without scheme and port, like a=node-a.internal.`,
    );
  }
  return { id: checkId('node', id), role: 'worker', hosts };
}

/** It becomes the name of a file as well. */
function checkId(option: string, id: string): string {
  if (isId(id) && /^[A-Za-z0-9_-][A-Za-z0-9._-]{0,63}$/.test(id)) return id;
  throw bad(`--${option} ${JSON.stringify(id)}: an id has 1 to 64 of A-Z a-z 0-9 . _ - and does not begin with a dot.`);
}

function days(text: string): number {
  const value = Number(text);
  if (/^\d+$/.test(text) && value >= 1 && value <= mostDays) return value;
  throw bad(`--days ${JSON.stringify(text)}: it takes a whole number from 1 to ${mostDays}.`);
}

function bad(message: string): ClusterError {
  return new ClusterError('bad_options', message);
}
