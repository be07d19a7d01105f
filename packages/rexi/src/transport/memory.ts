import { defaults } from '../constants.ts';
import { authority, authorityOf, authoritySet, hostAndPort } from '../handshake/authority.ts';
import { reply, unwelcome, type Answer } from '../handshake/client.ts';
import { Gate } from '../handshake/gate.ts';
import { subprotocol } from '../handshake/transcript.ts';
import { answerOf, type Verdict } from '../handshake/verdict.ts';
import type { Clock, DialOptions, Entropy, Link, Listener, ListenOptions, Transport } from '../seams.ts';
import { race } from './dial-race.ts';
import { dialFailed, listenFailed } from './failure.ts';
import { memoryLinks, type MemoryLink } from './memory-link.ts';

export interface MemoryOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Milliseconds that a frame is under way. Default 0: it arrives by `clock.soon`. */
  readonly latency?: number;
  /** Bytes between two ends that have left and were not read. Default 256 KiB. */
  readonly buffer?: number;
}

/** A network in memory. Addresses look like those of sockets; any host name will do, and port 0 gets a number. */
export interface MemoryNetwork extends Transport {
  /** The dialling ends of the links that live; for tests that cut some of them. */
  readonly links: ReadonlySet<MemoryLink>;
  /** Makes `other` lead to the listener at `address`, as a port mapping does that nobody told the listener about. */
  alias(other: string, address: string): void;
  /** One bare request of a handshake and the answer to it. An accepted one makes no link. */
  request(address: string, authorization?: string): Promise<Answer>;
}

/**
 * Dials and listens without sockets: the same handshake, the same order of events, all of it by `clock.soon` and
 * `clock.after`. Under a virtual clock a run is a function of its seed.
 */
export function memoryNetwork(options: MemoryOptions): MemoryNetwork {
  return new Network(options);
}

interface Booth {
  readonly gate: Gate;
  readonly options: ListenOptions;
}

class Network implements MemoryNetwork {
  readonly links = new Set<MemoryLink>();
  readonly #options: Required<MemoryOptions>;
  readonly #booths = new Map<string, Booth>();
  #port = 40_000;

  constructor({ clock, entropy, latency = 0, buffer = 256 * 1024 }: MemoryOptions) {
    this.#options = { clock, entropy, latency, buffer };
  }

  // oxlint-disable-next-line require-await -- a wrong address has to come as a rejection, as with sockets
  async listen(address: string, options: ListenOptions): Promise<Listener> {
    const wanted = hostAndPort(authorityOf(address));
    const name = authority(wanted.host, wanted.port || this.#port++);
    if (this.#booths.has(name)) throw listenFailed(address, Object.assign(new Error(name), { code: 'EADDRINUSE' }));
    const names = authoritySet([name, ...(options.advertise ?? [])]);
    const booth = { gate: new Gate({ ...this.#options, ...options, authorities: () => names }), options };
    for (const each of names) this.#booths.set(each, booth);
    return { address: `ws://${name}`, close: () => this.#close(booth) };
  }

  dial(address: string, options: DialOptions): Promise<Link> {
    return race(this.#options.clock, address, options, (lost) => this.#shake(address, options, lost));
  }

  async request(address: string, authorization?: string): Promise<Answer> {
    return answerOf((await this.#ask(address, authorization)).verdict);
  }

  alias(other: string, address: string): void {
    const booth = this.#booths.get(authorityOf(address));
    if (booth !== undefined) this.#booths.set(authorityOf(other), booth);
  }

  // oxlint-disable-next-line require-await -- with sockets it takes a while
  async #close(booth: Booth): Promise<void> {
    for (const [name, each] of this.#booths) if (each === booth) this.#booths.delete(name);
  }

  /** The listener has accepted before the dialler knows; a dial that is over by then makes no link. */
  async #shake(address: string, options: DialOptions, lost: AbortSignal): Promise<Link> {
    const { verdict: first } = await this.#ask(address);
    const answer = reply(address, options, this.#options.entropy, answerOf(first));
    const { verdict, booth } = await this.#ask(address, answer.authorization);
    if (verdict.kind !== 'accepted') throw unwelcome(address, answerOf(verdict));
    const listener = answer.verify(answerOf(verdict));
    lost.throwIfAborted();
    const over = (): void => void this.links.delete(near);
    const { near, far } = memoryLinks(verdict.peer, listener, { ...this.#options, closing: defaults.connect, over });
    this.links.add(near);
    booth.options.accept(far);
    return near;
  }

  /** One request and its answer, a round trip. */
  async #ask(address: string, authorization?: string): Promise<{ booth: Booth; verdict: Verdict }> {
    const host = authorityOf(address);
    await this.#roundTrip();
    const booth = this.#booths.get(host);
    if (booth === undefined) throw dialFailed(address, Object.assign(new Error(host), { code: 'ECONNREFUSED' }));
    return { booth, verdict: booth.gate.judge({ host, origin: undefined, protocols: subprotocol, authorization }) };
  }

  #roundTrip(): Promise<void> {
    const { clock, latency } = this.#options;
    return new Promise((resolve) => {
      if (latency > 0) clock.after(2 * latency, resolve);
      else clock.soon(resolve);
    });
  }
}
