import type { StoreErrorCode } from './errors.ts';

/**
 * What a connector does itself; the rest is the same for all and `BackendConnector`'s: keys, deadlines, cancelling, replies
 * item by item, undoing what failed, and the end. Ids are 22 characters of base64url, made by the connector.
 */
export interface Backend {
  /** The bytes, or undefined where there are none. `signal`: nobody waits any more. */
  read(id: string, signal: AbortSignal): Promise<Uint8Array | undefined>;
  /**
   * Keeps the bytes, whole or not at all for those who read. Settles when nothing more can come of it, also where `signal`
   * was aborted: what has failed, or has no caller any more, is removed then.
   */
  write(id: string, bytes: Uint8Array, signal: AbortSignal): Promise<void>;
  /** Bytes of the object, or undefined. */
  size(id: string, signal: AbortSignal): Promise<number | undefined>;
  /** Removes the object, and what an unfinished write of it has left. One that is not there is no error. */
  remove(id: string, signal: AbortSignal): Promise<void>;
  /** Many at once, where that is faster than one by one: an outcome for each, in order. */
  readMany?(ids: readonly string[], signal: AbortSignal): Promise<PromiseSettledResult<Uint8Array | undefined>[]>;
  writeMany?(items: readonly BackendItem[], signal: AbortSignal): Promise<PromiseSettledResult<void>[]>;
  /** Lets go of what this process holds. Nothing is under way any more. */
  close(): Promise<void>;
  /** What an error of this backend means; undefined, and without this: that the object cannot be reached (`lost`). */
  codeOf?(error: unknown): StoreErrorCode | undefined;
}

export interface BackendItem {
  readonly id: string;
  readonly bytes: Uint8Array;
}

/** An outcome for each item, in order, at most `width` of them under way. */
export async function settleEach<I, T>(
  items: readonly I[],
  width: number,
  work: (item: I) => Promise<T>,
): Promise<PromiseSettledResult<T>[]> {
  const outcomes: PromiseSettledResult<T>[] = [];
  for (let at = 0; at < items.length; at += width) {
    outcomes.push(...(await Promise.allSettled(items.slice(at, at + width).map((item) => work(item)))));
  }
  return outcomes;
}
