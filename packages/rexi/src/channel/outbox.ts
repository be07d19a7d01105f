import type { Constants } from '../constants.ts';
import { ClusterError } from '../errors.ts';
import type { Lane } from '../message/layouts.ts';
import { badState } from './violation.ts';
import { firstPiece, frameHead, lastPiece, pieceHead, writeFrameHead, writePieceHead } from './frame.ts';
import { InFlightLimit } from './in-flight.ts';

/** A frame with one byte of a message. */
export const smallestFrame: number = frameHead + pieceHead + 1;

/** A message on its way into frames. */
interface Pending {
  parts: readonly Uint8Array[];
  readonly size: number;
  sent: number;
  readonly atHandOver: (() => readonly Uint8Array[]) | undefined;
}

/** A frame that was handed over and is not acked. */
interface Sent {
  readonly number: number;
  readonly lane: Lane;
  readonly size: number;
  /** Absent where nothing is ever sent again. */
  readonly parts: readonly Uint8Array[] | undefined;
}

/** In which order what nobody has read is sent again. One object, so that test builds can break it. */
export const resending = {
  /** Of one lane: what was under way, and behind it what was to be sent again already. */
  order<Frame>(underWay: readonly Frame[], again: readonly Frame[]): Frame[] {
    return [...underWay, ...again];
  },
};

/** A queue without shifting costs: read from the head, compacted now and then. */
class Queue<T> {
  #items: (T | undefined)[] = [];
  #head = 0;

  push(item: T): void {
    this.#items.push(item);
  }

  peek(): T | undefined {
    return this.#items[this.#head];
  }

  /** Everything, in order; it is empty then. */
  take(): T[] {
    const all = this.#items.slice(this.#head) as T[];
    this.#items = [];
    this.#head = 0;
    return all;
  }

  drop(): void {
    this.#items[this.#head] = undefined; // It may hold megabytes, and its place is not compacted at once.
    this.#head += 1;
    if (this.#head === this.#items.length || this.#head > 4096) {
      this.#items = this.#items.slice(this.#head);
      this.#head = 0;
    }
  }
}

export interface OutboxOptions {
  /** Frames are kept until they are acked, so that `rewind` can send them again. Default: they are not. */
  readonly keep?: boolean;
}

/**
 * What waits to be sent, and the decision what goes next. Control first, always; body only while the body bytes that
 * the peer has not session-acked stay below the in-flight limit, since what the kernel holds cannot be overtaken. So what
 * is kept for another link is bounded as well: it is what is in flight.
 */
export class Outbox {
  readonly #queues: Record<Lane, Queue<Pending>> = { control: new Queue(), body: new Queue() };
  readonly #waiting: Record<Lane, number> = { control: 0, body: 0 };
  readonly #constants: Constants;
  readonly #keep: boolean;
  #limit: InFlightLimit;
  readonly #frame: number;
  readonly #message: number;
  /** Frames that are not acked, oldest first; of control only where they are kept. */
  readonly #unacked: Queue<Sent> = new Queue();
  /** What was under way on a link that broke and has not left again, and its bytes. */
  readonly #again: Record<Lane, Queue<Sent>> = { control: new Queue(), body: new Queue() };
  readonly #againBytes: Record<Lane, number> = { control: 0, body: 0 };
  #inFlight = 0;
  #controlFrames = 0;
  #number = 0;
  #acked = 0;
  /** The frame behind which this link began. */
  #begun = 0;

  constructor(constants: Constants, { keep = false }: OutboxOptions = {}) {
    this.#constants = constants;
    this.#keep = keep;
    this.#frame = constants.frame;
    this.#message = constants.message;
    this.#limit = new InFlightLimit(constants);
  }

  /** Bytes of messages that are not handed over yet. */
  waiting(lane: Lane): number {
    return this.#waiting[lane] + this.#againBytes[lane];
  }

  /** Control frames that were handed over, are kept, and not acked. */
  get controlFrames(): number {
    return this.#controlFrames;
  }

  /** Bytes of body frames that were handed over and are not acked. */
  get inFlight(): number {
    return this.#inFlight;
  }

  /** As many of them as there may be now. */
  get limit(): number {
    return this.#limit.bytes;
  }

  /**
   * Queues a message. `atHandOver` makes its bytes once more when the first of them leaves, of the same size: for what
   * depends on that moment, as the time left of a deadline does.
   * @throws ClusterError `limit` for a message that the peer would have to refuse, and the link with it.
   */
  push(lane: Lane, parts: readonly Uint8Array[], atHandOver?: () => readonly Uint8Array[]): void {
    const size = sizeOf(parts);
    if (size > this.#message) {
      throw new ClusterError('limit', `A message of ${size} bytes is larger than ${this.#message}.`, {
        detail: 'message',
      });
    }
    this.#queues[lane].push({ parts, size, sent: 0, atHandOver });
    this.#waiting[lane] += size;
  }

