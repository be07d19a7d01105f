import { createHmac } from 'node:crypto';
import type { Clock, Entropy } from '../seams.ts';
import { same } from './evidence.ts';
import { nonceBytes } from './transcript.ts';

const stampBytes = 8;
const randomBytes = 8;
const markAt = stampBytes + randomBytes;

/** What can be wrong with a nonce that comes back. */
export type StaleNonce = 'foreign' | 'old' | 'replayed' | 'busy';

export interface NonceOptions {
  readonly clock: Clock;
  readonly entropy: Entropy;
  /** Milliseconds in which a nonce must come back. Default 5000. */
  readonly lifetime?: number | undefined;
  /** Used nonces that are remembered; while that many are younger than `lifetime`, nobody new is let in. Default 4096. */
  readonly most?: number | undefined;
}

/**
 * A listener's nonces. Issuing one leaves nothing behind: 8 bytes of time, 8 of randomness, and a MAC of both with a key
 * of this listener, so that it knows its own again. Only a nonce that came back with a good proof is remembered, until
 * it is too old anyway: who does not know the secret cannot fill the memory.
 */
export class Nonces {
  readonly #clock: Clock;
  readonly #entropy: Entropy;
  readonly #key: Uint8Array;
  readonly #lifetime: number;
  readonly #most: number;
  /** Used nonce to the time of its use, oldest first. */
  readonly #used = new Map<string, number>();

  constructor({ clock, entropy, lifetime = 5_000, most = 4_096 }: NonceOptions) {
    this.#clock = clock;
    this.#entropy = entropy;
    this.#key = entropy.bytes(32);
    this.#lifetime = lifetime;
    this.#most = most;
  }

  /** How many used nonces are remembered. */
  get remembered(): number {
    return this.#used.size;
  }

  issue(): Uint8Array {
    const head = Buffer.alloc(markAt);
    head.writeDoubleBE(this.#clock.now());
    head.set(this.#entropy.bytes(randomBytes), stampBytes);
    return Buffer.concat([head, this.#mark(head)]);
  }

  /** What is wrong with a nonce that has come back, if anything. Leaves no trace. */
  flaw(nonce: Uint8Array): StaleNonce | undefined {
    const head = nonce.subarray(0, markAt);
    if (nonce.length !== nonceBytes || !same(nonce.subarray(markAt), this.#mark(head))) return 'foreign';
    if (this.#clock.now() - Buffer.from(head).readDoubleBE() >= this.#lifetime) return 'old';
    this.#forget();
    if (this.#used.has(hex(nonce))) return 'replayed';
    return this.#used.size < this.#most ? undefined : 'busy';
  }

  /** Remembers a nonce that came back with a good proof. */
  use(nonce: Uint8Array): void {
    this.#used.set(hex(nonce), this.#clock.now());
  }

  #forget(): void {
    const now = this.#clock.now();
    for (const [nonce, at] of this.#used) {
      if (now - at < this.#lifetime) return;
      this.#used.delete(nonce);
    }
  }

  #mark(head: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#key)
      .update(head)
      .digest()
      .subarray(0, nonceBytes - markAt);
  }
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString('hex');
}
