import type { ValueCodec } from '@muster/rexi';
import { ClusterError, guard, valueLimits } from '@muster/rexi';
import { BadWord } from './bad-word.ts';

/** What a job says beside its rows and its value: that it lives, how far it is, and lines of its log. */
export interface Notice {
  /** It has said that it is alive. */
  readonly ping: boolean;
  /** Packed lines, oldest first. */
  readonly lines: readonly Uint8Array[];
  /** The newest packed progress; empty: none. */
  readonly value: Uint8Array;
}

/** Most bytes of one packed progress: 2 MiB. More is refused where it is said. */
export const progressBytes: number = 2 * 1024 * 1024;

/** Most bytes of one packed line of a log: 64 KiB. A longer one is clipped where it is said. */
export const lineBytes: number = 64 * 1024;

/** Characters that are left of the message of a line that was too long: at most three bytes each. */
const clippedTo = 16 * 1024;

/** Lines of one job that wait, and their bytes; what comes on top is counted, and dropped. */
export const mostLines = 256;
export const mostLineBytes: number = 256 * 1024;

/** Bytes that a notice stands for, one without content included. */
export function sizeOf({ lines, value }: Notice): number {
  return lines.reduce((sum, line) => sum + line.length, 64 + value.length);
}

/** The line that stands for those that were dropped at its place. */
export function droppedLine(codec: ValueCodec, dropped: number): Uint8Array {
  const message = `${dropped} ${dropped === 1 ? 'line' : 'lines'} dropped`;
  return codec.pack({ message, fields: { dropped } }, 'log');
}

/** @throws ClusterError `not_serializable`; `limit` for more than `progressBytes`. */
export function packProgress(codec: ValueCodec, value: unknown): Uint8Array {
  const packed = codec.pack(value, 'progress');
  if (packed.length <= progressBytes) return packed;
  throw new ClusterError(
    'limit',
    `A progress of ${packed.length} bytes is larger than ${progressBytes}: send rows, or put it in the store and send its reference.`,
    { detail: 'progress' },
  );
}

/** A line that is too long keeps the beginning of its message, and tells how long it was: a log ends no job. */
export function packLine(codec: ValueCodec, message: string, fields?: Readonly<Record<string, unknown>>): Uint8Array {
  const clip = (bytes: number): Uint8Array =>
    codec.pack({ message: `${message.slice(0, clippedTo)}…`, fields: { clipped: bytes } }, 'log');
  if (message.length > lineBytes) return clip(Buffer.byteLength(message));
  const packed = codec.pack(fields === undefined ? { message } : { message, fields }, 'log');
  return packed.length > lineBytes ? clip(packed.length) : packed;
}

/** Looks at what an executor says before it is passed on as the node's word. @throws BadWord; ProtocolError `badValue` */
export function checkNotice({ ping, lines, value }: Notice): void {
  // Nothing would be sent for it, and so nothing would ever tell that it has left.
  if (!ping && lines.length === 0 && value.length === 0) throw new BadWord('it sent a notice of nothing');
  if (value.length > progressBytes || lines.some((line) => line.length > lineBytes)) {
    throw new BadWord('it sent a notice larger than any');
  }
  for (const line of lines) guard(line, valueLimits);
  if (value.length > 0) guard(value, valueLimits);
}
