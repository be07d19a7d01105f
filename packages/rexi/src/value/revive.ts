import { CloseCode } from '../close-code.ts';
import { ProtocolError } from '../errors.ts';
import { rebuildError } from './error-form.ts';
import type { RefHook } from './snapshot.ts';
import { MARK } from './wire.ts';

type Fields = Map<unknown, unknown>;

/**
 * Puts what marked maps stand for in their place. The tree has just been decoded, so nobody else has a part of it, and
 * the guard has bounded its depth and seen to it that no key is `__proto__`.
 */
export function revive(value: unknown, refs: RefHook | undefined): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (value instanceof Map) return reviveMap(value, refs);
  if (value instanceof Set) return new Set(Array.from(value, (item) => revive(item, refs)));
  if (Array.isArray(value)) return value.map((item) => revive(item, refs));
  if (Object.getPrototypeOf(value) === Object.prototype) reviveFields(value as Record<string, unknown>, refs);
  return value;
}

function reviveFields(object: Record<string, unknown>, refs: RefHook | undefined): void {
  for (const key of Object.keys(object)) object[key] = revive(object[key], refs);
}

function reviveMap(map: Fields, refs: RefHook | undefined): unknown {
  const first: unknown = map.keys().next().value;
  const kind = first === MARK ? map.get(MARK) : undefined;
  if (first === MARK) map.delete(MARK);
  for (const [key, value] of map) map.set(key, revive(value, refs));
  if (typeof first !== 'string' || !first.startsWith(MARK)) return map;
  return first === MARK ? standsFor(kind, map, refs) : unescaped(map);
}

function standsFor(kind: unknown, fields: Fields, refs: RefHook | undefined): unknown {
  switch (kind) {
    case 'object':
      return Object.fromEntries(unescaped(fields, true) as Map<string, unknown>);
    case 'error':
      return rebuildError(fields) ?? malformed('an error with wrong fields');
    case 'ref':
      return refOf(only(fields, 'key'), refs);
    case 'utf16':
      return textOf(only(fields, 'bytes'));
    case '-0':
      return fields.size === 0 ? -0 : malformed('a negative zero with fields');
    default:
      return malformed('a marked map of an unknown kind');
  }
}

function unescaped(map: Fields, onlyStrings = false): Fields {
  return new Map(Array.from(map, ([key, value]) => [unescapeKey(key, onlyStrings), value]));
}

function unescapeKey(key: unknown, onlyStrings: boolean): unknown {
  if (typeof key !== 'string') return onlyStrings ? malformed('an object with a key that is no string') : key;
  if (!key.startsWith(MARK)) return key;
  return key.startsWith(MARK, 1) ? key.slice(1) : malformed('a key without its escape');
}

function only(fields: Fields, name: string): unknown {
  return fields.size === 1 ? fields.get(name) : malformed('a marked map with wrong fields');
}

function refOf(key: unknown, refs: RefHook | undefined): unknown {
  if (typeof key !== 'string' || !refs) return malformed('a ref that nobody here knows');
  try {
    return refs.decode(key);
  } catch {
    return malformed('a ref with a key that is none');
  }
}

function textOf(bytes: unknown): string {
  const whole = bytes instanceof Uint8Array && bytes.length % 2 === 0;
  return whole
    ? Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString('utf16le')
    : malformed('half a character');
}

function malformed(what: string): never {
  throw new ProtocolError(CloseCode.badValue, `A value is refused: ${what}.`);
}
