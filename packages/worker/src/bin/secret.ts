import { ClusterError } from '@muster/rexi';
import { readFileSync, statSync } from 'node:fs';

/**
 * The cluster secret from a file or, for `-`, from standard input; surrounding white space is no part of it.
 * @throws ClusterError `bad_options` for a file that is missing, is none, or that others may read.
 */
export function readSecret(path: string): string {
  if (path === '-') return readFileSync(0, 'utf8');
  try {
    const found = statSync(path);
    if (found.isDirectory()) throw bad(`"${path}" is a directory; name the file with the cluster secret.`);
    if ((found.mode & 0o077) !== 0) throw bad(`Others may read the secret in ${path}; say: chmod 600 ${path}`);
    return readFileSync(path, 'utf8');
  } catch (error) {
    if (error instanceof ClusterError) throw error;
    throw bad(`The file "${path}" cannot be read: ${error instanceof Error ? error.message : String(error)}`, error);
  }
}

function bad(message: string, cause?: unknown): ClusterError {
  return new ClusterError('bad_options', message, { detail: 'secret', cause });
}
