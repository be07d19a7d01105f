import type { Constants } from '../constants.ts';

/** What the silence of a peer means. Times and byte counts come in, judgements come out. */
export class Liveness {
  readonly #constants: Constants;
  #heard: number;
  #suspect = false;
  /** Since when this side has not been stopped. */
  #awake: number;
  /** When the kernel last took a byte, or had none to take. */
  #moved: number;
  #taken = 0;

  constructor(constants: Constants, now: number) {
    this.#constants = constants;
    this.#heard = this.#awake = this.#moved = now;
  }

  /** When the last byte was heard. */
  get heard(): number {
    return this.#heard;
  }

  get suspect(): boolean {
    return this.#suspect;
  }

  /** Any byte is a heartbeat. Returns whether the peer was suspect until now. */
  hear(now: number): boolean {
    const was = this.#suspect;
    this.#heard = now;
    this.#suspect = false;
    return was;
  }

  /** This side was stopped: that nothing was written meanwhile says nothing about the peer. */
  wasStopped(now: number): void {
    this.#moved = this.#awake = now;
  }

  /** Whether the kernel has taken none of the waiting bytes for the write deadline. */
  stalled(now: number, handedOver: number, queued: number): boolean {
    const taken = handedOver - queued;
    // What was taken and not what is queued: a queue that is refilled as fast as it empties is no stalled one.
    if (queued === 0 || taken > this.#taken) this.#moved = now;
    this.#taken = taken;
    return now - this.#moved > this.#constants.write;
  }

  /** Whether nothing was heard for the write deadline: nobody may be there to take anything any more. */
  gone(now: number): boolean {
    return now - Math.max(this.#heard, this.#awake) > this.#constants.write;
  }

  /** Whether the peer becomes suspect now. */
  falls(now: number): boolean {
    const { heartbeat, suspectAfter } = this.#constants;
    if (this.#suspect || now - this.#heard <= suspectAfter * heartbeat) return false;
    this.#suspect = true;
    return true;
  }
}
