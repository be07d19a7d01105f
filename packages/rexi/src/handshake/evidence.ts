import { createHmac, timingSafeEqual } from 'node:crypto';
import type { Credential, Keys } from '../seams.ts';
import { incarnationOf } from '../ref.ts';
import { keyBytes, keysOf } from './identity.ts';
import { provesAs, roleKey } from './role-key.ts';
import { transcriptBytes, type Side, type Transcript } from './transcript.ts';

/** What one side shows: that it knows the secret, and that it holds the key of the incarnation it claims. */
export interface Evidence {
  /** Raw Ed25519 public key, 32 bytes. */
  readonly key: Uint8Array;
  /** Ed25519 over the transcript, 64 bytes. */
  readonly signature: Uint8Array;
  /** HMAC-SHA-256 over the transcript with the role's key, 32 bytes. */
  readonly proof: Uint8Array;
}

/** What is wrong with evidence, in the order in which it is looked at. */
export type Flaw = 'proof' | 'incarnation' | 'signature';

export const signatureBytes = 64;
export const proofBytes = 32;

/** Proves `about` as `side`, with the cluster secret or the role's key, and the incarnation's seed. */
export function evidence(
  side: Side,
  about: Transcript,
  secret: Credential,
  seed: Uint8Array,
  keys: Keys = keysOf({}),
): Evidence {
  const bytes = transcriptBytes(side, about);
  return { key: keys.publicKey(seed), signature: keys.sign(seed, bytes), proof: mac(side, about, secret, bytes) };
}

/**
 * The flaw of what `side` has shown, if any. The shared secret comes first: whoever does not know it cannot make this
 * side do the hundred times dearer signature check.
 */
export function flaw(
  side: Side,
  about: Transcript,
  secret: Credential,
  shown: Evidence,
  keys: Keys = keysOf({}),
): Flaw | undefined {
  const bytes = transcriptBytes(side, about);
  if (!same(shown.proof, mac(side, about, secret, bytes))) return 'proof';
  const claimed = side === 'client' ? about.clientIncarnation : about.serverIncarnation;
  if (shown.key.length !== keyBytes || !same(Buffer.from(claimed), Buffer.from(incarnationOf(shown.key))))
    return 'incarnation';
  return keys.verify(shown.key, bytes, shown.signature) ? undefined : 'signature';
}

function mac(side: Side, about: Transcript, secret: Credential, bytes: Uint8Array): Uint8Array {
  const key = roleKey(secret, provesAs(side, about.role));
  return createHmac('sha256', key).update(bytes).digest();
}

/** Whether two values are equal, in a time that does not tell where they differ. */
export function same(one: Uint8Array, other: Uint8Array): boolean {
  return one.length === other.length && timingSafeEqual(one, other);
}
