import type { Clock } from '@muster/rexi';
import { ClusterError } from '@muster/rexi';
import { ByteCache } from './byte-cache.ts';
import type { CallOptions } from './connector.ts';
import { StoreError, type StoreErrorContext } from './errors.ts';
import { Exchange } from './exchange.ts';
import { formatObjectName, parseObjectKey, type ObjectKey } from './object-key.ts';
import type { ObjectPort } from './object-port.ts';
import { ObjectProbe } from './object-probe.ts';
import { ObjectReceiver } from './object-receiver.ts';
import { bounded, SingleFlight } from './single-flight.ts';
import { Slots } from './slots.ts';
import { defaultCredit, maxCredit, type AskingMachine, type ObjectAnswer, type ObjectAsk } from './transfer.ts';

/** What can be set about asking other nodes for objects. */
export interface TransferOptions {
  /** Bytes of one object that may be under way, 1 to 16 MiB. Default 1 MiB. */
  readonly credit?: number;
  /** Milliseconds without a word from the holding side until a call fails with `timeout`. Default 10 s. */
  readonly silence?: number;
  /** Bytes of the largest object taken. Default 1 GiB. */
  readonly largest?: number;
  /** Calls under way at a time over one link; more wait. Default 64. */
  readonly transfers?: number;
}

export interface ObjectClientOptions extends TransferOptions {
  readonly clock: Clock;
  /** Where objects are kept; give several clients one and they share it. Default: an own one of 64 MiB. */
  readonly cache?: ByteCache;
  /** Called once when the port has ended or was closed: this client is of no use any more. */
  readonly ended?: () => void;
}

/** Asks one node for objects: many at a time over one port, each key once, and what came is cached. */
export class ObjectClient {
  readonly #port: ObjectPort;
  readonly #clock: Clock;
  readonly #cache: ByteCache;
  readonly #ended: () => void;
  readonly #options: Required<TransferOptions>;
  readonly #gets: SingleFlight<Uint8Array>;
  readonly #slots: Slots;
  readonly #exchanges = new Map<number, Exchange<unknown>>();
  /** Cancels that have not left yet, each with what gives its place back. */
  readonly #leaving = new Set<() => void>();
  #lastId = 0;
  #drops = 0;
  /** Why no more can be asked. */
  #over: { readonly code: 'lost' | 'closed'; readonly reason: string } | undefined;

