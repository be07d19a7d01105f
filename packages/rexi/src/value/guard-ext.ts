import { isUtf8 } from 'node:buffer';
import { BIG_BYTES, Ext, HEAVY, elementBytes } from './wire.ts';

/** A date is at most this far from 1970, in seconds. */
const FARTHEST = 8_640_000_000_000;
const INVALID_DATE = 0xff;

/** The text of a key, one character per byte; undefined for bytes that are no key. */
export function keyText(bytes: Buffer, start: number, end: number): string | undefined {
  const text = bytes.toString('latin1', start, end);
  if (text === '__proto__' || text.startsWith('\xef\xbb\xbf')) return undefined;
  // Decoders replace what is no UTF-8, and two keys become one.
  return isUtf8(bytes.subarray(start, end)) ? text : undefined;
}

/** The weight of an extension with a payload; undefined for one that is not let in. */
export function extWeight(type: number, payload: Buffer): number | undefined {
  switch (type) {
    case Ext.big:
      return payload.length >= 1 && payload.length <= BIG_BYTES ? 0 : undefined;
    case Ext.typed:
      return isTyped(payload) ? HEAVY - 1 : undefined;
    case Ext.date:
      return isDate(payload) ? 0 : undefined;
    default:
      return undefined;
  }
}

function isTyped(payload: Buffer): boolean {
  const size = payload.length > 0 ? elementBytes.get(payload[0]!) : undefined;
  return size !== undefined && (payload.length - 1) % size === 0;
}

/** A timestamp of 32, 64 or 96 bits, or the byte that stands for an invalid date. */
function isDate(payload: Buffer): boolean {
  switch (payload.length) {
    case 1:
      return payload[0] === INVALID_DATE;
    case 4:
      return true;
    case 8:
      return payload.readUInt32BE(0) >>> 2 < 1e9;
    case 12:
      return (
        payload.readUInt32BE(0) < 1e9 &&
        Math.abs(payload.readInt32BE(4) * 2 ** 32 + payload.readUInt32BE(8)) <= FARTHEST
      );
    default:
      return false;
  }
}
