import { types } from 'node:util';
import type { Facts } from './log.ts';

/** Bytes of one value of a line: a longer text is cut, anything else that is longer is written as text and cut. */
const longest = 2_048;

/** Values under such a name are nobody's to read. */
const confidential = /secret|passw|passphrase|token|credential|authorization|cookie|private.?key|api.?key/i;
const withheld = '[withheld]';

/** Containers in containers of one value; what is deeper is left out. */
const deepest = 6;

/** The facts of one line as JSON can have them: each short, and no secret among them. */
export function tidy(facts: Facts): Record<string, unknown> {
  const tidied: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(facts)) {
    if (value !== undefined) tidied[name] = confidential.test(name) ? withheld : short(value);
  }
  return tidied;
}

/** A text of at most 2 KiB; where it was longer, its beginning and `…`. */
export function cut(text: string): string {
  if (text.length * 3 <= longest || Buffer.byteLength(text) <= longest) return text;
  // Never within a character: what is cut off its end is not written as half of one.
  const bytes = Buffer.from(text.slice(0, longest));
  let end = Math.min(bytes.length, longest);
  while (end > 0 && ((bytes[end] ?? 0) & 0xc0) === 0x80) end -= 1;
  return `${bytes.toString('utf8', 0, end)}…`;
}

function short(value: unknown): unknown {
  if (typeof value === 'string') return cut(value);
  const plain = plainly(value, deepest);
  const json = JSON.stringify(plain) as string | undefined;
  return json === undefined || Buffer.byteLength(json) <= longest ? plain : cut(json);
}

/** Anything as plain JSON. What was decoded contains itself nowhere, but the facts of code may. */
function plainly(value: unknown, depth: number): unknown {
  if (typeof value === 'bigint' || typeof value === 'function' || typeof value === 'symbol') return cut(String(value));
  if (typeof value === 'number') return Number.isFinite(value) ? value : String(value);
  if (typeof value === 'string') return cut(value);
  if (typeof value !== 'object' || value === null) return value;
  if (types.isDate(value)) return Number.isNaN(value.getTime()) ? 'no date' : value.toISOString();
  if (ArrayBuffer.isView(value) || types.isAnyArrayBuffer(value)) return `[${value.byteLength} bytes]`;
  if (depth === 0) return '[…]';
  if (types.isNativeError(value)) return { name: value.name, message: cut(value.message), ...code(value) };
  if (Array.isArray(value) || types.isSet(value)) {
    return Array.from(value as Iterable<unknown>, (item) => plainly(item, depth - 1));
  }
  const entries = types.isMap(value) ? [...value] : Object.entries(value);
  return Object.fromEntries(
    entries.map(([name, item]) => {
      const text = cut(String(name));
      return [text, confidential.test(text) ? withheld : plainly(item, depth - 1)];
    }),
  );
}

function code(error: Error): { code?: string } {
  const { code } = error as { code?: unknown };
  return typeof code === 'string' ? { code } : {};
}
