import type { ConnectorSeams } from './backend-connector.ts';
import type { CallOptions, Connector, ObjectStat, PutOptions, Reply } from './connector.ts';
import { StoreError } from './errors.ts';
import { openConnector } from './open-connector.ts';
import { settleEach } from './backend.ts';

/**
 * Many values at a time, by key: what packages that keep columns or documents build on, whatever is underneath. Each call
 * gives a reply for each item, in order; one that fails hurts no other. It rejects only where the whole call was refused or
 * has ended early (`closed`, `cancelled`, `timeout`).
 */
export interface StorageEngine {
  putMany(objects: readonly Uint8Array[], options?: PutOptions): Promise<Reply<string>[]>;
  getMany(keys: readonly string[], options?: CallOptions): Promise<Reply<Uint8Array | undefined>[]>;
  /** A key that is not there is no error. */
  deleteMany(keys: readonly string[], options?: CallOptions): Promise<Reply<void>[]>;
  stat(keys: readonly string[], options?: CallOptions): Promise<Reply<ObjectStat | undefined>[]>;
  /** Closes what is underneath; wipes nothing that is shared. May be called twice. */
  close(): Promise<void>;
}

/**
 * An engine on any connector, by kind and options.
 * @throws ClusterError `bad_options` for a kind that nobody registered, and whatever opening it throws.
 */
export async function openEngine(
  kind: string,
  options: Readonly<Record<string, unknown>> = {},
  seams: ConnectorSeams = {},
): Promise<StorageEngine> {
  return engineOver(await openConnector({ name: kind, ...options, kind }, seams));
}

/** An engine over a connector, which becomes its own: it is closed with it. */
export function engineOver(connector: Connector): StorageEngine {
  return {
    putMany: (objects, options) => connector.putBatch(objects, options),
    getMany: (keys, options) => connector.getBatch(keys, options),
    deleteMany: (keys, options) => eachKey(keys, (key) => connector.evict(key, options)),
    stat: (keys, options) => eachKey(keys, (key) => connector.stat(key, options)),
    close: () => connector.close(),
  };
}

/** Keys that are asked for one by one: so many at a time. */
const width = 64;

async function eachKey<T>(keys: readonly string[], work: (key: string) => Promise<T>): Promise<Reply<T>[]> {
  const outcomes = await settleEach(keys, width, work);
  return outcomes.map((outcome) => {
    if (outcome.status === 'fulfilled') return { ok: true, value: outcome.value };
    const error = asStoreError(outcome.reason);
    if (error.code === 'closed' || error.code === 'cancelled' || error.code === 'timeout') throw error;
    return { ok: false, error };
  });
}

function asStoreError(error: unknown): StoreError {
  return error instanceof StoreError ? error : new StoreError('lost', { cause: error });
}
