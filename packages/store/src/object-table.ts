import type { Entropy } from '@muster/rexi';
import { StoreError } from './errors.ts';
import { looksLikeObjectKey, parseObjectKey, type ObjectName } from './object-key.ts';
import { ownBytes } from './own-bytes.ts';

/** Bytes that an entry costs beside the object's own, so that a million empty ones are bounded as well. */
export const objectOverhead = 256;

/** The job that made an object, and the session on whose behalf. */
export interface ObjectOwner {
  /** The agent's own number of the job. */
  readonly job: number;
  /** Names the session of a coordinator with this node; unique within the agent. */
  readonly session: string;
}

export interface ObjectTableOptions {
  /** The node's: an object of another incarnation is lost, whatever its id. */
  readonly incarnation: string;
  readonly entropy: Entropy;
  /** Most bytes, each object counted with `objectOverhead`. Default 1 GiB. */
  readonly budget?: number;
  /** Ids of dropped objects that are remembered, so that their readers hear `evicted`. Default 16,384. */
  readonly remember?: number;
}

/** Why there are no bytes. `missing`: never seen here, or forgotten. `lost`: held by an incarnation that is not this one. */
export type Absence = 'missing' | 'evicted' | 'lost';
export type Found = { readonly is: 'here'; readonly bytes: Uint8Array } | { readonly is: Absence };
export type Dropped = 'dropped' | 'foreign' | Absence;

export interface ObjectTableStats {
  readonly objects: number;
  /** Bytes of the objects alone. */
  readonly bytes: number;
  /** Jobs that own objects, and sessions that own some or whose jobs do. */
  readonly jobs: number;
  readonly sessions: number;
  readonly budget: number;
  /** Puts refused for want of room. */
  readonly refused: number;
}

interface Entry {
  readonly bytes: Uint8Array;
  readonly session: string;
  /** Undefined once the session itself owns it. */
  job: number | undefined;
}

/**
 * The object server of one node, as far as it decides. Every object has exactly one owner: its job, until a reply or
 * row has carried its key away; from then on the session. It goes when it is dropped or its owner ends. Whoever has the
 * key may read, since ids are 128 random bits; only the own session may drop or adopt.
 */
export class ObjectTable {
  readonly incarnation: string;
  readonly #entropy: Entropy;
  readonly #budget: number;
  readonly #remember: number;
  readonly #entries = new Map<string, Entry>();
  readonly #ofJob = new Map<number, Set<string>>();
  readonly #ofSession = new Map<string, Set<string>>();
  /** Oldest first. */
  readonly #evicted = new Set<string>();
  #bytes = 0;
  #refused = 0;

  constructor({ incarnation, entropy, budget = 2 ** 30, remember = 16_384 }: ObjectTableOptions) {
    this.incarnation = incarnation;
    this.#entropy = entropy;
    this.#budget = budget;
    this.#remember = remember;
  }

  /** Keeps bytes, which must not change afterwards, and returns their id. @throws StoreError `full`, nothing kept */
  put({ job, session }: ObjectOwner, bytes: Uint8Array): string {
    this.#mustFit(bytes.length);
    const id = Buffer.from(this.#entropy.bytes(16)).toString('base64url');
    this.#entries.set(id, { bytes: ownBytes(bytes), session, job });
    this.#bytes += bytes.length;
    add(this.#ofJob, job, id);
    add(this.#ofSession, session, id);
    return id;
  }

  /** The object's bytes themselves, not a copy: they stay whole for a reader even when the object is dropped. */
  read({ incarnation, id }: ObjectName): Found {
    if (incarnation !== this.incarnation) return { is: 'lost' };
    const entry = this.#entries.get(id);
    return entry ? { is: 'here', bytes: entry.bytes } : { is: this.#absence(id) };
  }

  /**
   * A reply or rows of `session` have carried these keys away: what its jobs own of them is the session's from now on.
   * Keys of other nodes, stores and sessions, and of objects that are gone, are not ours to move. Returns how many moved.
   * @throws StoreError `bad_key` for one that only looks like an object's key: no reference says that.
   */
  adopt(keys: readonly string[], session: string): number {
    let moved = 0;
    for (const key of keys) {
      const id = this.#idOf(key);
      const entry = id === undefined ? undefined : this.#entries.get(id);
      if (id === undefined || entry?.job === undefined || entry.session !== session) continue;
      remove(this.#ofJob, entry.job, id);
      entry.job = undefined;
      moved += 1;
    }
    return moved;
  }

  /** Only for the session that owns the object, or whose job does. */
  drop({ incarnation, id }: ObjectName, session: string | undefined): Dropped {
    if (incarnation !== this.incarnation) return 'lost';
    const entry = this.#entries.get(id);
    if (entry === undefined) return this.#absence(id);
    if (entry.session !== session) return 'foreign';
    this.#release(id, entry);
    return 'dropped';
  }

  /** What the job still owns goes. Call it when the job can put no more. */
  endJob(job: number): void {
    this.#releaseAll(this.#ofJob.get(job));
  }

  /** Everything of the session goes, also what its jobs own. Call it when they can put no more. */
  endSession(session: string): void {
    this.#releaseAll(this.#ofSession.get(session));
  }

  stats(): ObjectTableStats {
    return {
      objects: this.#entries.size,
      bytes: this.#bytes,
      jobs: this.#ofJob.size,
      sessions: this.#ofSession.size,
      budget: this.#budget,
      refused: this.#refused,
    };
  }

  #idOf(key: string): string | undefined {
    if (!looksLikeObjectKey(key)) return undefined;
    const { incarnation, id } = parseObjectKey(key);
    return incarnation === this.incarnation ? id : undefined;
  }

  #mustFit(size: number): void {
    const used = this.#bytes + this.#entries.size * objectOverhead;
    if (used + size + objectOverhead <= this.#budget) return;
    this.#refused += 1;
    throw new StoreError('full', { detail: `${size} bytes more than ${used} exceed the budget of ${this.#budget}` });
  }

  #absence(id: string): Absence {
    return this.#evicted.has(id) ? 'evicted' : 'missing';
  }

  #releaseAll(ids: Set<string> | undefined): void {
    for (const id of ids ?? []) {
      const entry = this.#entries.get(id);
      if (entry) this.#release(id, entry);
    }
  }

  #release(id: string, entry: Entry): void {
    this.#entries.delete(id);
    this.#bytes -= entry.bytes.length;
    remove(this.#ofSession, entry.session, id);
    if (entry.job !== undefined) remove(this.#ofJob, entry.job, id);
    this.#evicted.add(id);
    for (const oldest of this.#evicted) {
      if (this.#evicted.size <= this.#remember) return;
      this.#evicted.delete(oldest);
    }
  }
}

function add<K>(index: Map<K, Set<string>>, owner: K, id: string): void {
  const ids = index.get(owner);
  if (ids) ids.add(id);
  else index.set(owner, new Set([id]));
}

function remove<K>(index: Map<K, Set<string>>, owner: K, id: string): void {
  const ids = index.get(owner);
  if (ids?.delete(id) && ids.size === 0) index.delete(owner);
}
