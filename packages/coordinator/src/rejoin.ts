import type { Channel, Clock, ClusterError, Constants, Link, ResumeAnswer } from '@muster/rexi';
import { resume } from '@muster/rexi';

export interface RejoinOptions {
  readonly clock: Clock;
  readonly constants: Constants;
  /** Where the node is reached; dialled in turn. */
  readonly addresses: readonly string[];
}

/** What is done for one session while its link is broken, or may be: another one is asked to carry it on. */
export class Rejoin {
  readonly #options: RejoinOptions;
  #takeBack: (() => void) | undefined;
  #nobodySince: number | undefined;
  /** Dials in a row that met nobody. */
  #refusals = 0;

  constructor(options: RejoinOptions) {
    this.#options = options;
  }

  /** Asks for the session at a new link; the one before it is destroyed first. */
  ask(channel: Channel, link: Link, session: number, answered: (answer: ResumeAnswer) => void): void {
    this.stop();
    // First: on a link that is read on, more could come than is said here.
    channel.leave('another link carries the session on');
    const { clock, constants } = this.#options;
    this.#takeBack = resume(link, { clock, constants, session, read: channel.read, answered });
  }

  /** Nobody waits for an answer any more. */
  stop(): void {
    this.#takeBack?.();
    this.#takeBack = undefined;
    this.#somebody();
  }

  /**
   * A dial has failed. Returns for how many milliseconds more nobody may listen there until that is the end of the node's
   * process, and of the session; Infinity: that is not what it says, or not of every address yet.
   */
  failed({ detail }: ClusterError): number {
    const { clock, constants, addresses } = this.#options;
    if (detail !== 'ECONNREFUSED') this.#somebody();
    else if ((this.#refusals += 1) >= addresses.length) {
      const now = clock.now();
      this.#nobodySince ??= now;
      return Math.max(0, this.#nobodySince + constants.kill - now);
    }
    return Infinity;
  }

  #somebody(): void {
    this.#nobodySince = undefined;
    this.#refusals = 0;
  }
}
