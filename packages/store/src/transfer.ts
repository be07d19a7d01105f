import type { ObjectAck, ObjectChunk, ObjectEnd, ObjectGet, ObjectHead } from '@muster/rexi';
import { CloseCode, defaults, ProtocolError } from '@muster/rexi';
import type { StoreError } from './errors.ts';

/*
 * One object, from the node that holds it to whoever asks. The asking side numbers its transfers; ids are its own.
 *
 *     asking                                        holding
 *       get {id, object, credit} ---------------->    looks it up
 *       <-------------------------- head {id, size}   or end {missing | evicted | lost}
 *       <----------------- chunk {id, offset, bytes}  in order, at most `credit` bytes ahead of the last ack
 *       ack {id, bytes} ------------------------->    as soon as half the credit has been consumed
 *       <----------------- chunk {id, offset, bytes}  the last one ends the transfer: nobody says so
 *
 *       end {id, cancelled} --------------------->    at any time; what is under way is ignored
 *
 * A get with a credit of 0 is a question. It stays open after its head until the asking side ends it:
 *
 *       get {id, object, credit: 0} ------------->
 *       <-------------------------- head {id, size}   it exists
 *       end {id, cancelled} --------------------->    that was all
 *
 *       get {id, object, credit: 0} ------------->
 *       end {id, drop} -------------------------->    wanted: that it goes
 *       <-------------------- end {id, dropped | foreign}
 */

/** What the asking side of an object transfer says. */
export type ObjectAsk = ObjectGet | ObjectAck | ObjectEnd;

/** What the holding side says. */
export type ObjectAnswer = ObjectHead | ObjectChunk | ObjectEnd;

/**
 * Bytes of a full chunk: with the heads of frame (7), piece (5) and message (11) it fills one frame. A chunk that is cut
 * over two frames has to be put together again before it can be copied to its place.
 * @param frame Bytes of the largest frame of the link.
 */
export function chunkFor(frame: number): number {
  return Math.max(1, frame - 7 - 5 - 11);
}

export const chunkBytes: number = chunkFor(defaults.frame);

/** A head's piece on the wire. The first chunk is shorter by it, so that the two fill a frame and the rest fit as well. */
export const headBytes = 16;

/** Bytes that may be under way for one object. */
export const defaultCredit: number = 2 ** 20;

/** More than this may not be asked for: the holding side queues what the credit allows. */
export const maxCredit: number = 16 * 2 ** 20;

/** Transfers and questions that the holding side keeps open for one link. */
export const maxTransfers = 256;

/** What a machine of the asking side hears. */
export type AskEvent = ObjectAnswer | GiveUp;

/** The end that comes from this side. `lost`: the link is over. */
export interface GiveUp {
  readonly type: 'give-up';
  readonly code: 'timeout' | 'cancelled' | 'lost' | 'closed';
  readonly detail?: string;
}

/** What a machine of the asking side wants done: messages to send and, once, its outcome. */
export interface Step<T> {
  readonly send: readonly ObjectAsk[];
  readonly outcome?: Outcome<T>;
}

/** `violation`: the peer broke the protocol, and its link has to go. */
export type Outcome<T> =
  | { readonly ok: true; readonly value: T }
  | { readonly ok: false; readonly error: StoreError; readonly violation?: ProtocolError };

/** One conversation about one object, seen from the asking side: decides, and touches neither clock nor link. */
export interface AskingMachine<T> {
  open(): Step<T>;
  on(event: AskEvent): Step<T>;
}

export const nothing: Step<never> = { send: [] };

export function cancel(id: number): ObjectEnd {
  return { type: 'object-end', id, code: 'cancelled' };
}

/** What the peer said contradicts what was sent to it. */
export function violation(what: string): ProtocolError {
  return new ProtocolError(CloseCode.badState, `The peer ${what}.`);
}
