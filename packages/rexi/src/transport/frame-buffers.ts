import { defaults } from '../constants.ts';

/** Frames from this size on are put together in a buffer that is used again; it is never much larger than its frame. */
const large = defaults.frame / 2;

/** Most buffers that one link keeps while it has nothing to send. */
const spares = 4;

/**
 * Puts the parts of frames together for the socket. Large frames get one of a few buffers, which come back when the
 * kernel has taken what they hold: new ones for all of them would each be 64 KiB that the collector accounts for, and
 * the collections that this sets off cost more than the copy.
 */
export class FrameBuffers {
  readonly #spare: Buffer[] = [];
  /** What the frames that the kernel has not taken yet lie in, oldest first; undefined: in memory of their own. */
  readonly #lent: (Buffer | undefined)[] = [];

  /** The frame in one piece, good until `taken` was called for it. */
  join(parts: readonly Uint8Array[]): Uint8Array {
    const size = parts.reduce((sum, part) => sum + part.length, 0);
    if (size < large || size > defaults.frame) return this.#own(parts, size);
    const buffer = this.#spare.pop() ?? Buffer.allocUnsafeSlow(defaults.frame);
    this.#lent.push(buffer);
    let at = 0;
    for (const part of parts) {
      buffer.set(part, at);
      at += part.length;
    }
    return buffer.subarray(0, size);
  }

  /** The kernel has taken the oldest frame. */
  taken(): void {
    const buffer = this.#lent.shift();
    if (buffer !== undefined && this.#spare.length < spares) this.#spare.push(buffer);
  }

  #own(parts: readonly Uint8Array[], size: number): Uint8Array {
    this.#lent.push(undefined);
    const [only] = parts;
    return parts.length === 1 && only !== undefined ? only : Buffer.concat(parts, size);
  }
}
