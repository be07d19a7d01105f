import type { Socket } from 'node:net';
import { Random } from '../../simulation/random.ts';
import type { Direction, WayFault } from './way.ts';
import { Way } from './way.ts';

/** What a wire tells while it is there. */
export interface WireEvents {
  /** Who has dialled is known: `role` and `from`. */
  readonly known?: (wire: Wire) => void;
  /** A fault has met bytes of one direction. */
  readonly fired?: (wire: Wire, fault: WayFault | 'half-open', direction: Direction | undefined, bytes: number) => void;
  readonly closed?: (wire: Wire) => void;
}

/** One connection through the proxy. `up` is towards the node. */
export class Wire {
  /** `coordinator`, `guardian` or `peer`, as far as the handshake has told; else empty. */
  role = '';
  /** The name by which the one who has dialled calls itself; empty until the handshake has told. */
  from = '';
  open = true;
  /** Hears what is said towards the node. */
  overheard: (chunk: string) => void = () => undefined;
  readonly #ends: Readonly<Record<Direction, { readonly from: Socket; readonly to: Socket }>>;
  readonly #ways: Readonly<Record<Direction, Way>>;
  readonly #events: WireEvents;

  constructor(near: Socket, far: Socket, random: Random = new Random(0), events: WireEvents = {}) {
    this.#ends = { up: { from: near, to: far }, down: { from: far, to: near } };
    this.#events = events;
    this.#ways = { up: this.#way('up', random.fork('up')), down: this.#way('down', random.fork('down')) };
    for (const direction of ['up', 'down'] as const) this.#serve(direction);
  }

  passed(direction: Direction): number {
    return this.#ways[direction].passed;
  }

  /** Bytes that wait to be released. */
  heldBytes(direction: Direction): number {
    return this.#ways[direction].waiting;
  }

  /** Nothing passes, and nothing is lost: what waits passes when it is released. */
  hold(...directions: Direction[]): void {
    for (const way of this.#of(directions)) way.held = true;
  }

  release(...directions: Direction[]): void {
    for (const way of this.#of(directions)) way.release();
  }

  /** Bytes are lost from now on, and no end is told: the connection is half open. */
  blackHole(...directions: Direction[]): void {
    for (const way of this.#of(directions)) way.black = true;
  }

  /** Resets both ends once so many more bytes have passed in this direction. */
  cutAfter(direction: Direction, bytes: number): void {
    this.#ways[direction].cutAt = this.#ways[direction].passed + bytes;
  }

  /** At most so many bytes a second. */
  limit(rate: number, ...directions: Direction[]): void {
    for (const way of this.#of(directions)) way.rate = Math.max(1, rate);
  }

  /** Each piece is so many milliseconds late, and up to `jitter` more. */
  delay(ms: number, jitter = 0, ...directions: Direction[]): void {
    for (const way of this.#of(directions)) [way.latency, way.jitter] = [ms, jitter];
  }

  /** Pieces of at most so many bytes. */
  sliced(bytes: number, ...directions: Direction[]): void {
    for (const way of this.#of(directions)) way.slice = Math.max(1, bytes);
  }

  /** Changes one bit of the byte that comes after so many more. */
  corruptAfter(direction: Direction, bytes: number): void {
    this.#ways[direction].corruptAt = this.#ways[direction].passed + bytes;
  }

  /** Remembers so many of the bytes that pass last, for `replay`. */
  record(direction: Direction, bytes: number): void {
    this.#ways[direction].remember = bytes;
  }

  /** Passes once more what was recorded. */
  replay(direction: Direction): void {
    this.#ways[direction].replay();
  }

  /** Puts bytes of the test's own between those that pass. */
  inject(direction: Direction, bytes: Uint8Array): void {
    this.#ways[direction].inject(bytes);
  }

  /** One end is told that the connection is over; the other one is not, and what it says is lost. */
  halfOpen(told: 'near' | 'far'): void {
    this.blackHole();
    this.#events.fired?.(this, 'half-open', undefined, 0);
    const socket = told === 'near' ? this.#ends.up.from : this.#ends.up.to;
    resetNow(socket);
  }

  /** Takes all faults away; what was lost stays lost. */
  heal(): void {
    for (const way of this.#of([])) {
      [way.black, way.latency, way.jitter, way.rate, way.slice] = [false, 0, 0, Infinity, Infinity];
      [way.cutAt, way.corruptAt, way.remember] = [Infinity, Infinity, 0];
      way.release();
    }
  }

  /** Whether bytes of it were lost. */
  get lossy(): boolean {
    return this.open && this.#of([]).some(({ black }) => black);
  }

  /** Resets both ends, as a fault. */
  reset(): void {
    if (this.open) this.#events.fired?.(this, 'reset', undefined, 0);
    this.cut();
  }

  /** Resets both ends. */
  cut(): void {
    const was = this.open;
    this.open = false;
    for (const socket of [this.#ends.up.from, this.#ends.up.to]) resetNow(socket);
    if (was) this.#events.closed?.(this);
  }

  #way(direction: Direction, random: Random): Way {
    const { from, to } = this.#ends[direction];
    return new Way(from, to, random, {
      fired: (fault, bytes) => this.#events.fired?.(this, fault, direction, bytes),
      cut: () => this.cut(),
      drained: () => void to.end(),
    });
  }

  #serve(direction: Direction): void {
    const { from } = this.#ends[direction];
    const way = this.#ways[direction];
    from.setNoDelay(true);
    from.on('error', () => this.cut());
    from.on('data', (chunk: Buffer) => {
      if (direction === 'up') this.#listen(chunk);
      way.take(chunk);
    });
    from.on('close', () => {
      const was = this.open;
      this.open = false;
      if (was) this.#events.closed?.(this);
      way.end();
    });
  }

  #listen(chunk: Buffer): void {
    if (this.role !== '') return;
    const text = chunk.toString('latin1');
    this.overheard(text);
    this.role = /role="?(\w+)/.exec(text)?.[1] ?? '';
    if (this.role === '') return;
    this.from = decodeURIComponent(/role="\w+", id="([^"]*)"/.exec(text)?.[1] ?? '');
    this.#events.known?.(this);
  }

  #of(directions: readonly Direction[]): Way[] {
    return (directions.length === 0 ? (['up', 'down'] as const) : directions).map((each) => this.#ways[each]);
  }
}

/**
 * Not by `resetAndDestroy`: that ends the socket first and waits until all that was written has been taken, which a peer that
 * stands still never does. And a reset that comes between a socket's end and the kernel's having taken it is refused, behind
 * which Node never closes the handle, and spins at the end of the process waiting for it; such a socket is just closed.
 */
function resetNow(socket: Socket): void {
  const ending = socket.writableEnded && !socket.writableFinished;
  // What `resetAndDestroy` sets for `destroy` to look at.
  if (!ending && !socket.connecting) Object.assign(socket, { resetAndClosing: true });
  socket.destroy();
}
