import type { Socket } from 'node:net';

export type Direction = 'up' | 'down';

/** What becomes of the bytes of one direction. */
interface Way {
  /** Nothing passes until released; then everything, in order. */
  held: boolean;
  /** Bytes are taken and thrown away: the sender notices nothing. */
  black: boolean;
  /** Passed so far. */
  passed: number;
  /** The connection is reset when so many bytes have passed. */
  cutAt: number;
  /** Bytes a second. */
  rate: number;
  readonly waiting: Buffer[];
  draining: boolean;
}

/** One connection through the proxy. `up` is towards the node. */
export class Wire {
  /** `coordinator`, `guardian` or `peer`, as far as the handshake has told; else empty. */
  role = '';
  open = true;
  /** Hears what is said towards the node. */
  overheard: (chunk: string) => void = () => undefined;
  readonly #ends: Readonly<Record<Direction, { readonly from: Socket; readonly to: Socket }>>;
  readonly #ways: Readonly<Record<Direction, Way>> = { up: newWay(), down: newWay() };

  constructor(near: Socket, far: Socket) {
    this.#ends = { up: { from: near, to: far }, down: { from: far, to: near } };
    for (const direction of ['up', 'down'] as const) this.#serve(direction);
  }

  passed(direction: Direction): number {
    return this.#ways[direction].passed;
  }

  /** Bytes that wait to be released. */
  heldBytes(direction: Direction): number {
    return this.#ways[direction].waiting.reduce((sum, { length }) => sum + length, 0);
  }

  hold(...directions: Direction[]): void {
    for (const direction of both(directions)) this.#ways[direction].held = true;
  }

  release(...directions: Direction[]): void {
    for (const direction of both(directions)) {
      this.#ways[direction].held = false;
      void this.#drain(direction);
    }
  }

  blackHole(...directions: Direction[]): void {
    for (const direction of both(directions)) this.#ways[direction].black = true;
  }

  /** Resets both ends once so many more bytes have passed in this direction. */
  cutAfter(direction: Direction, bytes: number): void {
    this.#ways[direction].cutAt = this.#ways[direction].passed + bytes;
  }

  /** At most so many bytes a second, in each direction. */
  limit(rate: number): void {
    this.#ways.up.rate = this.#ways.down.rate = rate;
  }

  /** Puts bytes of the test's own between those that pass. */
  inject(direction: Direction, bytes: Uint8Array): void {
    this.#ends[direction].to.write(bytes);
  }

  cut(): void {
    this.open = false;
    for (const socket of [this.#ends.up.from, this.#ends.up.to]) if (!socket.destroyed) socket.resetAndDestroy();
  }

  #serve(direction: Direction): void {
    const { from } = this.#ends[direction];
    const way = this.#ways[direction];
    from.setNoDelay(true);
    from.on('error', () => this.cut());
    from.on('data', (chunk: Buffer) => {
      if (direction === 'up') this.#listen(chunk);
      if (way.black) return;
      way.waiting.push(chunk);
      if (way.rate !== Infinity) from.pause();
      void this.#drain(direction);
    });
    from.on('close', () => {
      this.open = false;
      // A held connection stays up for its other end, as that of a machine that has gone does.
      if (!way.held && !way.black) void this.#drain(direction);
    });
  }

  #listen(chunk: Buffer): void {
    if (this.role !== '') return;
    const text = chunk.toString('latin1');
    this.overheard(text);
    this.role = /role="?(\w+)/.exec(text)?.[1] ?? '';
  }

  async #drain(direction: Direction): Promise<void> {
    const { from, to } = this.#ends[direction];
    const way = this.#ways[direction];
    if (way.draining) return;
    way.draining = true;
    while (way.waiting.length > 0 && !way.held && to.writable) await this.#pass(way, to);
    way.draining = false;
    if (way.waiting.length > 0) return;
    if (from.destroyed && !way.black) to.end();
    else from.resume();
  }

  /** Passes one piece, and takes as long for it as the rate says. */
  async #pass(way: Way, to: Socket): Promise<void> {
    const chunk = way.waiting.shift() as Buffer;
    const most = way.rate === Infinity ? chunk.length : Math.ceil(way.rate / 100);
    if (chunk.length > most) way.waiting.unshift(chunk.subarray(most));
    const piece = chunk.subarray(0, Math.min(most, way.cutAt - way.passed));
    way.passed += piece.length;
    const full = !to.write(piece);
    if (way.passed >= way.cutAt) return this.cut();
    if (way.rate !== Infinity) await new Promise((resolve) => setTimeout(resolve, (1_000 * piece.length) / way.rate));
    else if (full) await room(to);
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

function newWay(): Way {
  return { held: false, black: false, passed: 0, cutAt: Infinity, rate: Infinity, waiting: [], draining: false };
}

function both(directions: readonly Direction[]): readonly Direction[] {
  return directions.length === 0 ? ['up', 'down'] : directions;
}
