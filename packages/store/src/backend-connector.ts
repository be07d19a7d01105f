import type { Clock, Entropy } from '@muster/rexi';
import { ClusterError, systemClock, systemEntropy } from '@muster/rexi';
import { settleEach, type Backend, type BackendItem } from './backend.ts';
import type {
  CallOptions,
  Capabilities,
  Connector,
  ConnectorConfig,
  ObjectStat,
  PutOptions,
  Reply,
} from './connector.ts';
import { StoreError, type StoreErrorContext } from './errors.ts';
import { bounded } from './single-flight.ts';

/** What a connector takes from its process rather than from its config. */
export interface ConnectorSeams {
  /** Default the system's. */
  readonly clock?: Clock | undefined;
  /** Default the kernel's. */
  readonly entropy?: Entropy | undefined;
}

export interface BackendConnectorOptions extends ConnectorSeams {
  readonly config: ConnectorConfig;
  readonly capabilities: Omit<Capabilities, 'deferrable'>;
  readonly backend: Backend;
  /** Milliseconds of a call that says none itself. Default: no bound, for backends that cannot be silent. */
  readonly timeout?: number | undefined;
}

/** Items of a batch that are under way at a time, where the backend has no batches of its own. */
const width = 64;
/** Milliseconds that undoing a put may take, when nobody waits for it any more. */
const undoing = 10_000;
const nobodyLeaves = new AbortController().signal;
const nameForm = /^[A-Za-z0-9_-]{1,32}$/;

/**
 * A connector around a backend. The id of an object is made before it is written, so a put that fails, or whose caller has
 * left, can always be undone.
 */
export class BackendConnector implements Connector {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly #config: ConnectorConfig;
  readonly #backend: Backend;
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #timeout: number | undefined;
  readonly #undos = new Set<Promise<void>>();
  #running = 0;
  #idle: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  /** @throws ClusterError `bad_options` for a name that is not 1 to 32 letters, digits, `-` and `_`. */
  constructor({ config, capabilities, backend, clock, entropy, timeout }: BackendConnectorOptions) {
    this.name = checkConnectorName(config.name);
    this.capabilities = Object.freeze({ ...capabilities, deferrable: true });
    this.#config = Object.freeze({ ...config });
    this.#backend = backend;
    this.#clock = clock ?? systemClock;
    this.#entropy = entropy ?? systemEntropy;
    this.#timeout = timeout;
  }

