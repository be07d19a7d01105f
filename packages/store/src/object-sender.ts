import type { ObjectChunk } from '@muster/rexi';
import { chunkBytes, headBytes, violation, type ObjectAnswer } from './transfer.ts';

export interface SenderOptions {
  readonly id: number;
  /** The object; views on it are sent, nothing is copied. */
  readonly bytes: Uint8Array;
  /** Bytes that may be under way; 0: only the head is wanted. */
  readonly credit: number;
  /** Most bytes of a chunk. */
  readonly chunk?: number;
}

/**
 * The holding side of one transfer. Chunks go out whole: a credit that has room for only a part of one waits. That never
 * waits for ever, because a chunk is at most half the credit, and half the credit consumed is acked.
 */
export class ObjectSender {
  readonly #id: number;
  readonly #bytes: Uint8Array;
  readonly #credit: number;
  readonly #chunk: number;
  #sent = 0;
  #acked = 0;

  constructor({ id, bytes, credit, chunk = chunkBytes }: SenderOptions) {
    this.#id = id;
    this.#bytes = bytes;
    this.#credit = credit;
    this.#chunk = Math.max(1, Math.min(chunk, Math.floor(credit / 2)));
  }

  /** Everything has been sent. A question is never over by itself. */
  get done(): boolean {
    return this.#credit > 0 && this.#sent === this.#bytes.length;
  }

  /** The head and what the credit allows. */
  open(): ObjectAnswer[] {
    return [{ type: 'object-head', id: this.#id, size: this.#bytes.length }, ...this.#fill()];
  }

  /** @throws ProtocolError `badState` for a total below one said before or beyond what was sent. */
  ack(total: number): ObjectAnswer[] {
    if (total < this.#acked || total > this.#sent) {
      throw violation(`acked ${total} bytes of an object, where ${this.#acked} to ${this.#sent} were possible`);
    }
    this.#acked = total;
    return this.#fill();
  }

  #fill(): ObjectChunk[] {
    const chunks: ObjectChunk[] = [];
    for (let size = this.#next(); size > 0; size = this.#next()) {
      const offset = this.#sent;
      this.#sent += size;
      chunks.push({ type: 'object-chunk', id: this.#id, offset, bytes: this.#bytes.subarray(offset, this.#sent) });
    }
    return chunks;
  }

  /** Bytes of the next chunk; 0 while it may not go, or when there is none. */
  #next(): number {
    const whole = this.#sent === 0 ? Math.max(1, this.#chunk - headBytes) : this.#chunk;
    const size = Math.min(whole, this.#bytes.length - this.#sent);
    return this.#sent + size - this.#acked <= this.#credit ? size : 0;
  }
}
