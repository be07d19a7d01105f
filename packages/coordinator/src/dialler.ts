import type { Clock, Constants, Entropy, Identity, Link, Timer, Transport } from '@muster/rexi';
import { chance, ClusterError } from '@muster/rexi';
import { backoff } from './backoff.ts';

export interface DiallerOptions {
  /** Dialled in turn, at least one. */
  readonly addresses: readonly string[];
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly constants: Constants;
  readonly transport: Transport;
  readonly identity: Identity;
  readonly secret: Uint8Array;
  /** The node's id, once it is known: nobody else may answer. */
  readonly id: () => string | undefined;
  /** Takes the link. What it throws counts as a dial that has failed. */
  readonly linked: (link: Link) => Promise<void>;
  readonly failed: (error: ClusterError) => void;
}

/** Dials one address after the other, and again when it is told to, each time later, until it is stopped. */
export class Dialler {
  readonly #options: DiallerOptions;
  readonly #stop = new AbortController();
  #attempt = 0;
  #turn = 0;
  #dialling = false;
  #retry: Timer | undefined;

  constructor(options: DiallerOptions) {
    this.#options = options;
  }

  get stopped(): boolean {
    return this.#stop.signal.aborted;
  }

  async dial(): Promise<void> {
    const { transport, identity, secret, constants, addresses, id, linked, failed } = this.#options;
    const address = addresses[this.#turn % addresses.length] ?? '';
    this.#turn += 1;
    const { signal } = this.#stop;
    this.#dialling = true;
    try {
      const expect = id();
      const known = expect === undefined ? {} : { expect };
      const link = await transport.dial(address, { identity, secret, timeout: constants.connect, signal, ...known });
      this.#dialling = false;
      if (signal.aborted) return link.abort('closed meanwhile');
      if (chance(this.#options.clock, 'dial-lost', 0.1)) {
        link.abort('lost at a failpoint');
        throw new ClusterError('unreachable', `The link to ${address} was lost before anything was said.`);
      }
      await linked(link);
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.#dialling = false;
      if (!signal.aborted) failed(error);
    }
  }

  /** Dials after a while, longer each time since the last success, but not after more than `most` ms; at once one dial. */
  again(most: number = Infinity): void {
    const { clock, entropy } = this.#options;
    this.#retry?.cancel();
    if (this.#dialling || this.stopped) return;
    const wait = chance(clock, 'redial-at-once', 0.2) ? 0 : Math.min(most, backoff(this.#attempt, entropy));
    this.#retry = clock.after(wait, () => void this.dial());
    this.#attempt += 1;
  }

  /** Does not dial again by itself, whatever comes of a dial that is under way. */
  rest(): void {
    this.#retry?.cancel();
    this.#attempt = 0;
  }

  /** What was dialled for has come about. */
  succeeded(): void {
    this.#attempt = 0;
  }

  stop(): void {
    this.#stop.abort();
    this.#retry?.cancel();
  }
}
