/**
 * The same bytes, in memory that is (nearly) theirs alone. A small view keeps a whole socket buffer or pool alive: what
 * is kept and counted against a budget has to weigh what it says. Copies only where an eighth or more would be wasted.
 */
export function ownBytes(bytes: Uint8Array): Uint8Array {
  return bytes.byteLength * 8 >= bytes.buffer.byteLength * 7 ? bytes : new Uint8Array(bytes);
}
