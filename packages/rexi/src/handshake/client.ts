import { ClusterError } from '../errors.ts';
import type { DialOptions, Entropy, Keys, Peer } from '../seams.ts';
import { authorityOf } from './authority.ts';
import { certificateFlaw, named, plain, type Certificate, type CertificateFlaw, type Underlay } from './certificate.ts';
import { readChallenge, readEvidence, writeClaim, type Challenge } from './claim.ts';
import { evidence, flaw, type Flaw } from './evidence.ts';
import { keysOf } from './identity.ts';
import { refusalError } from './refusal.ts';
import { listenerRole, nonceBytes, subprotocol, type Transcript } from './transcript.ts';

/** What a listener has answered, as far as the handshake wants to know. */
export interface Answer {
  readonly status: number;
  /** `WWW-Authenticate`, `Rexi-Refused`, `Rexi-Reason`, `Rexi-Proof`, `Sec-WebSocket-Protocol`. */
  readonly challenge?: string | undefined;
  readonly refused?: string | undefined;
  readonly sentence?: string | undefined;
  readonly proof?: string | undefined;
  readonly protocol?: string | undefined;
}

/** What goes into the second request, and what checks the answer to it. */
export interface Reply {
  readonly authorization: string;
  /**
   * The proven listener. To be called before any frame is read.
   * @throws ClusterError `unauthorized` when the listener has not proved what it said.
   */
  readonly verify: (answer: Answer) => Peer;
}

export type ClientOptions = Pick<DialOptions, 'identity' | 'secret' | 'expect'>;

/**
 * The client's answer to a listener's first one, to be sent over the connection `underlay` and no other.
 * @throws ClusterError `unauthorized`, `version_mismatch` or `unreachable` when it was no challenge, or somebody else's.
 */
export function reply(
  address: string,
  options: ClientOptions,
  entropy: Entropy,
  answer: Answer,
  underlay: Underlay = plain,
): Reply {
  const challenge = readChallenge(answer.challenge ?? '');
  if (answer.refused !== undefined || challenge === undefined) throw unwelcome(address, answer);
  expected(address, options.expect, challenge);
  certified(address, underlay.certificate, challenge);
  const about = transcript(address, options, entropy, challenge, underlay);
  const keys = keysOf(entropy);
  const shown = evidence('client', about, options.secret, options.identity.seed, keys);
  return {
    authorization: writeClaim({ about, shown }),
    verify: (last) => verify(address, about, options.secret, keys, last),
  };
}

function transcript(
  address: string,
  { identity }: ClientOptions,
  entropy: Entropy,
  challenge: Challenge,
  { binding }: Underlay,
): Transcript {
  return {
    role: identity.role,
    clientNonce: entropy.bytes(nonceBytes),
    clientId: identity.id,
    clientIncarnation: identity.incarnation,
    authority: authorityOf(address),
    binding,
    ...challenge,
  };
}

function expected(address: string, id: string | undefined, { serverId }: Challenge): void {
  if (id === undefined || id === serverId) return;
  const text = `${address} is node "${serverId}" and not "${id}"; correct the address that is kept for "${id}".`;
  throw new ClusterError('unauthorized', text, { detail: 'expect' });
}

/** The certificate has to be that of the node which the listener says it is. */
function certified(address: string, certificate: Certificate | undefined, { serverId }: Challenge): void {
  const wrong = certificate && certificateFlaw(certificate, { id: serverId, role: listenerRole });
  if (wrong !== undefined) throw uncertified(address, wrong, certificate);
}

/** The error for a listener whose certificate does not hold; `why` is what the TLS library calls it, where it was that. */
export function uncertified(
  address: string,
  flaw: CertificateFlaw | 'certified-name',
  certificate: Certificate | undefined,
  why?: string,
): ClusterError {
  const text = `${address} has shown ${listenerFlaws[flaw]}${certificate ? `; it names ${named(certificate)}` : ''}`;
  return new ClusterError('unauthorized', `${text}${why === undefined ? '' : ` (${why})`}.`, {
    detail: `server ${flaw}`,
  });
}

const listenerFlaws: Readonly<Record<CertificateFlaw | 'certified-name', string>> = {
  uncertified: 'no certificate: give the node one',
  issuer: 'a certificate of another authority than `ca`: give both sides certificates of one authority',
  expired: 'a certificate that is not valid today: give the node a new one and send it SIGHUP, or mend a clock',
  pin: 'a key that is not among the pinned ones: pin the key of that node, or find out who answers there',
  'certified-role': 'a certificate that does not make it a worker: give the node one whose subject has OU=worker',
  'certified-id': 'a certificate of somebody else: give the node the certificate that has its id as the CN',
  'certified-name': 'a certificate for other host names: dial one that it is for, or make it for this one as well',
};

function verify(address: string, about: Transcript, secret: ClientOptions['secret'], keys: Keys, answer: Answer): Peer {
  if (answer.status !== 101) throw unwelcome(address, answer);
  const shown = readEvidence(answer.proof ?? '');
  const wrong = shown === undefined ? 'proof' : flaw('server', about, secret, shown, keys);
  if (wrong !== undefined) throw unproven(address, about.serverId, wrong);
  return { role: listenerRole, id: about.serverId, incarnation: about.serverIncarnation };
}

function unproven(address: string, id: string, wrong: Flaw): ClusterError {
  const text = `Whoever answers at ${address} has not proved to be node "${id}" (${wrong}); is it the right address, and the same secret?`;
  return new ClusterError('unauthorized', text, { detail: `server ${wrong}` });
}

/** The error for an answer that ends the handshake: what was refused and why, or that this is no node at all. */
export function unwelcome(address: string, { status, refused, sentence, protocol }: Answer): ClusterError {
  if (refused !== undefined) return refusalError(address, refused, sentence ?? '');
  const spoken = protocol ?? '';
  if (spoken.startsWith('rexi.') && spoken !== subprotocol) {
    return refusalError(address, 'version', `It speaks ${spoken}, and this side ${subprotocol}.`);
  }
  const text = `What answers at ${address} (HTTP ${status}) is no node of Muster; check the address.`;
  return new ClusterError('unreachable', text, { detail: 'no node' });
}
