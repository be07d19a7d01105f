import { MARK } from './wire.ts';

/** Half a surrogate pair has no UTF-8. (The method is younger than the library that the compiler knows.) */
export function isWellFormed(text: string): boolean {
  return (text as unknown as { isWellFormed(): boolean }).isWellFormed();
}

/** Whether UTF-8 brings `text` back as it was: decoders also drop a byte order mark in front. */
export function survivesUtf8(text: string): boolean {
  return isWellFormed(text) && text.charCodeAt(0) !== 0xfeff;
}

/** Why `key` cannot be a key of an object or Map; undefined if it can. */
export function unfitKey(key: string, keyBytes: number): string | undefined {
  if (key === '__proto__') return 'no key may be "__proto__"';
  if (!survivesUtf8(key)) return 'the key is not well-formed Unicode, or starts with a byte order mark';
  // One byte is kept for the escape, so that whether a key fits does not depend on the form its object takes.
  const most = key.startsWith(MARK) ? keyBytes - 1 : keyBytes;
  const fits = 3 * key.length <= most || (key.length <= most && Buffer.byteLength(key) <= most);
  return fits ? undefined : `the key is longer than ${keyBytes} bytes`;
}
