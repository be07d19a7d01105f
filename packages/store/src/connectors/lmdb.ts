import { join, resolve } from 'node:path';
import type { RootDatabase } from 'lmdb';
import type { Backend } from '../backend.ts';
import { BackendConnector, type ConnectorSeams } from '../backend-connector.ts';
import type { Connector } from '../connector.ts';
import { StoreError, type StoreErrorCode } from '../errors.ts';
import { importPeer } from './import-peer.ts';
import { privateDirectory } from './private-directory.ts';

export interface LmdbConnectorOptions extends ConnectorSeams {
  /** Where the database is: a directory of the caller's own, made with mode 0700 where there is none. */
  readonly directory: string;
  /** Named in keys and errors. Default `lmdb`. */
  readonly name?: string;
  /** Most bytes of pages in use, above which a put is refused; checked by each process for itself. Default: the disk. */
  readonly budget?: number;
  /** Whether a put has reached the disk when it returns. Default true; puts of one turn share the write. */
  readonly fsync?: boolean;
}

type Database = RootDatabase<Uint8Array, string>;

/** A process opens a database once, however many connectors it has over it. */
const open = new Map<string, { readonly database: Database; users: number }>();

/**
 * Bytes in an embedded database on disk, which many processes of the machine may share. Needs the package `lmdb`. Reads
 * copy once out of the mapped file, since what was read outlives its object. Closing wipes nothing.
 * @throws ClusterError `bad_options` for a directory that is open to others, or where `lmdb` is not installed.
 */
export async function lmdbConnector(options: LmdbConnectorOptions): Promise<Connector> {
  const { name = 'lmdb', budget, fsync = true, directory: given, clock, entropy } = options;
  const directory = resolve(given);
  const library = await importPeer('lmdb', 'lmdb', () => import('lmdb'));
  await privateDirectory(directory);
  const path = join(directory, 'objects.mdb');
  const known = open.get(path) ?? {
    database: library.open<Uint8Array, string>({ path, encoding: 'binary', noSync: !fsync }),
    users: 0,
  };
  known.users += 1;
  open.set(path, known);
  return new BackendConnector({
    clock,
    entropy,
    backend: new LmdbBackend(name, path, known.database, budget),
    config: { kind: 'lmdb', name, directory, fsync, ...(budget === undefined ? {} : { budget }) },
    capabilities: { reach: 'machine', durable: true, largest: Math.min(budget ?? 2 ** 30, 2 ** 30) },
  });
}

class LmdbBackend implements Backend {
  readonly #name: string;
  readonly #path: string;
  readonly #database: Database;
  readonly #budget: number | undefined;
  /** Bytes handed over and not committed yet. */
  #pending = 0;

  constructor(name: string, path: string, database: Database, budget: number | undefined) {
    this.#name = name;
    this.#path = path;
    this.#database = database;
    this.#budget = budget;
  }

  async read(id: string): Promise<Uint8Array | undefined> {
    return this.#database.getBinary(id);
  }

  async write(id: string, bytes: Uint8Array): Promise<void> {
    if (this.#budget !== undefined) this.#refuseAbove(this.#budget, bytes.length);
    this.#pending += bytes.length;
    try {
      await this.#database.put(id, bytes);
    } finally {
      this.#pending -= bytes.length;
    }
  }

  async size(id: string): Promise<number | undefined> {
    return this.#database.getBinaryFast(id)?.length;
  }

  async remove(id: string): Promise<void> {
    await this.#database.remove(id);
  }

  async close(): Promise<void> {
    const known = open.get(this.#path);
    if (known?.database !== this.#database) return;
    known.users -= 1;
    if (known.users > 0) return;
    open.delete(this.#path);
    await this.#database.close();
  }

  codeOf(error: unknown): StoreErrorCode | undefined {
    const { code, message } = error as { code?: unknown; message?: string };
    // MDB_MAP_FULL, ENOSPC and EDQUOT.
    return [-30_792, 28, 122].includes(code as number) || /MDB_MAP_FULL|No space left/.test(message ?? '')
      ? 'full'
      : undefined;
  }

  #refuseAbove(budget: number, length: number): void {
    const used = bytesOf(this.#database) + this.#pending;
    if (used + length <= budget) return;
    const detail = `${length} bytes more than ${used} exceed the budget of ${budget}`;
    throw new StoreError('full', { store: this.#name, detail });
  }
}

/** What the pages of the objects take. */
function bytesOf(database: Database): number {
  const { pageSize, treeBranchPageCount, treeLeafPageCount, overflowPages } = database.getStats() as {
    pageSize: number;
    treeBranchPageCount: number;
    treeLeafPageCount: number;
    overflowPages: number;
  };
  return (treeBranchPageCount + treeLeafPageCount + overflowPages) * pageSize;
}
