import type { Constants } from '../constants.ts';
import { defaults } from '../constants.ts';
import type { Lane } from '../message/layouts.ts';
import { Assembly } from './assembly.ts';
import type { Piece } from './frame.ts';
import { badFrame, readFrame } from './frame.ts';
import { tooLarge } from './violation.ts';

/** Turns frames back into messages, in order, once, and says when an ack is due. */
export class Inbox {
  readonly #constants: Constants;
  /** The messages that are not whole yet. */
  readonly #begun: Record<Lane, Assembly | undefined> = { control: undefined, body: undefined };
  #number = 0;
  #acked = 0;
  #unackedBytes = 0;

  constructor(constants: Constants) {
    this.#constants = constants;
  }

  /**
   * The messages that this frame completes.
   * @throws ProtocolError `badFrame` or `tooLarge`; the link is then of no use any more.
   */
  take(bytes: Uint8Array): Uint8Array[] {
    // Whatever this side sends itself: a node with smaller frames still understands all others.
    if (bytes.length > defaults.frame) throw tooLarge(`a frame of ${bytes.length} bytes, more than ${defaults.frame}`);
    const frame = readFrame(bytes);
    if (frame.number !== this.#number + 1) throw badFrame(`has the number ${frame.number} after ${this.#number}`);
    this.#number = frame.number;
    if (frame.lane === 'body') this.#unackedBytes += bytes.length;
    const messages: Uint8Array[] = [];
    for (const piece of frame.pieces) {
      const message = this.#add(frame.lane, piece);
      if (message !== undefined) messages.push(message);
    }
    return messages;
  }

  /** The last frame that was read. */
  get read(): number {
    return this.#number;
  }

  /** The frame to ack, where enough has been read since the last ack for the peer to wait for it. */
  get due(): number | undefined {
    const { inFlight, controlFrames } = this.#constants;
    const isDue = this.#unackedBytes * 8 >= inFlight || (this.#number - this.#acked) * 64 >= controlFrames;
    return isDue ? this.#number : undefined;
  }

  /** The frame to ack, whatever has been read since the last; undefined when nothing has. */
  get unacked(): number | undefined {
    return this.#number > this.#acked ? this.#number : undefined;
  }

  acked(): void {
    this.#acked = this.#number;
    this.#unackedBytes = 0;
  }

  #add(lane: Lane, piece: Piece): Uint8Array | undefined {
    const begun = this.#begun[lane];
    if (piece.first !== (begun === undefined)) {
      throw badFrame(piece.first ? 'begins a message inside another' : 'goes on with a message that was not begun');
    }
    const size = (begun?.size ?? 0) + piece.bytes.length;
    if (size > this.#constants.message) throw tooLarge(`a message of more than ${this.#constants.message} bytes`);
    if (begun === undefined) {
      if (piece.last) return piece.bytes;
      this.#begun[lane] = new Assembly(piece.bytes);
      return undefined;
    }
    begun.add(piece.bytes);
    if (!piece.last) return undefined;
    this.#begun[lane] = undefined;
    return begun.bytes;
  }
}
