/** What all commands share that look into a cluster: their options, the handle, and how they say what is missing. */
import type { NodeFailure, OperateOptions, Operator, OperatingRole } from '@muster/coordinator';
import { operate } from '@muster/coordinator';
import type { TlsOptions } from '@muster/rexi';
import { isId, looksLikeRoleKey } from '@muster/rexi';
import { readSecret } from '@muster/worker';
import { X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { hostname, userInfo } from 'node:os';
import type { Arguments, Options } from './arguments.ts';
import { bad } from './arguments.ts';
import type { Terminal } from './command.ts';
import { printable } from './table.ts';

export const lookingOptions: Options = {
  nodes: 'text',
  secret: 'text',
  'role-key': 'text',
  id: 'text',
  'tls-ca': 'text',
  'tls-cert': 'text',
  'tls-key': 'text',
  'tls-pin': 'text',
  timeout: 'text',
  json: 'switch',
  help: 'switch',
};

export const lookingUsage: string = `  --nodes A,B          addresses of nodes, e.g. ws://127.0.0.1:7101
  --secret FILE        file (mode 0600) with the cluster secret; - reads it from standard input
  --role-key FILE      file with the key of one role (see muster key), instead of the secret
  --id NAME            who you are, for the nodes' logs (default USER@HOST, or the CN of the certificate)
  --tls-ca FILE        the authority whose certificates are believed; for wss://, with the next two
  --tls-cert FILE      your certificate, whose subject has CN=NAME and OU=operator or OU=observer (see muster certs)
  --tls-key FILE       the key of that certificate (mode 0600)
  --tls-pin A,B        keys of nodes that are let in, beside what certificates say (sha256/…; default any)
  --timeout MS         milliseconds for an answer (default 5000)
  --json               for scripts: one JSON document
  --help`;

/**
 * Opens a handle in a role, and closes it when the work is done or the command is to end.
 * @throws ClusterError `bad_options`
 */
export async function looking<T>(
  args: Arguments,
  role: OperatingRole,
  { end }: Terminal,
  work: (operator: Operator) => Promise<T>,
): Promise<T> {
  const timeout = args.whole('timeout', 1, 2 ** 31 - 1);
  const tls = certificates(args);
  await using operator = operate({
    nodes: args.need('nodes').split(','),
    ...proof(args, role),
    id: args.text('id') ?? (tls && nameIn(tls.cert)) ?? ownName(role),
    ...(tls && { tls }),
    ...(timeout !== undefined && { timeout }),
  });
  const close = (): void => void operator.close();
  end.addEventListener('abort', close, { once: true });
  try {
    return await work(operator);
  } finally {
    end.removeEventListener('abort', close);
  }
}

/** @throws ClusterError `bad_options` for some of them without the others. */
function certificates(args: Arguments): TlsOptions | undefined {
  const names = ['tls-ca', 'tls-cert', 'tls-key'] as const;
  const [ca, cert, key] = names.map((name) => args.text(name));
  const pins = args.text('tls-pin')?.split(',');
  if (ca !== undefined && cert !== undefined && key !== undefined) return { ca, cert, key, ...(pins && { pins }) };
  if ([ca, cert, key, pins].every((given) => given === undefined)) {
    if (!/\bwss:/i.test(args.need('nodes'))) return undefined;
    throw bad(
      'wss:// needs certificates: --tls-ca, --tls-cert and --tls-key (muster certs makes some, with --observer or --operator).',
    );
  }
  const missing = names.filter((name) => args.text(name) === undefined).map((name) => `--${name}`);
  throw bad(
    `TLS takes --tls-ca, --tls-cert and --tls-key; ${missing.join(' and ')} ${missing.length > 1 ? 'are' : 'is'} missing.`,
  );
}

/** Whose certificate it is: who shows it cannot be anybody else. Undefined for a file that TLS will complain of. */
function nameIn(cert: string): string | undefined {
  try {
    return /^CN=(.+)$/m.exec(new X509Certificate(readFileSync(cert)).subject)?.[1];
  } catch {
    return undefined;
  }
}

type Proof = Pick<OperateOptions, 'secret' | 'roleKey' | 'role'>;

/** With the key of an operator one may look as well; with that of an observer nobody is an operator. */
function proof(args: Arguments, role: OperatingRole): Proof {
  const [secretFile, keyFile] = [args.text('secret'), args.text('role-key')];
  if (secretFile !== undefined && keyFile !== undefined) throw bad('--secret and --role-key: give one of the two.');
  if (keyFile !== undefined) return { roleKey: readSecret(keyFile), ...(role === 'operator' && { role }) };
  if (secretFile === undefined) throw bad('--secret is missing, or --role-key; --help tells what they are.');
  return { secret: clusterSecret(secretFile), role };
}

/** @throws ClusterError `bad_options` where it is another key, or cannot be read. */
export function clusterSecret(file: string): string {
  const secret = readSecret(file);
  if (looksLikeRoleKey(secret)) throw bad(`In ${file} there is the key of a role, and not the secret: say --role-key.`);
  return secret;
}

/** Nodes tell it of what an operator has done. */
function ownName(role: OperatingRole): string {
  let user: string = role;
  try {
    user = userInfo().username;
  } catch {
    // A user without an entry, as in containers.
  }
  const name = `${user}@${hostname()}`;
  return isId(name) ? name : role;
}

/** Says what is missing, a line each; whether anything is. */
export function complain(terminal: Terminal, failures: readonly NodeFailure[]): boolean {
  for (const { node, address, error } of failures) {
    const isNamed = address === '' || error.text.includes(address);
    const who = isNamed ? '' : `${node === undefined ? address : `${node} (${address})`}: `;
    terminal.err(`muster: ${who}${printable(error.text)}\n`);
  }
  return failures.length > 0;
}

/** Failures as scripts read them. */
export function failuresOf(failures: readonly NodeFailure[]): unknown[] {
  return failures.map(({ node, address, error: { code, text } }) => ({ node, address, code, message: text }));
}

export function printJson(terminal: Terminal, value: unknown): void {
  terminal.out(`${JSON.stringify(value, undefined, 2)}\n`);
}
