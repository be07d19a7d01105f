/* oxlint-disable no-restricted-globals -- this is a command: it has the day */
import { ClusterError } from '@muster/rexi';
import { mkdir, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { Authority, pinOfCertificate, type Issued, type Validity } from './authority.ts';
import type { Command } from '../commands/command.ts';
import type { CertsOptions } from './options.ts';
import { readOptions, usage } from './options.ts';

const day = 86_400_000;
/** Clocks differ: what is made now is to be valid now everywhere. */
const leeway = 3_600_000;
const leastAuthorityDays = 365;

export const certs: Command = {
  says: 'makes certificates for wss://, from an authority of your own',
  usage,
  run: (argv, { out }) => make(readOptions(argv), (text) => out(`${text}\n`)),
};

async function make(options: CertsOptions, say: (text: string) => void): Promise<number> {
  const { dir, days, holders } = options;
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const authority = await authorityIn(dir, days);
  const wanted = validity(days);
  const until = wanted.until < authority.until ? wanted.until : authority.until;
  if (until.getTime() < Date.now()) {
    const text = `The authority in ${dir} has expired; name another directory, and give everybody new certificates.`;
    throw new ClusterError('bad_options', text);
  }
  const rows = [['authority', '', join(dir, 'ca.pem'), dateOf(authority.until), '']];
  for (const holder of holders) {
    const file = join(dir, holder.id);
    const issued = authority.issue(holder, { ...wanted, until }, await textIf(`${file}.key`));
    await save(file, issued);
    rows.push([holder.role, holder.id, `${file}.pem`, dateOf(until), pinOfCertificate(issued.cert)]);
  }
  say(table([['role', 'id', 'certificate', 'valid until', 'pin'], ...rows]));
  say(
    `\nThe key of the authority lies in ${join(dir, 'ca.key')}: whoever reads it is whoever he likes. Keep it off the nodes.`,
  );
  return 0;
}

async function authorityIn(dir: string, days: number): Promise<Authority> {
  const file = join(dir, 'ca');
  const cert = await textIf(`${file}.pem`);
  const key = await textIf(`${file}.key`);
  if (cert !== undefined && key !== undefined) return new Authority({ cert, key });
  if (cert !== undefined || key !== undefined) {
    const text = `${dir} has only one of ca.pem and ca.key; bring the other one, or name another directory.`;
    throw new ClusterError('bad_options', text);
  }
  const made = Authority.create(validity(Math.max(days, leastAuthorityDays)));
  await save(file, made);
  return made;
}

function validity(days: number): Validity {
  const now = Date.now();
  return { from: new Date(now - leeway), until: new Date(now + days * day) };
}

/** Each in one step: a node that reads them meanwhile finds the old one or the new one. */
async function save(file: string, { cert, key }: Issued): Promise<void> {
  for (const [name, text, mode] of [
    [`${file}.key`, key, 0o600],
    [`${file}.pem`, cert, 0o644],
  ] as const) {
    await writeFile(`${name}.new`, text, { mode });
    await rename(`${name}.new`, name);
  }
}

async function textIf(file: string): Promise<string | undefined> {
  try {
    return await readFile(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new ClusterError('bad_options', `${file} cannot be read: ${(error as Error).message}`, { cause: error });
  }
}

function dateOf(date: Date): string {
  return date.toISOString().slice(0, 10);
}

function table(rows: readonly (readonly string[])[]): string {
  const widths = (rows[0] ?? []).map((_, column) => Math.max(...rows.map((row) => (row[column] ?? '').length)));
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
