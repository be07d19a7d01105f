import { ClusterError } from '@muster/rexi';
import { readFileSync, statSync } from 'node:fs';

/**
 * The cluster secret from a file or, for `-`, from standard input; surrounding white space is no part of it.
 * @throws ClusterError `bad_options` for a file that is missing or that others may read.
 */
export function readSecret(path: string): Uint8Array {
  if (path === '-') return Buffer.from(readFileSync(0, 'utf8').trim());
  try {
    const { mode } = statSync(path);
    if ((mode & 0o077) !== 0)
      throw new ClusterError('bad_options', `Others may read the secret in ${path}; say: chmod 600 ${path}`);
    return Buffer.from(readFileSync(path, 'utf8').trim());
  } catch (error) {
    if (error instanceof ClusterError) throw error;
    throw new ClusterError(
      'bad_options',
      `The secret file ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  }
}
