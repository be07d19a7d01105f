import type { Clock } from '../seams.ts';

/** The close of a link, in its place behind the frames. */
export interface PipeClose {
  readonly code: number;
  readonly reason: string;
}

/** What stands at the far end of a pipe. */
export interface PipeEnd {
  /** Whether it reads at this moment. */
  ready(): boolean;
  frame(bytes: Uint8Array): void;
  close(close: PipeClose): void;
}

export interface PipeOptions {
  readonly clock: Clock;
  readonly latency: number;
  readonly buffer: number;
}

type Item = Uint8Array | PipeClose;

/**
 * One direction of a link in memory: frames wait to leave (`queued`), are under way for `latency`, and wait to be read.
 * At most `buffer` bytes have left and not been read, but always one frame.
 */
export class Pipe {
  readonly #options: PipeOptions;
  readonly #drained: () => void;
  #end: PipeEnd | undefined;
  #waiting: Item[] = [];
  #arrived: Item[] = [];
  #queued = 0;
  /** Bytes that have left and not been read. */
  #unread = 0;
  #moving = false;
  #dead = false;

  constructor(options: PipeOptions, drained: () => void) {
    this.#options = options;
    this.#drained = drained;
  }

  get queued(): number {
    return this.#queued;
  }

  connect(end: PipeEnd): void {
    this.#end = end;
  }

  push(item: Item): void {
    this.#waiting.push(item);
    this.#queued += bytesOf(item);
    this.wake();
  }

  /** Loses everything, at once and for ever. */
  destroy(): void {
    this.#dead = true;
    this.#waiting = [];
    this.#arrived = [];
    this.#queued = 0;
  }

  /** Something may have become possible: looks at it in a turn of its own. */
  wake(): void {
    if (this.#moving || this.#dead) return;
    this.#moving = true;
    this.#options.clock.soon(() => {
      this.#moving = false;
      this.#leave();
      this.#read();
    });
  }

  #leave(): void {
    const owed = this.#queued > 0;
    const leaving = this.#take();
    const { clock, latency } = this.#options;
    if (latency === 0) this.#arrive(leaving);
    else if (leaving.length > 0) clock.after(latency, () => (this.#arrive(leaving), this.#read()));
    if (owed && this.#queued === 0 && !this.#dead) this.#drained();
  }

  #take(): Item[] {
    const { buffer } = this.#options;
    let count = 0;
    for (const item of this.#waiting) {
      if (this.#unread > 0 && this.#unread + bytesOf(item) > buffer) break;
      this.#unread += bytesOf(item);
      this.#queued -= bytesOf(item);
      count++;
    }
    return this.#waiting.splice(0, count);
  }

  #arrive(items: readonly Item[]): void {
    if (!this.#dead) for (const item of items) this.#arrived.push(item);
  }

  #read(): void {
    const before = this.#unread;
    while (this.#end?.ready() && this.#arrived.length > 0) {
      const item = this.#arrived.shift() as Item;
      this.#unread -= bytesOf(item);
      if (item instanceof Uint8Array) this.#end.frame(item);
      else this.#end.close(item);
    }
    if (this.#unread < before && this.#waiting.length > 0) this.wake();
  }
}

function bytesOf(item: Item): number {
  return item instanceof Uint8Array ? item.length : 0;
}
