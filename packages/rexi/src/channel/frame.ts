import { CloseCode } from '../close-code.ts';
import { ProtocolError } from '../errors.ts';
import type { Lane } from '../message/layouts.ts';

/**
 * A frame on the wire:
 *
 *     u8 lane (0 control, 1 body) · u48 number · pieces
 *     piece: u8 flags (1 first, 2 last) · u32 length · bytes
 *
 * A message is one piece with both flags, or several in successive frames of its lane: a piece that is not the last one
 * of its message is the last one of its frame. No piece is empty. Numbers ascend by one over both lanes of a direction,
 * beginning at 1, in the order in which frames were handed to the socket.
 */
export const frameHead = 7;
export const pieceHead = 5;
export const firstPiece = 1;
export const lastPiece = 2;
const laneNumbers: Record<Lane, number> = { control: 0, body: 1 };

export interface Piece {
  readonly first: boolean;
  readonly last: boolean;
  readonly bytes: Uint8Array;
}

export interface Frame {
  readonly lane: Lane;
  readonly number: number;
  readonly pieces: readonly Piece[];
}

export function writeFrameHead(lane: Lane, number: number): Buffer {
  const head = Buffer.allocUnsafe(frameHead);
  head[0] = laneNumbers[lane];
  head.writeUIntBE(number, 1, 6);
  return head;
}

export function writePieceHead(flags: number, length: number): Buffer {
  const head = Buffer.allocUnsafe(pieceHead);
  head[0] = flags;
  head.writeUInt32BE(length, 1);
  return head;
}

/** @throws ProtocolError `badFrame` for anything that is not a whole frame with at least one piece. */
export function readFrame(data: Uint8Array): Frame {
  const bytes = Buffer.from(data.buffer, data.byteOffset, data.byteLength);
  if (bytes.length < frameHead + pieceHead) throw badFrame(`is only ${bytes.length} bytes long`);
  const lane = bytes[0] === 0 ? 'control' : bytes[0] === 1 ? 'body' : undefined;
  if (lane === undefined) throw badFrame(`names the lane ${bytes[0]}`);
  const pieces: Piece[] = [];
  for (let at = frameHead; at < bytes.length;) {
    const piece = readPiece(bytes, at);
    pieces.push(piece);
    at += pieceHead + piece.bytes.length;
    if (!piece.last && at < bytes.length) throw badFrame('goes on behind a message that it does not end');
  }
  return { lane, number: bytes.readUIntBE(1, 6), pieces };
}

function readPiece(bytes: Buffer, at: number): Piece {
  if (bytes.length - at < pieceHead) throw badFrame('ends in the head of a piece');
  const flags = bytes[at] ?? 0;
  if (flags > (firstPiece | lastPiece)) throw badFrame(`has a piece with the flags ${flags}`);
  const length = bytes.readUInt32BE(at + 1);
  const start = at + pieceHead;
  // Pieces without bytes would add up to nothing, and never to a message that is too large.
  if (length === 0) throw badFrame('has an empty piece');
  if (length > bytes.length - start) throw badFrame(`has a piece of ${length} bytes, longer than the frame`);
  return {
    first: (flags & firstPiece) !== 0,
    last: (flags & lastPiece) !== 0,
    bytes: bytes.subarray(start, start + length),
  };
}

export function badFrame(what: string): ProtocolError {
  return new ProtocolError(CloseCode.badFrame, `The peer sent a frame that ${what}.`);
}
