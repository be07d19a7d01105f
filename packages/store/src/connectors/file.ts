import { createHash, randomBytes } from 'node:crypto';
import { constants } from 'node:fs';
import { lstat, open, readdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Backend } from '../backend.ts';
import { BackendConnector, type ConnectorSeams } from '../backend-connector.ts';
import type { Connector } from '../connector.ts';
import type { StoreErrorCode } from '../errors.ts';
import { privateDirectory } from './private-directory.ts';

export interface FileConnectorOptions extends ConnectorSeams {
  /** Where the objects are: a directory of the caller's own, made with mode 0700 where there is none. */
  readonly directory: string;
  /** Named in keys and errors. Default `file`. */
  readonly name?: string;
  /** Whether a put has reached the disk when it returns; otherwise it survives the process but not the power. Default false. */
  readonly fsync?: boolean;
}

const { O_CREAT, O_EXCL, O_NOFOLLOW, O_NONBLOCK, O_RDONLY, O_WRONLY } = constants;
/** Never through a link, and never waiting for somebody at the other end of a pipe. */
const reading = O_RDONLY | O_NOFOLLOW | O_NONBLOCK;
const creating = O_CREAT | O_EXCL | O_WRONLY | O_NOFOLLOW;
/** Milliseconds without a written byte after which an unfinished file is one that its writer has left behind. */
const abandoned = 3_600_000;

/**
 * Bytes as files of one directory, which any process of the machine may share. Files appear whole, by a rename, under the
 * hash of their id: who lists the directory learns no key. A disk or quota that is full refuses with `full`. Nothing bounds
 * the directory beside these; closing wipes nothing.
 * @throws ClusterError `bad_options` for a directory that is open to others.
 */
export async function fileConnector(options: FileConnectorOptions): Promise<Connector> {
  const { name = 'file', fsync = false, directory: given, clock, entropy } = options;
  const directory = resolve(given);
  await privateDirectory(directory);
  const backend = new FileBackend(directory, fsync);
  await backend.collect();
  return new BackendConnector({
    clock,
    entropy,
    backend,
    config: { kind: 'file', name, directory, fsync },
    // What one read of Node can take.
    capabilities: { reach: 'machine', durable: true, largest: 2 ** 31 - 1 },
  });
}

class FileBackend implements Backend {
  readonly #directory: string;
  readonly #fsync: boolean;

  constructor(directory: string, fsync: boolean) {
    this.#directory = directory;
    this.#fsync = fsync;
  }

  async read(id: string): Promise<Uint8Array | undefined> {
    return orNothing(readFile(this.#pathOf(id), { flag: reading }));
  }

  async write(id: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const unfinished = join(this.#directory, `new-${randomBytes(16).toString('hex')}`);
    try {
      await writeFile(unfinished, bytes, { flag: creating, mode: 0o600, flush: this.#fsync });
      signal.throwIfAborted();
      await rename(unfinished, this.#pathOf(id));
      if (this.#fsync) await this.#syncDirectory();
    } catch (error) {
      await rm(unfinished, { force: true });
      throw error;
    }
  }

  async size(id: string): Promise<number | undefined> {
    const found = await orNothing(lstat(this.#pathOf(id)));
    return found?.isFile() ? found.size : undefined;
  }

  async remove(id: string): Promise<void> {
    await rm(this.#pathOf(id), { force: true });
  }

  async close(): Promise<void> {}

  codeOf(error: unknown): StoreErrorCode | undefined {
    const { code = '' } = error as NodeJS.ErrnoException;
    if (['ENOSPC', 'EDQUOT', 'EFBIG'].includes(code)) return 'full';
    return code === 'ELOOP' || code === 'EISDIR' ? 'corrupt' : undefined;
  }

  /** Removes what writers that are gone have not finished. The time is the file system's own, whoever else shares it. */
  async collect(): Promise<void> {
    const unfinished = (await readdir(this.#directory)).filter((name) => name.startsWith('new-'));
    if (unfinished.length === 0) return;
    const now = await this.#now();
    for (const path of unfinished.map((name) => join(this.#directory, name))) {
      const found = await orNothing(lstat(path));
      if (found !== undefined && now - found.mtimeMs > abandoned) await rm(path, { force: true });
    }
  }

  async #now(): Promise<number> {
    const probe = join(this.#directory, `new-${randomBytes(16).toString('hex')}`);
    await writeFile(probe, '', { flag: creating, mode: 0o600 });
    try {
      return (await lstat(probe)).mtimeMs;
    } finally {
      await rm(probe, { force: true });
    }
  }

  async #syncDirectory(): Promise<void> {
    const handle = await open(this.#directory, O_RDONLY);
    try {
      await handle.sync();
    } finally {
      await handle.close();
    }
  }

  #pathOf(id: string): string {
    return join(this.#directory, createHash('sha256').update(id).digest('hex'));
  }
}

/** What is not there is undefined. */
async function orNothing<T>(work: Promise<T>): Promise<T | undefined> {
  try {
    return await work;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw error;
  }
}
