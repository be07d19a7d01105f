import type { Clock, Link, LinkHandler, Peer, Role } from '../../seams.ts';

export interface SlowLinkOptions {
  readonly clock: Clock;
  /** Of each direction. */
  readonly bitsPerSecond: number;
  /** Bytes that the kernel takes ahead of the wire. The more, the longer the way that nothing can overtake on. */
  readonly kernel: number;
}

/** How long a frame of each lane was under way, from its handover to its arrival, in milliseconds. */
export interface Transit {
  readonly lane: 'control' | 'body';
  readonly ms: number;
}

/** Both ends of a link that carries frames one after the other, at so many bits a second. */
export function slowLinks(options: SlowLinkOptions, roles: readonly [Role, Role]): readonly [SlowLink, SlowLink] {
  const ends = [new SlowLink(options, roles[1]), new SlowLink(options, roles[0])] as const;
  ends[0].far = ends[1];
  ends[1].far = ends[0];
  return ends;
}

export class SlowLink implements Link {
  readonly peer: Peer;
  readonly transits: Transit[] = [];
  far: SlowLink | undefined;
  #handler: LinkHandler | undefined;
  readonly #options: SlowLinkOptions;
  #unsent = 0;
  /** When the wire has carried everything that was handed over. */
  #free = 0;

  constructor(options: SlowLinkOptions, role: Role) {
    this.#options = options;
    this.peer = { role, id: role, incarnation: '0123456789abcdef' };
  }

  get queued(): number {
    return Math.max(0, this.#unsent - this.#options.kernel);
  }

  handle(handler: LinkHandler): void {
    this.#handler = handler;
  }

  send(parts: readonly Uint8Array[]): void {
    const frame = Buffer.concat(parts);
    const { clock, bitsPerSecond } = this.#options;
    const sent = clock.now();
    this.#free = Math.max(this.#free, sent) + (frame.length * 8_000) / bitsPerSecond;
    this.#unsent += frame.length;
    clock.after(this.#free - sent, () => this.#arrive(frame, sent));
  }

  hear(frame: Uint8Array): void {
    this.#handler?.frame(frame);
  }

  #arrive(frame: Buffer, sent: number): void {
    const waited = this.queued > 0;
    this.#unsent -= frame.length;
    this.transits.push({ lane: frame[0] === 0 ? 'control' : 'body', ms: this.#options.clock.now() - sent });
    this.far?.hear(frame);
    if (waited && this.queued === 0) this.#handler?.drained();
  }

  pause(): void {}
  resume(): void {}
  close(code: number, reason: string): void {
    throw new Error(`closed with ${code}: ${reason}`);
  }
  abort(reason: string): void {
    throw new Error(`aborted: ${reason}`);
  }
}
