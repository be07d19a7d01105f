import type { Clock, Constants, Timer } from '@muster/rexi';
import type { Lane } from './lane.ts';
import type { Source } from './source.ts';

export interface WatchOptions {
  readonly clock: Clock;
  readonly constants: Constants;
  readonly lanes: readonly Lane[];
  /** Milliseconds without a sign of life of a part that is waited for; Infinity: none. */
  readonly messageTimeout: number;
  /** Nothing was heard of the copy for so long. */
  readonly silent: (lane: Lane, source: Source) => void;
}

/**
 * Looks after the parts of a request: those that are waited for have to give signs of life, and those that wait are told
 * that they are still wanted. Silence while the consumer is busy elsewhere is none of the parts': they may have run out
 * of credit.
 */
export class Watch {
  readonly #options: WatchOptions;
  /** Between two looks at most. */
  readonly #every: number;
  /** A consumer who does not ask for longer than this is busy elsewhere. */
  readonly #patience: number;
  #timer: Timer | undefined;
  #asking = false;
  /** When the consumer last went away with rows. */
  #left: number;
  #over = false;

  constructor(options: WatchOptions) {
    const { clock, constants, messageTimeout } = options;
    this.#options = options;
    this.#every = Math.min(constants.heartbeat, messageTimeout);
    this.#patience = Math.min(constants.heartbeat, messageTimeout / 4);
    this.#left = clock.now();
    this.#lookAfter(this.#every);
  }

  /** The consumer waits for rows from now on. */
  asked(): void {
    if (this.#isAway()) this.#spare();
    this.#asking = true;
  }

  /** The consumer has rows, and goes away with them. */
  answered(): void {
    this.#asking = false;
    if (this.#options.messageTimeout !== Infinity) this.#left = this.#options.clock.now();
  }

  end(): void {
    this.#over = true;
    this.#timer?.cancel();
  }

  #lookAfter(ms: number): void {
    const { clock, constants } = this.#options;
    const due = clock.now() + ms;
    this.#timer = clock.after(ms, () => {
      // Late means that we were stopped: what the parts have said meanwhile is read before anything is judged.
      if (clock.now() - due > constants.heartbeat) this.#spare();
      const next = this.#look(this.#isAway());
      if (!this.#over) this.#lookAfter(next);
    });
  }

  /** Returns the milliseconds until a part may have been silent for too long, if nothing is heard of it before. */
  #look(away: boolean): number {
    const { clock, lanes, messageTimeout, silent } = this.#options;
    const now = clock.now();
    let next = this.#every;
    for (const lane of lanes) {
      for (const source of lane.sources.values()) {
        source.stillWanted();
        if (away || source.state === 'complete' || source.hasRows || lane.hasRows) continue;
        const left = source.heard + messageTimeout - now;
        if (left > 0) next = Math.min(next, left);
        else silent(lane, source);
      }
    }
    return Math.max(1, next);
  }

  #isAway(): boolean {
    const { clock, messageTimeout } = this.#options;
    return messageTimeout !== Infinity && !this.#asking && clock.now() - this.#left > this.#patience;
  }

  /** Silence counts from now. */
  #spare(): void {
    const now = this.#options.clock.now();
    for (const lane of this.#options.lanes) for (const source of lane.sources.values()) source.heard = now;
  }
}