  /** The next frame in parts, of at most so many bytes where it is a new one, or undefined while nothing may go. */
  next(most: number = this.#frame): Uint8Array[] | undefined {
    if (this.#againBytes.control > 0) return this.#resend('control');
    if (this.#waiting.control > 0) return this.#fill('control', most);
    if (this.#againBytes.body > 0) return this.#hasRoomAgain() ? this.#resend('body') : undefined;
    const free = this.#bodyFrame();
    return free === 0 ? undefined : this.#fill('body', Math.min(most, free));
  }

  /** Bytes that a body frame may have now; 0: it waits for an ack, rather than go in crumbs. */
  #bodyFrame(): number {
    if (this.#waiting.body === 0) return 0;
    const { bytes } = this.#limit;
    const free = Math.min(this.#frame, bytes - this.#inFlight);
    const wanted = Math.min(this.#frame, bytes, frameHead + pieceHead + this.#waiting.body);
    return free < wanted ? 0 : free;
  }

  /** The peer has read everything up to this frame. */
  ack(frame: number, now: number): void {
    if (frame < this.#begun) return; // It was under way when the link broke, and is said again.
    this.#checkAck(frame);
    this.#limit.measure(this.#forget(frame), now);
  }

  /**
   * Begins anew on another link, whose peer has read everything up to this frame: what came behind it is sent again, under
   * new numbers, control before body. It reached nobody, because that link is over on both sides.
   * @throws ProtocolError `badState` for a frame that was never sent, or was acked.
   */
  rewind(read: number): void {
    this.#checkAck(read);
    this.#forget(read);
    const lost = this.#unacked.take();
    for (const lane of ['control', 'body'] as const) {
      const underWay = lost.filter((sent) => sent.lane === lane);
      const again = resending.order(underWay, this.#again[lane].take());
      this.#againBytes[lane] = again.reduce((sum, { size }) => sum + size, 0);
      for (const sent of again) this.#again[lane].push(sent);
    }
    this.#number = this.#begun = read;
    this.#inFlight = this.#controlFrames = 0;
    this.#limit = new InFlightLimit(this.#constants);
  }

  #checkAck(frame: number): void {
    if (frame > this.#number || frame < this.#acked) {
      throw badState(`acked frame ${frame}, where ${this.#acked} to ${this.#number} were possible`);
    }
  }

  /** The frames up to this one are the peer's. Returns how many bytes of body were in them. */
  #forget(frame: number): number {
    this.#acked = frame;
    let bytes = 0;
    for (let next = this.#unacked.peek(); next !== undefined && next.number <= frame; next = this.#unacked.peek()) {
      if (next.lane === 'body') bytes += next.size;
      else this.#controlFrames -= 1;
      this.#unacked.drop();
    }
    this.#inFlight -= bytes;
    return bytes;
  }

  #hasRoomAgain(): boolean {
    const size = this.#again.body.peek()?.size ?? 0;
    return this.#inFlight === 0 || this.#inFlight + size <= this.#limit.bytes;
  }

  #resend(lane: Lane): Uint8Array[] | undefined {
    const sent = this.#again[lane].peek();
    if (sent?.parts === undefined) return undefined;
    this.#again[lane].drop();
    this.#againBytes[lane] -= sent.size;
    this.#number += 1;
    const frame = [writeFrameHead(lane, this.#number), ...sent.parts.slice(1)];
    this.#handedOver(lane, sent.size, frame);
    return frame;
  }

  #handedOver(lane: Lane, size: number, parts: readonly Uint8Array[]): void {
    if (lane === 'body') this.#inFlight += size;
    else if (this.#keep) this.#controlFrames += 1;
    else return;
    this.#unacked.push({ number: this.#number, lane, size, parts: this.#keep ? parts : undefined });
  }

  /** A message that fits the next frame whole is not cut to fill the last eighth of this one: its receiver would copy it. */
  #betterAlone({ sent, size }: Pending, room: number): boolean {
    return sent === 0 && size > room && room < this.#frame / 8 && size <= this.#frame - frameHead - pieceHead;
  }

  #fill(lane: Lane, most: number): Uint8Array[] {
    this.#number += 1;
    const frame: Uint8Array[] = [writeFrameHead(lane, this.#number)];
    let used = frameHead;
    for (let next = this.#queues[lane].peek(); next !== undefined; next = this.#queues[lane].peek()) {
      if (most - used <= pieceHead || (used > frameHead && this.#betterAlone(next, most - used - pieceHead))) break;
      const length = cut(next, most - used - pieceHead, frame);
      used += pieceHead + length;
      this.#waiting[lane] -= length;
      if (next.sent < next.size) break;
      this.#queues[lane].drop();
    }
    this.#handedOver(lane, used, frame);
    return frame;
  }
}

/** Moves as much of a message into the frame as there is room for; returns how many of its bytes. */
function cut(message: Pending, room: number, frame: Uint8Array[]): number {
  if (message.sent === 0 && message.atHandOver !== undefined) message.parts = made(message, message.atHandOver());
  const length = Math.min(message.size - message.sent, room);
  const first = message.sent === 0 ? firstPiece : 0;
  const last = message.sent + length === message.size ? lastPiece : 0;
  frame.push(writePieceHead(first | last, length), ...slice(message.parts, message.sent, length));
  message.sent += length;
  return length;
}

function made({ size }: Pending, parts: readonly Uint8Array[]): readonly Uint8Array[] {
  if (sizeOf(parts) !== size) throw new TypeError(`A message of ${size} bytes has ${sizeOf(parts)} at its handover.`);
  return parts;
}

/** `length` bytes of the parts from `start` on, uncopied. */
function slice(parts: readonly Uint8Array[], start: number, length: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  let skip = start;
  let left = length;
  for (const part of parts) {
    if (left === 0) break;
    if (skip < part.length) {
      const piece = part.subarray(skip, skip + left);
      pieces.push(piece);
      left -= piece.length;
    }
    skip = Math.max(0, skip - part.length);
  }
  return pieces;
}

function sizeOf(parts: readonly Uint8Array[]): number {
  return parts.reduce((sum, part) => sum + part.length, 0);
}
