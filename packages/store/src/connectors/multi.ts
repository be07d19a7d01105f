import { hostname } from 'node:os';
import { ClusterError, systemClock, type Clock } from '@muster/rexi';
import { checkConnectorName, type ConnectorSeams } from '../backend-connector.ts';
import type {
  CallOptions,
  Capabilities,
  Connector,
  ConnectorConfig,
  ObjectStat,
  PutOptions,
  Reply,
} from '../connector.ts';
import { StoreError } from '../errors.ts';
import { maxKeyBytes } from '../object-key.ts';
import { openConnector } from '../open-connector.ts';
import { bounded, refuseAborted } from '../single-flight.ts';
import { accepts, isOpenAt, type Policy } from './policy.ts';

/** One of the connectors behind a multi connector. */
export interface Choice {
  /** What the connector is made from. Its `name` is part of keys: it must not change, and is unique in the multi connector. */
  readonly config: ConnectorConfig;
  /** Default: takes everything, everywhere. */
  readonly policy?: Policy;
}

export interface MultiConnectorOptions extends ConnectorSeams {
  readonly connectors: readonly Choice[];
  /** Named in keys and errors. Default `multi`. */
  readonly name?: string;
  /** This machine, for the policies. Default its host name. Not part of the config. */
  readonly host?: string;
  /** The zone of this process, for the policies. Not part of the config. */
  readonly zone?: string;
}

/** A connector that is open here, or dormant. */
interface Branch extends Choice {
  readonly policy: Policy;
  readonly connector: Connector | undefined;
}

/**
 * Several connectors as one: of those whose policy takes an object, the one of the highest priority keeps it. When that is
 * full, the next; `full` where none is left. A connector whose policy excludes this machine or zone is dormant: its objects
 * are out of reach here (`lost`), and its config travels on.
 * @throws ClusterError `bad_options` for names that are not unique, and whatever opening a connector throws.
 */
export async function multiConnector(options: MultiConnectorOptions): Promise<Connector> {
  const { connectors, name = 'multi', host = hostname(), zone, ...seams } = options;
  checkConnectorName(name);
  const names = connectors.map(({ config }) => config.name);
  if (names.length === 0 || new Set(names).size < names.length) {
    throw new ClusterError('bad_options', 'A multi connector needs connectors, each with a name of its own.');
  }
  const place = { host, zone };
  const opened: Connector[] = [];
  try {
    const branches: Branch[] = [];
    for (const { config, policy = {} } of connectors) {
      const connector = isOpenAt(policy, place) ? await openConnector(config, seamsOf(seams)) : undefined;
      if (connector) opened.push(connector);
      branches.push({ config, policy, connector });
    }
    return new MultiConnector(name, branches, place.host, seams.clock ?? systemClock);
  } catch (error) {
    await Promise.all(opened.map((connector) => connector.close()));
    throw error;
  }
}

/** What of a config that was given as options is not a seam stays here. */
function seamsOf({ clock, entropy }: ConnectorSeams): ConnectorSeams {
  return { clock, entropy };
}

class MultiConnector implements Connector {
  readonly name: string;
  readonly capabilities: Capabilities;
  readonly #branches: readonly Branch[];
  /** Those that are open, the highest priority first. */
  readonly #open: readonly (Branch & { readonly connector: Connector })[];
  readonly #host: string;
  readonly #clock: Clock;
  #closed = false;

  constructor(name: string, branches: readonly Branch[], host: string, clock: Clock) {
    this.name = name;
    this.#branches = branches;
    this.#host = host;
    this.#clock = clock;
    this.#open = branches
      .filter((branch): branch is Branch & { connector: Connector } => branch.connector !== undefined)
      .sort((a, b) => (b.policy.priority ?? 0) - (a.policy.priority ?? 0));
    const all = this.#open.map(({ connector }) => connector.capabilities);
    this.capabilities = Object.freeze({
      reach: (['instance', 'machine'] as const).find((reach) => all.some((one) => one.reach === reach)) ?? 'network',
      durable: all.every(({ durable }) => durable),
      deferrable: all.some(({ deferrable }) => deferrable),
      largest: Math.max(0, ...all.map(({ largest }) => largest)),
    });
  }

  async put(bytes: Uint8Array, options: PutOptions = {}): Promise<string> {
    const [reply] = await this.putBatch([bytes], options);
    if (reply?.ok) return reply.value;
    throw reply?.error ?? new StoreError('full', { store: this.name });
  }

  async get(key: string, options: CallOptions = {}): Promise<Uint8Array | undefined> {
    return this.#ask(key, options, (connector, inner) => connector.get(inner, options));
  }

