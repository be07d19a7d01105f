import { CloseCode } from '../close-code.ts';

/** Bytes that a close frame has for its reason (RFC 6455, 5.5). */
const reasonBytes = 123;

/** What WebSocket libraries say by themselves, and which of our codes means the same. */
const standard: ReadonlyMap<number, number> = new Map([
  [1002, CloseCode.badFrame],
  [1003, CloseCode.badFrame],
  [1007, CloseCode.badFrame],
  [1008, CloseCode.badFrame],
  [1009, CloseCode.tooLarge],
  // A close frame without a code says as little as no close frame.
  [1005, 1006],
]);

/** The code that a link reports for one that came in a close frame. */
export function codeFromWire(code: number): number {
  return standard.get(code) ?? code;
}

/** The code that a link reports for a violation that `ws` has found; it has told the peer the standard one. */
export function codeOfViolation(error: Error & { code?: string }): number {
  return error.code === 'WS_ERR_UNSUPPORTED_MESSAGE_LENGTH' ? CloseCode.tooLarge : CloseCode.badFrame;
}

/** A reason that fits into a close frame, cut between characters. */
export function cutReason(reason: string): string {
  const bytes = Buffer.from(reason);
  if (bytes.length <= reasonBytes) return reason;
  let end = reasonBytes;
  while (((bytes[end] ?? 0) & 0xc0) === 0x80) end--; // Continuation bytes belong to the character before.
  return bytes.toString('utf8', 0, end);
}