  async put(bytes: Uint8Array, options: PutOptions = {}): Promise<string> {
    const id = this.#newId();
    const about = { store: this.name };
    let writing: Promise<void> | undefined;
    const write = (signal: AbortSignal): Promise<void> => (writing = this.#write(id, bytes, signal));
    await this.#call(options, about, write, () => writing && this.#undo([id], writing));
    return this.#keyOf(id);
  }

  async get(key: string, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    return this.#ask(key, options, (id, signal) => this.#backend.read(id, signal));
  }

  async exists(key: string, options: CallOptions = {}): Promise<boolean> {
    return (await this.stat(key, options)) !== undefined;
  }

  async stat(key: string, options: CallOptions = {}): Promise<ObjectStat | undefined> {
    const size = await this.#ask(key, options, (id, signal) => this.#backend.size(id, signal));
    return size === undefined ? undefined : { size };
  }

  async evict(key: string, options: CallOptions = {}): Promise<void> {
    await this.#ask(key, options, (id, signal) => this.#backend.remove(id, signal));
  }

  async putBatch(objects: readonly Uint8Array[], options: PutOptions = {}): Promise<Reply<string>[]> {
    const items = objects.map((bytes) => ({ id: this.#newId(), bytes }));
    const about = { store: this.name };
    let writing: Promise<PromiseSettledResult<void>[]> | undefined;
    const write = async (signal: AbortSignal): Promise<PromiseSettledResult<void>[]> => {
      const outcomes = await (writing = this.#writeMany(items, signal));
      const failed = items.filter((_, at) => outcomes[at]?.status !== 'fulfilled');
      if (failed.length > 0) this.#undo(idsOf(failed));
      return outcomes;
    };
    const outcomes = await this.#call(options, about, write, () => writing && this.#undo(idsOf(items), writing));
    return items.map(({ id }, at) => this.#reply(outcomes[at], about, () => this.#keyOf(id)));
  }

  async getBatch(keys: readonly string[], options: CallOptions = {}): Promise<Reply<Uint8Array | undefined>[]> {
    const ids = keys.map((key) => this.#idOf(key));
    const known = ids.filter((id) => id !== undefined);
    const about = { store: this.name };
    const outcomes = await this.#call(options, about, (signal) => this.#readMany(known, signal));
    let next = 0;
    return keys.map((key, at) => {
      if (ids[at] === undefined) return { ok: true, value: undefined };
      return this.#reply(outcomes[next++], { key, ...about }, (bytes) => bytes);
    });
  }

  // oxlint-disable-next-line require-await
  async newKey(options: PutOptions = {}): Promise<string> {
    return this.#call(options, { store: this.name }, async () => this.#keyOf(this.#newId()));
  }

  async set(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<void> {
    const about = { key, store: this.name };
    const id = this.#idOf(key);
    if (id === undefined) throw new StoreError('bad_key', { ...about, detail: 'newKey() did not make it' });
    await this.#call(options, about, (signal) => this.#write(id, bytes, signal));
  }

  config(): ConnectorConfig {
    return this.#config;
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  async #end(): Promise<void> {
    if (this.#running > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
    await Promise.all(this.#undos);
    await this.#backend.close();
  }

  /** A key that is none of this connector's has nothing under it. */
  async #ask<T>(
    key: string,
    options: CallOptions,
    work: (id: string, signal: AbortSignal) => Promise<T>,
  ): Promise<T | undefined> {
    const id = this.#idOf(key);
    return this.#call<T | undefined>(options, { key, store: this.name }, async (signal) =>
      id === undefined ? undefined : work(id, signal),
    );
  }

  async #call<T>(
    { signal, timeout = this.#timeout }: CallOptions,
    about: StoreErrorContext,
    work: (signal: AbortSignal) => Promise<T>,
    undo?: () => void,
  ): Promise<T> {
    if (this.#closing) throw new StoreError('closed', { ...about, detail: 'it was closed' });
    this.#running += 1;
    try {
      // Most calls of a local backend: nobody can leave, so nothing need watch.
      if (signal === undefined && timeout === undefined) return await work(nobodyLeaves);
      return await bounded({ signal, timeout }, { clock: this.#clock, about }, work);
    } catch (error) {
      // Before the call counts as over: a connector that closes waits for both.
      undo?.();
      throw this.#failure(error, about);
    } finally {
      this.#running -= 1;
      if (this.#running === 0) this.#idle?.();
    }
  }

  async #write(id: string, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
    const { largest } = this.capabilities;
    if (bytes.length > largest) {
      const detail = `an object may have ${largest} bytes, not ${bytes.length}`;
      throw new StoreError('full', { store: this.name, detail });
    }
    await this.#backend.write(id, bytes, signal);
  }

  #writeMany(items: readonly BackendItem[], signal: AbortSignal): Promise<PromiseSettledResult<void>[]> {
    const { largest } = this.capabilities;
    if (this.#backend.writeMany && items.every(({ bytes }) => bytes.length <= largest)) {
      return this.#backend.writeMany(items, signal);
    }
    return settleEach(items, width, ({ id, bytes }) => this.#write(id, bytes, signal));
  }

  #readMany(ids: readonly string[], signal: AbortSignal): Promise<PromiseSettledResult<Uint8Array | undefined>[]> {
    if (this.#backend.readMany) return this.#backend.readMany(ids, signal);
    return settleEach(ids, width, (id) => this.#backend.read(id, signal));
  }

  /** Removes what may have been written, once nothing writes any more. A backend that is gone has nothing to remove. */
  #undo(ids: readonly string[], writing?: Promise<unknown>): void {
    const remove = (): Promise<unknown> =>
      bounded({ timeout: undoing }, { clock: this.#clock, about: {} }, (signal) =>
        settleEach(ids, width, (id) => this.#backend.remove(id, signal)),
      );
    const over = (): void => void this.#undos.delete(undo);
    const undo: Promise<void> = Promise.resolve(writing).then(remove, remove).then(over, over);
    this.#undos.add(undo);
  }

  #reply<T, R>(
    outcome: PromiseSettledResult<T> | undefined,
    about: StoreErrorContext,
    take: (value: T) => R,
  ): Reply<R> {
    if (outcome?.status === 'fulfilled') return { ok: true, value: take(outcome.value) };
    return { ok: false, error: this.#failure(outcome?.reason, about) };
  }

  #failure(error: unknown, about: StoreErrorContext): StoreError {
    if (error instanceof StoreError) return error;
    const code = this.#backend.codeOf?.(error) ?? 'lost';
    const detail = error instanceof Error && error.message !== '' ? error.message : String(error);
    return new StoreError(code, { ...about, detail, cause: error });
  }

  #newId(): string {
    return Buffer.from(this.#entropy.bytes(16)).toString('base64url');
  }

  #keyOf(id: string): string {
    return `${this.name}.${id}`;
  }

  #idOf(key: string): string | undefined {
    const at = this.name.length + 1;
    if (key.length !== at + 22 || !key.startsWith(`${this.name}.`)) return undefined;
    const id = key.slice(at);
    return /^[A-Za-z0-9_-]{21}[AQgw]$/.test(id) ? id : undefined;
  }
}

function idsOf(items: readonly BackendItem[]): string[] {
  return items.map(({ id }) => id);
}

/** @throws ClusterError `bad_options` */
export function checkConnectorName(name: string): string {
  if (nameForm.test(name)) return name;
  throw new ClusterError('bad_options', `A connector's name is 1 to 32 letters, digits, - and _, not "${name}".`);
}