  async exists(key: string, options: CallOptions = {}): Promise<boolean> {
    return (await this.#ask(key, options, (connector, inner) => connector.exists(inner, options))) ?? false;
  }

  async stat(key: string, options: CallOptions = {}): Promise<ObjectStat | undefined> {
    return this.#ask(key, options, (connector, inner) => connector.stat(inner, options));
  }

  async evict(key: string, options: CallOptions = {}): Promise<void> {
    await this.#ask(key, options, (connector, inner) => connector.evict(inner, options));
  }

  /** Goes down the priorities: each connector is given at once what it takes of what is still left. */
  async putBatch(objects: readonly Uint8Array[], options: PutOptions = {}): Promise<Reply<string>[]> {
    const about = { store: this.name };
    this.#check(options);
    const kept: string[] = [];
    const { tags = [], timeout } = options;
    const put = async (signal: AbortSignal): Promise<Reply<string>[]> => {
      const replies: (Reply<string> | undefined)[] = objects.map(() => undefined);
      for (const { connector, policy } of this.#open) {
        const mine = [...objects.keys()].filter(
          (at) => isOpen(replies[at]) && accepts(policy, objects[at]?.length, tags),
        );
        if (mine.length === 0) continue;
        const given = mine.map((at) => objects[at] ?? new Uint8Array());
        const answers = await connector.putBatch(given, { tags, signal, timeout });
        for (const [n, at] of mine.entries()) replies[at] = this.#keyed(connector.name, answers[n]);
        for (const at of mine) if (replies[at]?.ok) kept.push(replies[at].value);
        signal.throwIfAborted();
      }
      return replies.map((reply, at) => reply ?? this.#refused(objects[at]?.length, tags));
    };
    try {
      return await bounded(options, { clock: this.#clock, about }, put);
    } catch (error) {
      // Nothing is kept of a call that has ended early; what is under way in a connector is undone by that one.
      await Promise.allSettled(kept.map((key) => this.evict(key)));
      throw error;
    }
  }

  async getBatch(keys: readonly string[], options: CallOptions = {}): Promise<Reply<Uint8Array | undefined>[]> {
    this.#check(options);
    const replies: Reply<Uint8Array | undefined>[] = keys.map(() => ({ ok: true, value: undefined }));
    const parsed = keys.map((key) => this.#parse(key));
    for (const [at, found] of parsed.entries()) {
      if (found && !found.branch.connector) replies[at] = { ok: false, error: this.#dormant(keys[at] ?? '', found) };
    }
    const ask = async ({ connector, config }: Branch): Promise<void> => {
      const mine = [...keys.keys()].filter((at) => parsed[at]?.branch.config.name === config.name);
      if (connector === undefined || mine.length === 0) return;
      const inner = mine.map((at) => parsed[at]?.inner ?? '');
      for (const [n, reply] of (await connector.getBatch(inner, options)).entries()) replies[mine[n] ?? -1] = reply;
    };
    await Promise.all(this.#open.map(ask));
    return replies;
  }

  /** At the first connector that has such keys and no bounds for a size that is not known yet. */
  async newKey(options: PutOptions = {}): Promise<string> {
    this.#check(options);
    const { tags = [] } = options;
    const branch = this.#open.find(
      ({ connector, policy }) => connector.newKey !== undefined && accepts(policy, undefined, tags),
    );
    if (!branch?.connector.newKey) throw this.#none('an object of unknown size', tags);
    return this.#keyOf(branch.connector.name, await branch.connector.newKey(options));
  }

  async set(key: string, bytes: Uint8Array, options: PutOptions = {}): Promise<void> {
    const set = async (connector: Connector, inner: string): Promise<true> => {
      await connector.set?.(inner, bytes, options);
      return true;
    };
    if (await this.#ask(key, options, set)) return;
    throw new StoreError('bad_key', { key, store: this.name, detail: 'newKey() did not make it' });
  }

  config(): ConnectorConfig {
    const connectors = this.#branches.map(({ config, policy }) => ({ config, policy }));
    return { kind: 'multi', name: this.name, connectors };
  }

  async close(): Promise<void> {
    this.#closed = true;
    await Promise.all(this.#open.map(({ connector }) => connector.close()));
  }

  async #ask<T>(
    key: string,
    options: CallOptions,
    work: (connector: Connector, inner: string) => Promise<T>,
  ): Promise<T | undefined> {
    this.#check(options, key);
    const found = this.#parse(key);
    if (found === undefined) return undefined;
    if (found.branch.connector === undefined) throw this.#dormant(key, found);
    return work(found.branch.connector, found.inner);
  }

  #check(options: CallOptions, key?: string): void {
    const about = { key, store: this.name };
    if (this.#closed) throw new StoreError('closed', { ...about, detail: 'it was closed' });
    refuseAborted(options, about);
  }

  #keyed(connector: string, reply: Reply<string> | undefined): Reply<string> | undefined {
    return reply?.ok ? { ok: true, value: this.#keyOf(connector, reply.value) } : reply;
  }

  #keyOf(connector: string, inner: string): string {
    const key = `${this.name}:${connector}:${inner}`;
    if (key.length <= maxKeyBytes) return key;
    throw new StoreError('bad_key', { key, store: this.name, detail: 'the names in it are too long together' });
  }

  #parse(key: string): { readonly branch: Branch; readonly inner: string } | undefined {
    if (!key.startsWith(`${this.name}:`)) return undefined;
    const rest = key.slice(this.name.length + 1);
    const branch = this.#branches.find(({ config }) => rest.startsWith(`${config.name}:`));
    return branch && { branch, inner: rest.slice(branch.config.name.length + 1) };
  }

  #dormant(key: string, { branch }: { readonly branch: Branch }): StoreError {
    const detail = `its connector ${branch.config.name} is dormant on ${this.#host}`;
    return new StoreError('lost', { key, store: this.name, detail });
  }

  #refused(size: number | undefined, tags: readonly string[]): Reply<string> {
    return { ok: false, error: this.#none(`${size} bytes`, tags) };
  }

  #none(what: string, tags: readonly string[]): StoreError {
    const detail = `no connector takes ${what} with the tags [${tags.join(', ')}]`;
    return new StoreError('full', { store: this.name, detail });
  }
}

/** Whether an object still looks for a connector. */
function isOpen(reply: Reply<string> | undefined): boolean {
  return reply === undefined || (!reply.ok && reply.error.code === 'full');
}
