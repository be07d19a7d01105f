import type { EventLoop } from '../simulation/event-loop.ts';
import type { Path } from './path.ts';

/** Nanoseconds that a frame may take to leave while the next one is not held back for it. */
const slowLine = 1e6;

/** The close of a connection, in its place behind the frames. */
export interface Fin {
  readonly code: number;
  readonly reason: string;
}

export type Item = Uint8Array | Fin;

/** What stands at the far end of a flow. */
export interface Sink {
  /** Whether it takes something at this moment. */
  ready(): boolean;
  take(item: Item): void;
  /** Its kernel has something to read: calls back as soon as the process can. */
  awake(read: () => void): void;
  /** Nobody is there any more; asked for each thing that arrives. */
  readonly gone: boolean;
}

export interface FlowOptions {
  readonly loop: EventLoop;
  readonly path: Path;
  /** Bytes that the kernels of both sides hold for it. */
  readonly buffer: number;
  readonly drained: () => void;
  /** Something has arrived where nobody is. */
  readonly bounced: () => void;
  /** The byte was reached at which the connection is to be reset. */
  readonly cut: () => void;
}

/**
 * One direction of a connection. Frames wait to be taken by the kernel (`queued`), leave as fast as the line is, are
 * under way, and wait to be read. A path that is clogged loses nothing: TCP sends it again when it is free.
 */
export class Flow {
  readonly #options: FlowOptions;
  #mayCut: () => boolean = () => true;
  #sink: Sink | undefined;
  #waiting: Item[] = [];
  #line: Item[] = [];
  #arrived: Item[] = [];
  #queued = 0;
  /** Bytes that the kernels have and nobody has read. */
  #inKernel = 0;
  /** Bytes that have left in all, and the one at which the connection is cut. */
  #left = 0;
  #cutAt = Infinity;
  #lineFree = 0;
  #busy = false;
  #lastArrival = 0;
  #holds = 0;
  #moving = false;
  #dead = false;
  /** The connection is being reset: nothing leaves any more, and what has left still arrives. */
  #severed = false;
  #orphaned = false;
  /** The most that ever waited for the kernel. */
  peak = 0;

  constructor(options: FlowOptions) {
    this.#options = options;
    options.path.flows.add(this);
  }

  /** The name of the machine that sends. */
  get from(): string {
    return this.#options.path.from.name;
  }

  get queued(): number {
    return this.#queued;
  }

  connect(sink: Sink): void {
    this.#sink = sink;
  }

  push(item: Item): void {
    if (this.#dead) return;
    this.#waiting.push(item);
    this.#queued += sizeOf(item);
    this.peak = Math.max(this.peak, this.#queued);
    this.wake();
  }

  /** The sender has died: what its kernel has not taken is lost, and behind the rest comes the end. */
  finish(fin: Fin): void {
    if (this.#dead) return;
    this.#waiting = [fin];
    this.#queued = 0;
    this.wake();
  }

  /** Resets the connection when so many more bytes have left, in the middle of a frame as a rule, if `may` says so then. */
  cutAfter(bytes: number, may: () => boolean): void {
    this.#cutAt = this.#left + bytes;
    this.#mayCut = may;
  }

  /**
   * The sender's machine is gone, and what its kernel kept with it. What somebody on the way holds back still comes when
   * it is released.
   */
  orphan(): void {
    if (this.#holds === 0) return this.destroy();
    this.#waiting = [];
    this.#queued = 0;
    this.#orphaned = true;
  }

  /** Nothing leaves until the hold is released, whatever the path is like. */
  hold(): void {
    this.#holds += 1;
  }

  release(): void {
    this.#holds -= 1;
    this.pump();
  }

  /** Loses everything, at once and for ever. */
  destroy(): void {
    this.#dead = true;
    this.#options.path.flows.delete(this);
    this.#waiting = [];
    this.#line = [];
    this.#arrived = [];
    this.#queued = 0;
  }

  /** Something may have become possible. */
  wake(): void {
    if (this.#moving || this.#dead) return;
    this.#moving = true;
    this.#options.loop.soon(() => {
      this.#moving = false;
      this.#leave();
    });
  }

  /** Sends off what waits in the kernel, as long as the path is free. */
  pump(): void {
    const { loop, path } = this.#options;
    while (
      this.#line.length > 0 &&
      !this.#dead &&
      !this.#severed &&
      !this.#busy &&
      this.#holds === 0 &&
      (this.#orphaned || !path.blocked)
    ) {
      const item = this.#line.shift() as Item;
      this.#left += sizeOf(item);
      if (this.#left > this.#cutAt) {
        this.#cutAt = Infinity;
        if (this.#mayCut()) {
          this.#line.length = 0;
          this.#severed = true;
          this.#options.cut();
          return;
        }
      }
      this.#lineFree = Math.max(loop.now, this.#lineFree) + path.nsFor(sizeOf(item));
      this.#lastArrival = Math.max(this.#lastArrival, this.#lineFree + path.delay());
      loop.after(this.#lastArrival - loop.now, () => this.#arrive(item));
      if (this.#lineFree - loop.now > slowLine) this.#wait();
    }
  }

  /** The line is busy: what a path will be like afterwards is not known yet. */
  #wait(): void {
    this.#busy = true;
    this.#options.loop.after(this.#lineFree - this.#options.loop.now, () => {
      this.#busy = false;
      this.pump();
    });
  }

  /** When what has left so far will all have arrived. */
  get lastArrival(): number {
    return Math.max(this.#options.loop.now, this.#lastArrival);
  }

  /** Hands on what has arrived, as long as there is somebody who takes it. */
  read(): void {
    const before = this.#inKernel;
    while (!this.#dead && this.#arrived.length > 0 && this.#sink?.ready() === true) {
      const item = this.#arrived.shift() as Item;
      this.#inKernel -= sizeOf(item);
      this.#sink.take(item);
    }
    if (this.#inKernel < before && this.#waiting.length > 0) this.wake();
  }

  #leave(): void {
    const owed = this.#queued > 0;
    let count = 0;
    for (const item of this.#waiting) {
      const size = sizeOf(item);
      if (this.#inKernel > 0 && this.#inKernel + size > this.#options.buffer) break;
      this.#inKernel += size;
      this.#queued -= size;
      count += 1;
    }
    this.#line.push(...this.#waiting.splice(0, count));
    this.pump();
    if (owed && this.#queued === 0 && !this.#dead) this.#options.drained();
  }

  #arrive(item: Item): void {
    if (this.#dead || this.#sink === undefined) return;
    if (this.#sink.gone) return this.#options.bounced();
    this.#arrived.push(item);
    this.#sink.awake(() => this.read());
  }
}

function sizeOf(item: Item): number {
  return item instanceof Uint8Array ? item.length : 0;
}
