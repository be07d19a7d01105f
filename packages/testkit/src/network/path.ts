import type { EventLoop } from '../simulation/event-loop.ts';
import type { Machine } from '../simulation/machine.ts';
import type { Random } from '../simulation/random.ts';
import type { Flow } from './flow.ts';

const nsPerMs = 1e6;

/** What a path is like for a time. */
export interface Slowness {
  /** Milliseconds that are added. */
  readonly latency: number;
  /** Bytes a second. */
  readonly bandwidth: number;
}

/** The way from one machine to another, in this direction only. */
export class Path {
  readonly from: Machine;
  readonly to: Machine;
  readonly flows: Set<Flow> = new Set();
  readonly #loop: EventLoop;
  readonly #random: Random;
  /** Milliseconds that nothing is faster than, and the mean of what is added to them. */
  readonly #latency: number;
  readonly #jitter: number;
  readonly #slow: Set<Slowness> = new Set();
  readonly #travellers: (() => void)[] = [];
  #clogs = 0;

  constructor(loop: EventLoop, random: Random, from: Machine, to: Machine) {
    this.from = from;
    this.to = to;
    this.#loop = loop;
    this.#random = random;
    const local = from === to;
    this.#latency = local ? 0.02 : 0.1 + random.exponential(random.chance(0.1) ? 10 : 0.5);
    this.#jitter = local ? 0.01 : this.#latency * random.between(0.05, 0.5);
  }

  get blocked(): boolean {
    return this.#clogs > 0 || !this.from.up || !this.to.up;
  }

  /** Nothing leaves in this direction until it is unclogged as often as it was clogged. */
  clog(): void {
    this.#clogs += 1;
  }

  unclog(): void {
    this.#clogs -= 1;
    this.wake();
  }

  slow(slowness: Slowness): void {
    this.#slow.add(slowness);
  }

  unslow(slowness: Slowness): void {
    this.#slow.delete(slowness);
  }

  /** The path may be free again: what TCP has kept goes at its next attempt. */
  wake(): void {
    if (this.blocked) return;
    this.#loop.after(this.#random.between(0, 200) * nsPerMs, () => {
      if (this.blocked) return;
      for (const flow of this.flows) flow.pump();
      for (const go of this.#travellers.splice(0)) this.travel(go);
    });
  }

  /** Calls `arrived` when a small packet that leaves now is there; after the clog, if there is one. */
  travel(arrived: () => void): void {
    if (this.blocked) this.#travellers.push(arrived);
    else this.#loop.after(this.delay(), arrived);
  }

  /** Nanoseconds that something is under way which leaves now. */
  delay(): number {
    let ms = this.#latency + this.#random.exponential(this.#jitter);
    if (this.#random.chance(0.001)) ms += this.#random.between(20, 250); // A lost packet, sent again.
    for (const { latency } of this.#slow) ms += this.#random.between(0.5, 1) * latency;
    return ms * nsPerMs;
  }

  /** Nanoseconds that so many bytes take to leave. */
  nsFor(bytes: number): number {
    let rate = 125_000_000;
    for (const { bandwidth } of this.#slow) rate = Math.min(rate, bandwidth);
    return (bytes / rate) * 1e9;
  }
}
