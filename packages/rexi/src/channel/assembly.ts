/** A message that comes in pieces. Its memory grows with what has come, never by what was announced. */
export class Assembly {
  #bytes: Buffer;
  #size: number;

  constructor(first: Uint8Array) {
    // A copy: a piece that waits for its fellows would pin the whole buffer that the socket was read into.
    this.#bytes = Buffer.from(first);
    this.#size = first.length;
  }

  get size(): number {
    return this.#size;
  }

  /** One buffer that doubles, and no list: a peer that sends a byte at a time gets a byte of memory for each. */
  add(piece: Uint8Array): void {
    const size = this.#size + piece.length;
    if (size > this.#bytes.length) {
      const larger = Buffer.allocUnsafe(Math.max(size, 2 * this.#bytes.length));
      larger.set(this.#bytes.subarray(0, this.#size));
      this.#bytes = larger;
    }
    this.#bytes.set(piece, this.#size);
    this.#size = size;
  }

  get bytes(): Uint8Array {
    return this.#bytes.subarray(0, this.#size);
  }
}
