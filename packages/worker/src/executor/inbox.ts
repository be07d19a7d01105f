/** The peer has written something that is no frame. */
export class BadFrame extends Error {
  override readonly name: string = 'BadFrame';
}

/** Bytes of a frame's length. */
const head = 4;

/** Most bytes of one frame between agent and executor: an object that a job puts or gets has to fit one. 256 MiB. */
export const largestFrame: number = 2 ** 28;

/** Most bytes of an object in one: beside it there are words of some bytes. */
export const largestAnswer: number = largestFrame - 65_536;

/** Cuts what arrives into frames. Bytes of a frame that comes in many chunks are copied once. */
export class Inbox {
  readonly #limit: number;
  readonly #frame: (type: number, fields: Fields) => void;
  #chunks: Buffer[] = [];
  #held = 0;
  /** Bytes that the first frame needs, as far as they are known. */
  #needed = head;

  /** `limit`: bytes of one frame. `frame` is called for each; its fields are a view on the chunk. */
  constructor(limit: number, frame: (type: number, fields: Fields) => void) {
    this.#limit = limit;
    this.#frame = frame;
  }

  /** @throws BadFrame for an empty frame or one beyond the limit. */
  push(chunk: Buffer): void {
    this.#chunks.push(chunk);
    this.#held += chunk.length;
    if (this.#held < this.#needed) return;
    const bytes = this.#chunks.length === 1 ? chunk : Buffer.concat(this.#chunks, this.#held);
    const rest = this.#cut(bytes);
    this.#chunks = rest === bytes.length ? [] : [bytes.subarray(rest)];
    this.#held = bytes.length - rest;
  }

  /** Hands out every complete frame; says where the first incomplete one begins. */
  #cut(bytes: Buffer): number {
    let at = 0;
    this.#needed = head;
    while (bytes.length - at >= head) {
      const size = bytes.readUInt32BE(at);
      if (size === 0 || size > this.#limit) throw new BadFrame(`a frame of ${size} bytes; the limit is ${this.#limit}`);
      if (bytes.length - at < head + size) {
        this.#needed = head + size;
        break;
      }
      const start = at + head;
      at = start + size;
      this.#frame(bytes[start] as number, new Fields(bytes, start + 1, at));
    }
    return at;
  }
}

/** Reads the fields of one frame and never beyond its end. */
export class Fields {
  readonly #bytes: Buffer;
  readonly #end: number;
  #at: number;

  constructor(bytes: Buffer, at: number, end: number) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
  }

  u8(): number {
    return this.#bytes[this.#take(1)] as number;
  }

  u32(): number {
    return this.#bytes.readUInt32BE(this.#take(4));
  }

  u48(): number {
    return this.#bytes.readUIntBE(this.#take(6), 6);
  }

  f64(): number {
    return this.#bytes.readDoubleBE(this.#take(8));
  }

  text(): string {
    const size = this.u32();
    const at = this.#take(size);
    return this.#bytes.toString('utf8', at, at + size);
  }

  bytes(): Uint8Array {
    const size = this.u32();
    const at = this.#take(size);
    return this.#bytes.subarray(at, at + size);
  }

  /** Everything to the end of the frame. */
  rest(): Uint8Array {
    return this.#bytes.subarray(this.#take(this.#end - this.#at), this.#end);
  }

  #take(size: number): number {
    const at = this.#at;
    if (size > this.#end - at) throw new BadFrame(`a frame that ends ${size - (this.#end - at)} bytes too early`);
    this.#at = at + size;
    return at;
  }
}
