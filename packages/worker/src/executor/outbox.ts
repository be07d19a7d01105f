/** What an outbox writes to: a socket, or a list in a test. */
export interface Sink {
  cork(): void;
  uncork(): void;
  write(bytes: Uint8Array): boolean;
}

/** Payloads up to this size are copied behind their frame; larger ones are handed over as they are. */
const small = 2_048;
const slabSize = 64 * 1024;

/**
 * Frames on their way out. A frame is its length (u32, of what follows), its type (u8) and its fields, all big-endian.
 * What is written within one turn leaves in one system call: that, and not the encoding, is what a dispatch costs.
 */
export class Outbox {
  readonly #sink: Sink;
  readonly #schedule: (flush: () => void) => void;
  readonly #flush: () => void = () => this.flush();
  #slab: Buffer = Buffer.allocUnsafeSlow(slabSize);
  /** Where in the slab begins what has not been handed over, where the open frame begins, and where it ends. */
  #from = 0;
  #frame = 0;
  #at = 0;
  #parts: Uint8Array[] = [];
  #scheduled = false;

  /** `schedule` calls back once what belongs to this turn has been written. */
  constructor(sink: Sink, schedule: (flush: () => void) => void) {
    this.#sink = sink;
    this.#schedule = schedule;
  }

  open(type: number): void {
    this.#frame = this.#at;
    this.#room(5);
    this.#at += 4;
    this.u8(type);
  }

  /** Ends the frame, with a payload that is not changed any more. */
  close(payload?: Uint8Array): void {
    const size = payload?.length ?? 0;
    const apart = size > small;
    if (payload !== undefined && !apart) this.bytes(payload);
    this.#slab.writeUInt32BE(this.#at - this.#frame - 4 + (apart ? size : 0), this.#frame);
    this.#frame = this.#at;
    if (payload !== undefined && apart) this.#part(payload);
    this.#arrange();
  }

  u8(value: number): void {
    this.#room(1);
    this.#slab[this.#at++] = value;
  }

  u32(value: number): void {
    this.#room(4);
    this.#at = this.#slab.writeUInt32BE(value, this.#at);
  }

  u48(value: number): void {
    this.#room(6);
    this.#at = this.#slab.writeUIntBE(value, this.#at, 6);
  }

  f64(value: number): void {
    this.#room(8);
    this.#at = this.#slab.writeDoubleBE(value, this.#at);
  }

  text(value: string): void {
    const size = Buffer.byteLength(value);
    this.u32(size);
    this.#room(size);
    this.#at += this.#slab.write(value, this.#at, size);
  }

  bytes(value: Uint8Array): void {
    this.#room(value.length);
    this.#slab.set(value, this.#at);
    this.#at += value.length;
  }

  /** Hands over everything that is complete. */
  flush(): void {
    this.#scheduled = false;
    this.#cut();
    const parts = this.#parts;
    if (parts.length === 0) return;
    this.#parts = [];
    if (parts.length > 1) this.#sink.cork();
    for (const part of parts) this.#sink.write(part);
    if (parts.length > 1) this.#sink.uncork();
  }

  #arrange(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#schedule(this.#flush);
  }

  #part(payload: Uint8Array): void {
    this.#cut();
    this.#parts.push(payload);
  }

  /** Complete frames of the slab become a part. */
  #cut(): void {
    if (this.#frame > this.#from) this.#parts.push(this.#slab.subarray(this.#from, this.#frame));
    this.#from = this.#frame;
  }

  /** Makes room for `size` more bytes of the open frame, which moves to a new slab if it must. */
  #room(size: number): void {
    if (this.#at + size <= this.#slab.length) return;
    this.#cut();
    const open = this.#slab.subarray(this.#frame, this.#at);
    const larger = Buffer.allocUnsafeSlow(Math.max(slabSize, 2 * (open.length + size)));
    larger.set(open);
    this.#slab = larger;
    this.#from = this.#frame = 0;
    this.#at = open.length;
  }
}
