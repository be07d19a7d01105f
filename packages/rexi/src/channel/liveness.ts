import type { Constants } from '../constants.ts';

/** What the silence of a peer means. Times and byte counts come in, judgements come out. */
export class Liveness {
  readonly #constants: Constants;
  readonly #acks: boolean;
  #heard: number;
  #silent = false;
  /** When the peer last acked something new. */
  #acked: number;
  #deaf = false;
  /** Since when this side has not been stopped. */
  #awake: number;
  /** When the kernel last took a byte, or had none to take. */
  #moved: number;
  #taken = 0;

  /** `acks`: the peer is to be heard, and to hear. */
  constructor(constants: Constants, now: number, acks = false) {
    this.#constants = constants;
    this.#acks = acks;
    this.#heard = this.#acked = this.#awake = this.#moved = now;
  }

  /** When the last byte was heard. */
  get heard(): number {
    return this.#heard;
  }

  get suspect(): boolean {
    return this.#silent || this.#deaf;
  }

  /** Any byte is a heartbeat. Returns whether the peer was suspect until now. */
  hear(now: number): boolean {
    const was = this.suspect;
    this.#heard = now;
    this.#silent = false;
    return was && !this.suspect;
  }

  /** The peer has acked something new: what is said to it arrives. Returns whether it was suspect until now. */
  reaches(now: number): boolean {
    const was = this.suspect;
    this.#acked = now;
    this.#deaf = false;
    return was && !this.suspect;
  }

  /** This side was stopped: that nothing was written meanwhile says nothing about the peer. */
  wasStopped(now: number): void {
    this.#moved = this.#awake = this.#acked = now;
  }

  /** It speaks over another link from now on, which owes nothing. */
  moved(now: number): void {
    this.#moved = now;
    this.#taken = 0;
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
    const was = this.suspect;
    this.#silent ||= now - this.#heard > suspectAfter * heartbeat;
    // Heartbeats are acked with the peer's next one, so that it is one behind.
    this.#deaf ||= this.#acks && now - this.#acked > (suspectAfter + 1) * heartbeat;
    return !was && this.suspect;
  }
}
