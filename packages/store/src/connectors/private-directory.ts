import { lstat, mkdir } from 'node:fs/promises';
import { userInfo } from 'node:os';
import { ClusterError } from '@muster/rexi';

/**
 * Makes a directory that only its owner can enter, where there is none.
 * @throws ClusterError `bad_options` for one that others can enter or that is somebody else's: they could put what they like there.
 */
export async function privateDirectory(path: string): Promise<void> {
  await mkdir(path, { recursive: true, mode: 0o700 });
  const found = await lstat(path);
  if (!found.isDirectory()) throw refused(path, 'is no directory');
  if (found.uid !== userInfo().uid) throw refused(path, 'belongs to another user');
  if ((found.mode & 0o077) !== 0) throw refused(path, 'is open to others: chmod 700 it');
}

function refused(path: string, why: string): ClusterError {
  return new ClusterError('bad_options', `The directory ${path} ${why}.`);
}