  /** @throws ClusterError `bad_options` for a credit out of range. */
  constructor(port: ObjectPort, { clock, cache = new ByteCache(), ended = () => {}, ...options }: ObjectClientOptions) {
    const { credit = defaultCredit, silence = 10_000, largest = 2 ** 30, transfers = 64 } = options;
    if (!(credit >= 1 && credit <= maxCredit)) {
      throw new ClusterError('bad_options', `The credit of a transfer is 1 to ${maxCredit} bytes, not ${credit}.`);
    }
    this.#port = port;
    this.#clock = clock;
    this.#cache = cache;
    this.#ended = ended;
    this.#options = { credit, silence, largest, transfers };
    this.#gets = new SingleFlight(clock);
    this.#slots = new Slots(transfers);
    port.handle({ message: (message) => this.#take(message), ended: (reason) => this.#end('lost', reason) });
  }

  /**
   * The object's bytes, shared with the cache: not to be changed. Calls that overlap are one transfer.
   * @throws StoreError `missing`, `evicted`, `lost`, `full`, `timeout`, `cancelled`, `bad_key`, `corrupt` or `closed`.
   */
  async get(key: string, options: CallOptions = {}): Promise<Uint8Array> {
    const parsed = parseObjectKey(key);
    const cached = this.#cache.get(key);
    if (cached) return cached;
    return this.#gets.run(key, options, aboutKey(key, parsed), (signal) => this.#fetch(key, parsed, signal));
  }

  /** Asks the node, never the cache. An object of an incarnation that is gone does not exist. */
  exists(key: string, options: CallOptions = {}): Promise<boolean> {
    return this.#probe(key, options, 'exists');
  }

  /** Drops the object; false when it was gone already. @throws StoreError `foreign` when another session owns it. */
  drop(key: string, options: CallOptions = {}): Promise<boolean> {
    this.#drops += 1;
    this.#cache.delete(key);
    return this.#probe(key, options, 'drop');
  }

  /** Calls under way fail with `closed`, and the port is let go. May be called twice. */
  close(): void {
    this.#end('closed', 'the connection to the node was closed');
    this.#port.close();
  }

  async #fetch(key: string, parsed: ObjectKey, signal: AbortSignal): Promise<Uint8Array> {
    const { credit, largest } = this.#options;
    const about = aboutKey(key, parsed);
    const drops = this.#drops;
    const receiver = { object: formatObjectName(parsed), size: parsed.size, about, credit, limit: largest };
    const bytes = await this.#ask((id) => new ObjectReceiver({ id, ...receiver }), about, signal);
    // What was dropped meanwhile must not come back by way of the cache.
    if (drops === this.#drops) this.#cache.set(key, bytes);
    return bytes;
  }

  async #probe(key: string, options: CallOptions, wish: 'exists' | 'drop'): Promise<boolean> {
    const parsed = parseObjectKey(key);
    const about = aboutKey(key, parsed);
    const object = formatObjectName(parsed);
    return bounded(options, { clock: this.#clock, about }, (signal) =>
      this.#ask((id) => new ObjectProbe({ id, object, wish, about }), about, signal),
    );
  }

  /** One exchange with the node, when its turn has come. */
  async #ask<T>(make: (id: number) => AskingMachine<T>, about: StoreErrorContext, signal: AbortSignal): Promise<T> {
    await this.#slots.take(signal);
    try {
      if (this.#over) throw new StoreError(this.#over.code, { ...about, detail: this.#over.reason });
      return await this.#converse(make, signal);
    } finally {
      this.#slots.give();
    }
  }

  async #converse<T>(make: (id: number) => AskingMachine<T>, signal: AbortSignal): Promise<T> {
    const id = this.#nextId();
    const { silence } = this.#options;
    const send = (message: ObjectAsk): void => this.#send(message);
    const exchange = new Exchange<T>({ machine: make(id), clock: this.#clock, silence, send });
    const cancel = (): void => exchange.giveUp('cancelled');
    this.#exchanges.set(id, exchange as Exchange<unknown>);
    signal.addEventListener('abort', cancel);
    try {
      exchange.open();
      return await exchange.result;
    } finally {
      signal.removeEventListener('abort', cancel);
      this.#exchanges.delete(id);
    }
  }

  /**
   * Gets overtake cancels that wait to leave, and the holding side closes the link of whoever has too many open: what was
   * cancelled keeps a place until nothing can overtake its cancel any more.
   */
  #send(message: ObjectAsk): void {
    if (this.#over || message.type !== 'object-end' || message.code !== 'cancelled') return this.#port.send(message);
    const left = (): void => {
      if (this.#leaving.delete(left)) this.#slots.give();
    };
    this.#slots.hold();
    this.#leaving.add(left);
    this.#port.send(message, left);
  }

  /** Answers to what was cancelled still come for a while: they find nobody. */
  #take(message: ObjectAnswer): void {
    this.#exchanges.get(message.id)?.take(message);
  }

  #end(code: 'lost' | 'closed', reason: string): void {
    if (this.#over) return;
    this.#over = { code, reason };
    for (const exchange of this.#exchanges.values()) exchange.giveUp(code, reason);
    for (const left of [...this.#leaving]) left();
    this.#ended();
  }

  /** 1 to 2^32 - 1, then again from 1, past those still in use. */
  #nextId(): number {
    do this.#lastId = (this.#lastId % 0xffff_ffff) + 1;
    while (this.#exchanges.has(this.#lastId));
    return this.#lastId;
  }
}

function aboutKey(key: string, { node }: ObjectKey): StoreErrorContext {
  return { key, store: node };
}
