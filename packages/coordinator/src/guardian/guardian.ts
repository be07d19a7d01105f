import type { Clock, Constants, Entropy, Identity, Link, Timer, Transport } from '@muster/rexi';
import { chance, Channel, CloseCode, ClusterError, constants as tableOf } from '@muster/rexi';
import { backoff } from '../backoff.ts';
import type { GuardianEffect } from './guardian-core.ts';
import { GuardianCore } from './guardian-core.ts';
import type { Begin, FromGuardian, ToGuardian } from './pipe.ts';

export interface GuardianOptions {
  readonly begin: Begin;
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly transport: Transport;
  /** Writes a line to the coordinator. */
  readonly say: (message: FromGuardian) => void;
  /** Ends the process; what was sent has left by then. */
  readonly exit: (code: 0 | 3) => void;
}

type Dial = Extract<GuardianEffect, { do: 'dial' }>;

/**
 * The shell around GuardianCore: links to the nodes, dialled again until they are fenced, and a tick each heartbeat.
 * It runs in a process of its own in production, and in the process of the test under simulation.
 */
export class Guardian {
  readonly #options: GuardianOptions;
  readonly #identity: Identity;
  readonly #secret: Uint8Array;
  readonly #constants: Constants;
  readonly #core: GuardianCore;
  readonly #channels: Map<string, Channel> = new Map();
  readonly #over = new AbortController();
  #tick: Timer | undefined;
  #turn = 0;

  constructor(options: GuardianOptions) {
    const { begin, clock } = options;
    const { id, incarnation, seed, secret, number } = begin;
    this.#options = options;
    this.#constants = tableOf(begin.constants);
    this.#identity = { role: 'guardian', id, incarnation, seed: Buffer.from(seed, 'base64') };
    this.#secret = Buffer.from(secret, 'base64');
    this.#core = new GuardianCore(this.#constants, number, clock.now());
    this.#ticks();
  }

  told(message: ToGuardian): void {
    this.#perform(this.#core.told(message, this.#options.clock.now()));
  }

  pipeEnded(): void {
    this.#perform(this.#core.pipeEnded(this.#options.clock.now()));
  }

  /** Ends at once, as SIGKILL does: nothing is said to anybody. */
  abort(reason: string): void {
    this.#over.abort();
    this.#tick?.cancel();
    for (const channel of this.#channels.values()) channel.abort(reason);
  }

  #ticks(): void {
    const { clock } = this.#options;
    this.#tick = clock.after(this.#constants.heartbeat, () => {
      this.#ticks();
      this.#perform(this.#core.tick(clock.now()));
    });
  }

  #perform(effects: readonly GuardianEffect[]): void {
    for (const effect of effects) {
      if (this.#over.signal.aborted) return;
      if (effect.do === 'dial') void this.#dial(effect);
      else if (effect.do === 'send') this.#channels.get(effect.address)?.send(effect.message);
      else if (effect.do === 'say') this.#options.say(effect.message);
      else this.#exit(effect.code);
    }
  }

  async #dial(to: Dial, attempt = 0): Promise<void> {
    const { address, node, addresses } = to;
    const { signal } = this.#over;
    if (signal.aborted) return;
    try {
      const { connect: timeout } = this.#constants;
      const identity = this.#identity;
      const next = addresses[this.#turn++ % addresses.length] ?? address;
      const link = await this.#options.transport.dial(next, {
        identity,
        secret: this.#secret,
        expect: node,
        timeout,
        signal,
      });
      if (signal.aborted) return link.abort('the guardian is over');
      this.#channels.set(address, this.#converse(to, link));
      this.#perform(this.#core.linked(address));
    } catch (error) {
      if (!(error instanceof ClusterError)) throw error;
      this.#again(to, attempt + 1);
    }
  }

  #converse(to: Dial, link: Link): Channel {
    const { clock } = this.#options;
    const { address } = to;
    return new Channel(link, {
      clock,
      constants: this.#constants,
      handler: {
        message: (message) => {
          if (message.type === 'heartbeat' && chance(clock, 'renewal-skipped', 0.1)) return;
          this.#perform(this.#core.heard(address, message, clock.now()));
        },
        ended: () => {
          this.#channels.delete(address);
          this.#core.unlinked(address);
          this.#again(to, 0);
        },
      },
    });
  }

  #again(to: Dial, attempt: number): void {
    const wanted = (): boolean => !this.#over.signal.aborted && this.#core.wants(to.address);
    if (!wanted()) return;
    const { clock, entropy } = this.#options;
    clock.after(backoff(attempt, entropy), () => wanted() && void this.#dial(to, attempt));
  }

  #exit(code: 0 | 3): void {
    this.#over.abort();
    this.#tick?.cancel();
    for (const channel of this.#channels.values()) channel.close(CloseCode.normal, 'the guardian has done its work');
    this.#options.clock.soon(() => this.#options.exit(code));
  }
}
