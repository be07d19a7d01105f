import type { Constants } from '../constants.ts';

/** A rate is measured over at least this many milliseconds; shorter spans measure the scheduler. */
const span = 20;

/**
 * How many body bytes may be under way without a session-ack: as much as the link moves in `inFlightTime`, so that a
 * kill waits behind at most that, between `inFlight` and `inFlightMax`.
 */
export class InFlightLimit {
  readonly #constants: Constants;
  #bytes: number;
  #since = Number.NaN;
  #acked = 0;

  constructor(constants: Constants) {
    this.#constants = constants;
    this.#bytes = constants.inFlight;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** So many body bytes were acked just now. The first ack only starts the watch: nobody knows how long it took. */
  measure(bytes: number, now: number): void {
    if (Number.isNaN(this.#since)) return void (this.#since = now);
    this.#acked += bytes;
    const passed = now - this.#since;
    if (passed < span) return;
    const { inFlight, inFlightMax, inFlightTime } = this.#constants;
    const worth = (this.#acked / passed) * inFlightTime;
    this.#bytes = Math.min(inFlightMax, Math.max(inFlight, Math.floor((this.#bytes + worth) / 2)));
    this.#since = now;
    this.#acked = 0;
  }
}
