import { ClusterError, type ErrorCode } from '../errors.ts';

/** Why a listener does not let somebody in: what `Rexi-Refused` says, and the HTTP status that goes with it. */
export const refusals = {
  /** No subprotocol was offered. */
  subprotocol: 400,
  /** Only other versions of the subprotocol were offered. */
  version: 426,
  /** On TLS: no certificate; one of another authority; not valid at this time; not a pinned key. */
  uncertified: 403,
  issuer: 403,
  expired: 403,
  pin: 403,
  /** On TLS: the certificate does not name the role, or the id, that is claimed. */
  'certified-role': 403,
  'certified-id': 403,
  /** A browser's page asks. */
  origin: 403,
  /** The name that was dialled is not one of this listener's. */
  authority: 403,
  /** The `Authorization` header cannot be read. */
  malformed: 400,
  /** The nonce is not one of this listener's, too old, or was used. */
  foreign: 401,
  old: 401,
  replayed: 401,
  /** Too many came in within the life of a nonce. */
  busy: 503,
  /** The listener does not take this role. */
  role: 403,
  /** The proof does not fit: another secret, or another transcript. */
  proof: 403,
  /** The key is not that of the claimed incarnation. */
  incarnation: 403,
  /** The key's holder did not sign this. */
  signature: 403,
} as const;

export type Reason = keyof typeof refusals;

/** The two headers of a refusal: the reason for machines and the sentence for people. */
export const refusedHeader = 'Rexi-Refused';
export const sentenceHeader = 'Rexi-Reason';

/** Longest sentence that is written or believed, in characters. */
const sentenceLength = 400;

/** A text that can stand in a header and a log line, whatever it quotes. */
export function sentence(text: string): string {
  return text.replaceAll(/[^\x20-\x7e]/g, '?').slice(0, sentenceLength);
}

/** The error that a refused dialler throws; `reason` and `text` are what the listener said. */
export function refusalError(address: string, reason: string, text: string): ClusterError {
  const said = sentence(text) || `it said "${sentence(reason)}"`;
  return new ClusterError(codeOf(reason), `${address} refused the link: ${said}`, { detail: sentence(reason) });
}

function codeOf(reason: string): ErrorCode {
  if (reason === 'version') return 'version_mismatch';
  return reason === 'busy' ? 'unreachable' : 'unauthorized';
}
