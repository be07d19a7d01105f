import { StoreError } from './errors.ts';

/** Where an object is, and which one it is. Data, not a capability to change it: who has the key may read. */
export interface ObjectKey {
  /** The id of the node that holds it: 1 to 64 printable ASCII characters without `@`. */
  readonly node: string;
  /** The node's incarnation, 16 lower-case hexadecimal digits: a restarted node has none of its old objects. */
  readonly incarnation: string;
  /** 128 random bits, base64url: 22 characters. */
  readonly id: string;
  /** Bytes, below 2^48. */
  readonly size: number;
  /** Where the node listens: `ws://…`, `wss://…` or, inside one process, `memory:…`. */
  readonly address: string;
}

/** Most bytes of a key as a string; node and address share what the rest leaves, 94 bytes at least. */
export const maxKeyBytes = 149;

/*
 *     o1.89abcdef01234567.AAAAAAAAAAAAAAAAAAAAAA.2s.node-1@ws://10.0.0.1:7101
 *     version, incarnation, id, size in base 36, node, address
 */
const prefix = 'o1.';
const form =
  /^o1\.([0-9a-f]{16})\.([A-Za-z0-9_-]{21}[AQgw])\.(0|[1-9a-z][0-9a-z]{0,9})\.([!-?A-~]{1,64})@((?:wss?|memory):[!-?A-~]+)$/;
const socket = /^wss?:\/\/(?:[A-Za-z0-9.-]+|\[[0-9a-fA-F:.]+\])(?::([0-9]{1,5}))?(?:\/[A-Za-z0-9._~/-]*)?$/;
const memory = /^memory:[!-?A-~]+$/;
const nameForm = /^([0-9a-f]{16})\.([A-Za-z0-9_-]{21}[AQgw])$/;

/** @throws StoreError `bad_key` for fields that no key can have, or when node and address are too long together. */
export function formatObjectKey(key: ObjectKey): string {
  const text = `${prefix}${key.incarnation}.${key.id}.${key.size.toString(36)}.${key.node}@${key.address}`;
  const { node, size } = parseObjectKey(text);
  // A fraction or a dot in the wrong place makes a string that is a key, but not this one.
  if (node !== key.node || size !== key.size) throw badKey(text, 'its fields do not fit');
  return text;
}

/** The key behind its string, frozen. @throws StoreError `bad_key` for anything that `formatObjectKey` does not make. */
export function parseObjectKey(text: string): ObjectKey {
  const [, incarnation, id, digits, node, address] = form.exec(checkKeyText(text)) ?? [];
  if (!incarnation || !id || !digits || !node || !address) throw badKey(text, 'it does not have the form of one');
  const size = Number.parseInt(digits, 36);
  if (size >= 2 ** 48) throw badKey(text, 'the size is beyond 2^48');
  if (!isAddress(address)) throw badKey(text, 'the address is none that can be dialled');
  return Object.freeze({ node, incarnation, id, size, address });
}

/** Whether the string claims to be an object key, and not the key of some other connector. */
export function looksLikeObjectKey(text: string): boolean {
  return text.startsWith(prefix);
}

/** What every key of every connector has to be: 1 to 149 printable ASCII characters, no space. @throws StoreError `bad_key` */
export function checkKeyText(text: string): string {
  if (typeof text !== 'string') throw badKey(String(text), 'a key is a string');
  if (text.length === 0 || text.length > maxKeyBytes) throw badKey(text, `a key has 1 to ${maxKeyBytes} characters`);
  if (!/^[!-~]+$/.test(text)) throw badKey(text, 'a key is printable ASCII without spaces');
  return text;
}

/** What the owner's link is asked for: the instance and the object in it. */
export interface ObjectName {
  readonly incarnation: string;
  readonly id: string;
}

/** `89abcdef01234567.AAAAAAAAAAAAAAAAAAAAAA`: the `object` field of `object-get`, 39 bytes. */
export function formatObjectName({ incarnation, id }: ObjectName): string {
  return `${incarnation}.${id}`;
}

/** Undefined for anything that `formatObjectName` does not make. */
export function parseObjectName(text: string): ObjectName | undefined {
  const [, incarnation, id] = (text.length === 39 && nameForm.exec(text)) || [];
  return incarnation && id ? { incarnation, id } : undefined;
}

function isAddress(address: string): boolean {
  const match = socket.exec(address);
  return match ? Number(match[1] ?? 0) <= 65_535 : memory.test(address);
}

function badKey(key: string, detail: string): StoreError {
  return new StoreError('bad_key', { key, detail });
}
