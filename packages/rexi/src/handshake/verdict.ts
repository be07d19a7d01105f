import type { Peer } from '../seams.ts';
import type { CertificateFlaw } from './certificate.ts';
import type { Answer } from './client.ts';
import type { Flaw } from './evidence.ts';
import type { StaleNonce } from './nonces.ts';
import { refusals, refusedHeader, sentence, sentenceHeader, type Reason } from './refusal.ts';
import { subprotocol } from './transcript.ts';

/** Answer 101 with these headers: `peer` has proved who it is. */
export interface Accepted {
  readonly kind: 'accepted';
  readonly peer: Peer;
  readonly headers: Readonly<Record<string, string>>;
}

/** Answer this and hang up. A challenge is the 401 that every client gets first. */
export interface Refused {
  readonly kind: 'challenge' | 'refused';
  readonly status: number;
  readonly headers: Readonly<Record<string, string>>;
  /** The body: one sentence. */
  readonly text: string;
}

export type Verdict = Accepted | Refused;

/** A refusal with its reason for machines and its sentence for people. */
export function refused(reason: Reason, text: string): Refused {
  const headers = { [refusedHeader]: reason, [sentenceHeader]: sentence(text) };
  // RFC 9110 wants a 426 to name what would do.
  const upgrade = reason === 'version' && { Upgrade: 'websocket', 'Sec-WebSocket-Protocol': subprotocol };
  return { kind: 'refused', status: refusals[reason], headers: { ...headers, ...upgrade }, text: sentence(text) };
}

/** The refusal of a client that did not offer our subprotocol. */
export function unspoken(offered: readonly string[]): Refused {
  const versions = offered.filter((name) => name.startsWith('rexi.'));
  if (versions.length > 0)
    return refused('version', `This node speaks ${subprotocol}; the client offered ${versions.join(', ')}.`);
  return refused(
    'subprotocol',
    `Only the subprotocol ${subprotocol} is spoken here; "${offered.join(', ')}" was offered.`,
  );
}

const says: Readonly<Record<StaleNonce | Flaw | CertificateFlaw, string>> = {
  uncertified:
    'No certificate was shown; this node wants one of its own authority from everybody (tls: ca, cert, key).',
  issuer: 'The certificate that was shown is of another authority; use one of the authority that this node trusts.',
  expired: 'The certificate that was shown is not valid today; renew it, or mend a clock.',
  pin: 'The key that was shown is not among those that are pinned here; pin it, or use one that is.',
  'certified-role': 'The certificate that was shown is for another role.',
  'certified-id': 'The certificate that was shown is of somebody else.',
  foreign: 'The nonce is not of this listener; was it restarted just now, or do several share this address?',
  old: 'The nonce is too old; ask for a new one and answer sooner.',
  replayed: 'The nonce was used before; every link needs its own.',
  busy: 'Too many links were opened within the last seconds; try again later.',
  proof:
    'The proof does not fit; most likely the two sides have different cluster secrets, or something between them ends TLS.',
  incarnation: 'The key that was shown is not that of the incarnation that was claimed.',
  signature: 'The signature was not made with the key that was shown.',
};

/** The refusal for a nonce, a certificate or evidence that does not hold. */
export function disproved(flaw: StaleNonce | Flaw | CertificateFlaw, more = ''): Refused {
  return refused(flaw, `${says[flaw]} ${more}`.trim());
}

/** The verdict as the client reads it. */
export function answerOf(verdict: Verdict): Answer {
  const { headers } = verdict;
  return {
    status: verdict.kind === 'accepted' ? 101 : verdict.status,
    challenge: headers['WWW-Authenticate'],
    refused: headers[refusedHeader],
    sentence: headers[sentenceHeader],
    proof: headers['Rexi-Proof'],
    protocol: headers['Sec-WebSocket-Protocol'],
  };
}
