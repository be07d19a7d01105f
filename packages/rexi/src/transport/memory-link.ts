import type { Clock, Link, LinkEnd, LinkHandler, Peer, Timer } from '../seams.ts';
import { Pipe } from './memory-pipe.ts';

/** How links in memory behave; all in virtual milliseconds and bytes. */
export interface MemoryLinkOptions {
  readonly clock: Clock;
  /** Milliseconds that a frame is under way. 0: it arrives by `clock.soon`. */
  readonly latency: number;
  /** Bytes that may have left a sender and not been read: what the kernels' buffers are to a socket. */
  readonly buffer: number;
  /** Milliseconds that a closing link waits for the peer, before it ends all the same. */
  readonly closing: number;
  /** Called when an end has been told. */
  readonly over?: () => void;
}

/** Two ends of one link; `near` talks to `far` and has `farPeer` at its other end. */
export function memoryLinks(
  nearPeer: Peer,
  farPeer: Peer,
  options: MemoryLinkOptions,
): { near: MemoryLink; far: MemoryLink } {
  const near = new MemoryLink(farPeer, options);
  const far = new MemoryLink(nearPeer, options);
  near.join(far);
  return { near, far };
}

/**
 * One end of a link in memory, with the manners of a socket: nothing is delivered in the turn in which it was sent, a
 * close waits behind the frames before it, a reset overtakes them, and what a paused peer does not read piles up here.
 */
export class MemoryLink implements Link {
  readonly peer: Peer;
  readonly #options: MemoryLinkOptions;
  readonly #out: Pipe;
  #far: MemoryLink | undefined;
  #handler: LinkHandler | undefined;
  #paused = false;
  /** How it ends, or will: what is said first stays. */
  #end: LinkEnd | undefined;
  #told = false;
  #lost = false;
  #closing: Timer | undefined;

  constructor(peer: Peer, options: MemoryLinkOptions) {
    this.peer = peer;
    this.#options = options;
    this.#out = new Pipe(options, () => this.#handler?.drained());
  }

  join(far: MemoryLink): void {
    this.#far = far;
    far.#far = this;
    this.#connect(far);
    far.#connect(this);
  }

  get #partner(): MemoryLink {
    if (this.#far === undefined) throw new Error('A link in memory has two ends: call join first.');
    return this.#far;
  }

  get queued(): number {
    return this.#out.queued;
  }

  handle(handler: LinkHandler): void {
    this.#handler = handler;
    const end = this.#end;
    if (this.#told && end) this.#options.clock.soon(() => handler.ended(end));
    this.#partner.#out.wake();
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#end === undefined) this.#out.push(Buffer.concat(parts));
  }

  pause(): void {
    this.#paused = true;
  }

  resume(): void {
    this.#paused = false;
    this.#partner.#out.wake();
  }

  close(code: number, reason: string): void {
    if (this.#end !== undefined) return;
    this.#end = { by: 'self', code, reason };
    this.#out.push({ code, reason });
    this.#closing = this.#options.clock.after(this.#options.closing, () => this.#reset());
    this.#partner.#out.wake(); // What comes in is dropped from now on, paused or not.
  }

  abort(reason: string): void {
    this.#end ??= { by: 'self', code: 1006, reason };
    this.#reset();
  }

  /** Loses everything from now on without a word, as a network does; both ends are told `silent` after `ms`. */
  lose(ms: number): void {
    for (const side of [this, this.#partner]) {
      side.#lost = true;
      side.#out.destroy();
      this.#options.clock.after(ms, () => side.#over({ by: 'silent', code: 1006, reason: 'ETIMEDOUT' }));
    }
  }

  #connect(far: MemoryLink): void {
    this.#out.connect({
      ready: () => far.#handler !== undefined && (!far.#paused || far.#end !== undefined),
      frame: (bytes) => far.#end === undefined && far.#handler?.frame(bytes),
      close: ({ code, reason }) => far.#closedBy(code, reason),
    });
  }

  /** The peer's close has been read: both are over. */
  #closedBy(code: number, reason: string): void {
    this.#out.destroy();
    this.#over({ by: 'peer', code, reason });
    this.#arrive(() => this.#partner.#over(reset));
  }

  #reset(): void {
    if (this.#told) return;
    this.#out.destroy();
    this.#options.clock.soon(() => this.#over(reset));
    if (this.#lost) return;
    this.#partner.#out.destroy();
    this.#arrive(() => this.#partner.#over(reset));
  }

  #arrive(run: () => void): void {
    const { clock, latency } = this.#options;
    if (latency > 0) clock.after(latency, run);
    else clock.soon(run);
  }

  /** The one way to the end. What this side has said itself goes before what it learns. */
  #over(learned: LinkEnd): void {
    if (this.#told) return;
    this.#told = true;
    this.#end ??= learned;
    this.#closing?.cancel();
    this.#options.over?.();
    this.#handler?.ended(this.#end);
  }
}

const reset: LinkEnd = { by: 'peer', code: 1006, reason: '' };
