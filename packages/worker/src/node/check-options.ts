import { ClusterError, looksLikeRoleKey } from '@muster/rexi';
import { mkdir, stat } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import type { NodeOptions } from './start.ts';

const leastSecret = 16;

/** An option that is wrong: `detail` is its name, so that a command line can say it in its own way. */
function bad(option: keyof NodeOptions, message: string, cause?: unknown): ClusterError {
  return new ClusterError('bad_options', message, { detail: option, ...(cause === undefined ? {} : { cause }) });
}

/**
 * What can be told of the options without touching anything.
 * @throws ClusterError `bad_options`, with the option's name as its `detail`.
 */
export function checkOptions({ id, listen, advertise = [], plaintext, tls, ...options }: NodeOptions): void {
  if (!/^[A-Za-z0-9._-]{1,64}$/.test(id))
    throw bad('id', `"${id}" is no node id; it takes 1 to 64 of A-Z a-z 0-9 . _ -`);
  const secret = secretBytes(options.secret);
  if (looksLikeRoleKey(Buffer.from(secret).toString('latin1')))
    throw bad('secret', 'This is the key of one role; a node takes the secret of the cluster.');
  if (secret.length < leastSecret)
    throw bad('secret', `The cluster secret has ${secret.length} bytes; give it at least ${leastSecret}.`);
  for (const authority of advertise) {
    if (!isAuthority(authority, 1)) throw bad('advertise', `"${authority}" is not HOST:PORT, as it would be dialled.`);
  }
  if (listen.startsWith('memory:')) return;
  const [, scheme = '', authority = ''] = /^(wss?):\/\/([^/]+)\/?$/i.exec(listen) ?? [];
  if (!isAuthority(authority, 0)) {
    throw bad(
      'listen',
      `"${listen}" is no address to listen on; one looks like ws://127.0.0.1:7101, or wss://0.0.0.0:7101 with TLS.`,
    );
  }
  const secure = scheme.toLowerCase() === 'wss';
  if (secure && tls === undefined) {
    throw bad('listen', `${listen} needs certificates: --tls-ca, --tls-cert and --tls-key (muster certs makes some).`);
  }
  if (!secure && tls !== undefined) throw bad('listen', `${listen} does not use the certificates; say wss://.`);
  if (!secure && !isLoopback(new URL(listen).hostname) && plaintext !== true) {
    throw bad(
      'listen',
      `${listen} can be reached from other machines and is not encrypted. Say wss://, with certificates; listen on 127.0.0.1; or say --plaintext if the network is trusted.`,
    );
  }
}

/**
 * Looks for the jobs module, where executors will load it, and makes the node's directory.
 * @throws ClusterError `bad_options`, with the option's name as its `detail`.
 */
export async function prepareFiles({ jobs, dataDir, seams }: NodeOptions): Promise<void> {
  if (seams?.executors === undefined) await findJobs(jobs);
  await mkdir(dataDir, { recursive: true, mode: 0o700 }).catch((error: unknown) => {
    throw bad('dataDir', `"${dataDir}" cannot be the node's directory: ${reason(error)}.`, error);
  });
}

/** The same for a string with a newline at its end, as files have, as `connect` makes of it. */
export function secretBytes(secret: NodeOptions['secret']): Uint8Array {
  return typeof secret === 'string' ? Buffer.from(secret.trim()) : secret;
}

async function findJobs(jobs: string): Promise<void> {
  const found = await stat(jobs.startsWith('file:') ? fileURLToPath(jobs) : jobs).catch((error: unknown) => {
    throw bad('jobs', `The jobs module "${jobs}" cannot be read: ${reason(error)}.`, error);
  });
  if (found.isDirectory()) throw bad('jobs', `"${jobs}" is a directory; name the file that exports the jobs.`);
}

/** An error of listening, which is an error of that option. */
export function listenError(error: unknown): unknown {
  const isOption = error instanceof ClusterError && error.code === 'bad_options';
  return isOption ? bad('listen', error.message, error) : error;
}

/** `host:port` with its port, which a URL would leave to its scheme. */
function isAuthority(text: string, leastPort: number): boolean {
  const [, port] = /^(?:\[[^\]]+\]|[^\s:/?#@[\]]+):(\d{1,5})$/.exec(text) ?? [];
  return port !== undefined && Number(port) >= leastPort && URL.canParse(`ws://${text}`);
}

function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127\.\d+\.\d+\.\d+$/.test(host);
}

function reason(error: unknown): string {
  const { code } = error as { readonly code?: string };
  const known: Readonly<Record<string, string>> = {
    EEXIST: 'it is a file',
    ENOTDIR: 'a part of its path is a file',
    ENOENT: 'it is not there',
    EACCES: 'permission is denied',
    EPERM: 'permission is denied',
    EROFS: 'the file system is read-only',
  };
  return known[code ?? ''] ?? (error instanceof Error ? error.message : String(error));
}
