import { CloseCode } from '../close-code.ts';
import { ProtocolError } from '../errors.ts';

/** A peer said something that contradicts what was sent to it. */
export function badState(what: string): ProtocolError {
  return new ProtocolError(CloseCode.badState, `The peer ${what}.`);
}

export function tooLarge(what: string): ProtocolError {
  return new ProtocolError(CloseCode.tooLarge, `The peer sent ${what}.`);
}
