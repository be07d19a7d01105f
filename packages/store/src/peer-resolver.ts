import type { Clock, Timer } from '@muster/rexi';
import { ByteCache } from './byte-cache.ts';
import type { CallOptions } from './connector.ts';
import { StoreError, type StoreErrorContext } from './errors.ts';
import { ObjectClient, type TransferOptions } from './object-client.ts';
import { parseObjectKey, type ObjectKey } from './object-key.ts';
import type { ObjectPort } from './object-port.ts';
import type { ObjectTable } from './object-table.ts';
import { bounded, SingleFlight } from './single-flight.ts';

export interface PeerResolverOptions extends TransferOptions {
  readonly clock: Clock;
  /** This node's own id and objects; absent where none are held, as in a coordinator. */
  readonly local?: { readonly node: string; readonly table: ObjectTable };
  /** Opens the object messages of a link to `node`, which must prove that name. Has its own timeout. */
  dial(address: string, node: string): Promise<ObjectPort>;
  /** Most bytes of the node's one cache of foreign objects. Default 64 MiB; 0: none. */
  readonly cacheBytes?: number;
  /** Milliseconds after which a link that nobody uses is closed. Default 30 s. */
  readonly idle?: number;
  /** Links kept at a time; a call that would need one more while all are in use fails with `full`. Default 256. */
  readonly links?: number;
}

/** A link to a node, dialled or being dialled, and who uses it. */
interface PeerLink {
  readonly client: Promise<ObjectClient>;
  users: number;
  idle: Timer | undefined;
}

/**
 * Finds the bytes of any key of the cluster: in the own table, in the cache, or at the node that the key names, over
 * links that are kept while they are used. Nothing that failed is remembered: the next call dials again.
 */
export class PeerResolver {
  readonly #options: PeerResolverOptions;
  readonly #clock: Clock;
  readonly #cache: ByteCache;
  readonly #gets: SingleFlight<Uint8Array>;
  /**
   * By node, incarnation and address. While a node restarts there are two of its name, and a key may be forged: what an
   * address leads to is nobody's business but of the keys that name it. The least recently used comes first.
   */
  readonly #links = new Map<string, PeerLink>();
  #closed = false;

  constructor(options: PeerResolverOptions) {
    this.#options = options;
    this.#clock = options.clock;
    this.#cache = new ByteCache(options.cacheBytes);
    this.#gets = new SingleFlight(options.clock);
  }

  /** Links open or being dialled. */
  get links(): number {
    return this.#links.size;
  }

  /**
   * The object's bytes, shared with table or cache: not to be changed.
   * @throws StoreError `missing`, `evicted`, `lost`, `full`, `timeout`, `cancelled`, `bad_key`, `corrupt` or `closed`.
   */
  async get(key: string, options: CallOptions = {}): Promise<Uint8Array> {
    const { parsed, about } = this.#look(key);
    if (this.#isLocal(parsed)) return this.#read(parsed, about);
    const cached = this.#cache.get(key);
    if (cached) return cached;
    return this.#gets.run(key, options, about, (signal) =>
      this.#use(parsed, about, (client) => client.get(key, { signal })),
    );
  }

