import { ClusterError } from '@muster/rexi';

/**
 * A client library that only the users of one connector install.
 * @throws ClusterError `bad_options` with what to install, where it is missing.
 */
export async function importPeer<T>(kind: string, name: string, load: () => Promise<T>): Promise<T> {
  try {
    return await load();
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    if (code !== 'ERR_MODULE_NOT_FOUND' || !message.includes(`'${name}'`)) throw cause;
    const sentence = `The ${kind} connector needs the package ${name}: npm install ${name}.`;
    throw new ClusterError('bad_options', sentence, { cause });
  }
}
