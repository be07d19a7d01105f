import { createPrivateKey, createPublicKey, sign, verify, type KeyObject } from 'node:crypto';
import { incarnationOf } from '../ref.ts';
import { ClusterError } from '../errors.ts';
import type { Entropy, Identity, Keys, Role } from '../seams.ts';

/** Bytes of the seed of an Ed25519 key, and of its public key. */
export const keyBytes = 32;

/** Longest id, in bytes after percent-encoding: two of them, keys and proofs have to fit into one header. */
export const idBytes = 192;

/** What PKCS#8 puts before the 32 bytes of an Ed25519 seed (RFC 8410). */
const pkcs8 = Buffer.from('302e020100300506032b657004220420', 'hex');
/** What SubjectPublicKeyInfo puts before the 32 bytes of an Ed25519 public key (RFC 8410). */
const spki = Buffer.from('302a300506032b6570032100', 'hex');

/**
 * A fresh incarnation of node `id`: its name, and the key that proves it on every link.
 * @throws ClusterError `bad_options` for an id that cannot be named in a header.
 */
export function newIdentity(role: Role, id: string, entropy: Entropy): Identity {
  if (!isId(id)) {
    throw new ClusterError(
      'bad_options',
      `A node id has 1 to ${idBytes} bytes of well-formed text, not ${JSON.stringify(id)}.`,
    );
  }
  const seed = entropy.bytes(keyBytes);
  return { role, id, incarnation: incarnationOf(keysOf(entropy).publicKey(seed)), seed };
}

/** Whether `id` can be a node's name. */
export function isId(id: string): boolean {
  if (id.length === 0 || id.length > idBytes) return false;
  try {
    return encodeURIComponent(id).length <= idBytes;
  } catch {
    return false; // Half a surrogate pair: no UTF-8 says it.
  }
}

/** The private key that grows from 32 bytes of seed. */
export function privateKey(seed: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([pkcs8, seed]), format: 'der', type: 'pkcs8' });
}

/** The raw 32 bytes of the public half. */
export function publicKeyOf(key: KeyObject): Uint8Array {
  return createPublicKey(key).export({ format: 'der', type: 'spki' }).subarray(spki.length);
}

/** A public key from its raw 32 bytes. */
export function publicKey(raw: Uint8Array): KeyObject {
  return createPublicKey({ key: Buffer.concat([spki, raw]), format: 'der', type: 'spki' });
}

const ed25519: Keys = {
  publicKey: (seed) => publicKeyOf(privateKey(seed)),
  sign: (seed, bytes) => sign(null, bytes, privateKey(seed)),
  verify: (key, bytes, signature) => verify(null, bytes, publicKey(key), signature),
};

/** The keys that go with an entropy. */
export function keysOf({ keys = ed25519 }: Partial<Pick<Entropy, 'keys'>>): Keys {
  return keys;
}