  /** Asks the holding node, never the cache. */
  async exists(key: string, options: CallOptions = {}): Promise<boolean> {
    const { parsed, about } = this.#look(key);
    if (this.#isLocal(parsed)) return this.#options.local?.table.read(parsed).is === 'here';
    return bounded(options, { clock: this.#clock, about }, (signal) =>
      this.#use(parsed, about, (client) => client.exists(key, { signal })),
    );
  }

  /**
   * Drops an object; false when it was gone already. `session`: on whose behalf, for objects of this node; at another
   * node it is the link that speaks for a session, and a peer's link speaks for none.
   * @throws StoreError `foreign`, `lost`, `timeout`, `cancelled`, `bad_key` or `closed`.
   */
  async drop(key: string, session: string | undefined, options: CallOptions = {}): Promise<boolean> {
    const { parsed, about } = this.#look(key);
    if (this.#isLocal(parsed)) return this.#dropHere(parsed, session, about);
    return bounded(options, { clock: this.#clock, about }, (signal) =>
      this.#use(parsed, about, (client) => client.drop(key, { signal })),
    );
  }

  /** Closes all links; calls under way fail with `closed`. May be called twice. */
  close(): void {
    this.#closed = true;
    this.#cache.clear();
    for (const [name, link] of this.#links) this.#hangUp(name, link);
  }

  #look(key: string): { parsed: ObjectKey; about: StoreErrorContext } {
    const parsed = parseObjectKey(key);
    const about = { key, store: parsed.node };
    if (this.#closed) throw new StoreError('closed', { ...about, detail: 'it was closed' });
    return { parsed, about };
  }

  /** A key of an older incarnation of this very node is local too: the table knows that its object is lost. */
  #isLocal({ node }: ObjectKey): boolean {
    return node === this.#options.local?.node;
  }

  #read(parsed: ObjectKey, about: StoreErrorContext): Uint8Array {
    const found = this.#options.local?.table.read(parsed) ?? { is: 'lost' };
    if (found.is !== 'here') throw new StoreError(found.is, about);
    return found.bytes;
  }

  #dropHere(parsed: ObjectKey, session: string | undefined, about: StoreErrorContext): boolean {
    const end = this.#options.local?.table.drop(parsed, session);
    if (end === 'foreign') throw new StoreError('foreign', about);
    return end === 'dropped';
  }

  async #use<T>(key: ObjectKey, about: StoreErrorContext, work: (client: ObjectClient) => Promise<T>): Promise<T> {
    const name = `${key.node}@${key.incarnation} ${key.address}`;
    const link = this.#links.get(name) ?? this.#dial(name, key, about);
    this.#claim(name, link);
    try {
      return await work(await reached(link, about));
    } finally {
      link.users -= 1;
      if (link.users === 0) this.#rest(name, link);
    }
  }

  #claim(name: string, link: PeerLink): void {
    link.idle?.cancel();
    link.users += 1;
    this.#links.delete(name);
    this.#links.set(name, link);
  }

  #dial(name: string, { address, node }: ObjectKey, about: StoreErrorContext): PeerLink {
    this.#makeRoom(about);
    const forget = (): void => this.#forget(name, link);
    const link: PeerLink = { client: this.#connect(address, node, forget), users: 0, idle: undefined };
    this.#links.set(name, link);
    link.client.catch(forget);
    return link;
  }

  async #connect(address: string, node: string, ended: () => void): Promise<ObjectClient> {
    const port = await this.#options.dial(address, node);
    return new ObjectClient(port, { ...this.#options, cache: this.#cache, ended });
  }

  #rest(name: string, link: PeerLink): void {
    if (this.#links.get(name) !== link) return;
    link.idle = this.#clock.after(this.#options.idle ?? 30_000, () => this.#hangUp(name, link));
  }

  #hangUp(name: string, link: PeerLink): void {
    link.idle?.cancel();
    this.#forget(name, link);
    // One that could not be dialled has told its callers.
    link.client.then(
      (client) => client.close(),
      () => {},
    );
  }

  #forget(name: string, link: PeerLink): void {
    link.idle?.cancel();
    if (this.#links.get(name) === link) this.#links.delete(name);
  }

  #makeRoom(about: StoreErrorContext): void {
    const { links = 256 } = this.#options;
    if (this.#links.size < links) return;
    const unused = [...this.#links].find(([, link]) => link.users === 0);
    if (unused === undefined)
      throw new StoreError('full', { ...about, detail: `all ${links} links to nodes are in use` });
    this.#hangUp(...unused);
  }
}

/** Every caller who waited for the link hears of its own key. */
async function reached(link: PeerLink, about: StoreErrorContext): Promise<ObjectClient> {
  try {
    return await link.client;
  } catch (cause) {
    throw new StoreError('lost', { ...about, detail: 'the node cannot be reached at the address of the key', cause });
  }
}
