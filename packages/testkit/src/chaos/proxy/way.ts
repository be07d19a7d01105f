import type { Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Random } from '../../simulation/random.ts';
import { now } from '../process/child.ts';

/** `up` is towards the node. */
export type Direction = 'up' | 'down';

/** What one direction of a connection can suffer. */
export type WayFault =
  'latency' | 'bandwidth' | 'slice' | 'hold' | 'black-hole' | 'reset' | 'corrupt' | 'replay' | 'inject';

/** What waits while a connection is held, at most: then its sender is stopped, as a full socket buffer does. */
const heldMost = 8 << 20;

interface Piece {
  readonly bytes: Buffer;
  /** When it may pass: milliseconds since the epoch. */
  readonly due: number;
}

export interface WayEvents {
  /** A fault has met bytes; told each time. */
  readonly fired: (fault: WayFault, bytes: number) => void;
  /** The connection is to be reset. */
  readonly cut: () => void;
  /** Everything that was read has been passed, and the sender has ended. */
  readonly drained: () => void;
}

/** One direction of a connection: bytes wait here, and pass as the faults let them. */
export class Way {
  /** Nothing passes until released; then everything, in order. */
  held = false;
  /** Bytes are taken and thrown away: the sender notices nothing. */
  black = false;
  /** Bytes that have passed. */
  passed = 0;
  /** The connection is reset when so many bytes have passed. */
  cutAt: number = Infinity;
  /** Bytes a second. */
  rate: number = Infinity;
  /** Bytes in one piece, at most. */
  slice: number = Infinity;
  /** Milliseconds that each piece is late, and how much more at most. */
  latency = 0;
  jitter = 0;
  /** This byte, counted from the first of the connection, is changed. */
  corruptAt: number = Infinity;
  /** So many of the bytes that have passed last are remembered. */
  remember = 0;
  #remembered: Buffer = Buffer.alloc(0);
  readonly #waiting: Piece[] = [];
  #draining = false;
  #ended = false;
  readonly #from: Socket;
  readonly #to: Socket;
  readonly #random: Random;
  readonly #events: WayEvents;

  constructor(from: Socket, to: Socket, random: Random, events: WayEvents) {
    this.#from = from;
    this.#to = to;
    this.#random = random;
    this.#events = events;
  }

  /** Bytes that wait to be passed. */
  get waiting(): number {
    return this.#waiting.reduce((sum, { bytes }) => sum + bytes.length, 0);
  }

  take(bytes: Buffer): void {
    if (this.black) return this.#events.fired('black-hole', bytes.length);
    if (this.held) this.#events.fired('hold', bytes.length);
    const late = this.latency + this.#random.between(0, this.jitter);
    if (late > 0) this.#events.fired('latency', bytes.length);
    // No piece overtakes another one: TCP keeps their order.
    const due = Math.max(now() + late, this.#waiting.at(-1)?.due ?? 0);
    this.#waiting.push({ bytes, due });
    if (this.rate !== Infinity || this.waiting > heldMost) this.#from.pause();
    void this.drain();
  }

  /** The sender says no more. A held or black way stays up for its other end, as that of a machine that has gone does. */
  end(): void {
    this.#ended = true;
    if (!this.held && !this.black) void this.drain();
  }

  release(): void {
    this.held = false;
    void this.drain();
  }

  /** Puts bytes between those that pass. */
  inject(bytes: Uint8Array, as: 'inject' | 'replay' = 'inject'): void {
    if (bytes.length === 0 || !this.#to.writable) return;
    this.#events.fired(as, bytes.length);
    this.#to.write(bytes);
  }

  /** Passes once more what has passed last, as far as it was remembered. */
  replay(): void {
    this.inject(this.#remembered, 'replay');
  }

  async drain(): Promise<void> {
    if (this.#draining) return;
    this.#draining = true;
    for (let piece = this.#next(); piece !== undefined; piece = this.#next()) {
      const late = piece.due - now();
      if (late > 0) await sleep(late);
      else await this.#pass(piece);
    }
    this.#draining = false;
    if (this.#waiting.length > 0) return;
    if (this.#ended && !this.black) this.#events.drained();
    else this.#from.resume();
  }

  #next(): Piece | undefined {
    return this.held || !this.#to.writable ? undefined : this.#waiting[0];
  }

  /** Passes one piece, and takes as long for it as the rate says. */
  async #pass({ bytes, due }: Piece): Promise<void> {
    const most = Math.min(this.slice, this.rate === Infinity ? Infinity : Math.ceil(this.rate / 100));
    this.#waiting.shift();
    if (bytes.length > most) {
      this.#waiting.unshift({ bytes: bytes.subarray(most), due });
      this.#events.fired(most === this.slice ? 'slice' : 'bandwidth', bytes.length);
    }
    const piece = this.#corrupted(bytes.subarray(0, Math.min(most, this.cutAt - this.passed)));
    if (this.remember > 0) this.#remembered = Buffer.concat([this.#remembered, piece]).subarray(-this.remember);
    this.passed += piece.length;
    const full = !this.#to.write(piece);
    if (this.passed >= this.cutAt) {
      this.#events.fired('reset', this.passed);
      return this.#events.cut();
    }
    if (this.rate !== Infinity) await sleep((1_000 * piece.length) / this.rate);
    else if (full) await room(this.#to);
  }

  #corrupted(piece: Buffer): Buffer {
    const at = this.corruptAt - this.passed;
    if (at < 0 || at >= piece.length) return piece;
    const changed = Buffer.from(piece);
    changed[at] = (changed[at] ?? 0) ^ (1 << this.#random.int(8));
    this.#events.fired('corrupt', 1);
    return changed;
  }
}

/** Resolves when the socket takes more, or will never again. */
function room(socket: Socket): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      socket.off('drain', done).off('close', done);
      resolve();
    };
    socket.on('drain', done).on('close', done);
  });
}
