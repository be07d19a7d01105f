import type { Identity, Role } from '../seams.ts';
import { proofBytes, signatureBytes, type Evidence } from './evidence.ts';
import { readBytes, readParams, readText, writeBytes, writeParams, writeText } from './header.ts';
import { isId, keyBytes } from './identity.ts';
import { nonceBytes, type Transcript } from './transcript.ts';

/** Who the listener says it is, and the nonce that the client has to answer: `WWW-Authenticate`. */
export interface Challenge {
  readonly serverId: string;
  readonly serverIncarnation: string;
  readonly serverNonce: Uint8Array;
}

/** What a client asks for and shows: `Authorization`. */
export interface Claim {
  readonly about: Transcript;
  readonly shown: Evidence;
}

/** Every role there is, `worker` included. */
export const everyRole: readonly Role[] = ['coordinator', 'guardian', 'peer', 'worker', 'operator', 'observer'];

const incarnation = /^[0-9a-f]{16}$/;

export function writeChallenge({ serverId, serverIncarnation, serverNonce }: Challenge): string {
  return writeParams({ id: writeText(serverId), incarnation: serverIncarnation, nonce: writeBytes(serverNonce) });
}

/** The challenge in a header; undefined for anything else. */
export function readChallenge(header: string): Challenge | undefined {
  const params = readParams(header);
  const serverNonce = readBytes(params?.get('nonce'), nonceBytes);
  const serverId = readText(params?.get('id'));
  const serverIncarnation = params?.get('incarnation');
  if (!serverNonce || !serverId || !isId(serverId) || !serverIncarnation || !incarnation.test(serverIncarnation))
    return undefined;
  return { serverId, serverIncarnation, serverNonce };
}

/** The claim as one header. The server's own names are not repeated: both sides put them into the transcript. */
export function writeClaim({ about, shown }: Claim): string {
  return writeParams({
    role: about.role,
    id: writeText(about.clientId),
    incarnation: about.clientIncarnation,
    nonce: writeBytes(about.serverNonce),
    'client-nonce': writeBytes(about.clientNonce),
    authority: about.authority,
    ...evidenceParams(shown),
  });
}

/** The claim in a header, made to `server` over a connection with this `binding`; undefined for anything else. */
export function readClaim(header: string, server: Identity, binding: Uint8Array): Claim | undefined {
  const params = readParams(header);
  const about = params && readTranscript(params, server, binding);
  const shown = params && readEvidenceParams(params);
  return about && shown && { about, shown };
}

function readTranscript(
  params: ReadonlyMap<string, string>,
  server: Identity,
  binding: Uint8Array,
): Transcript | undefined {
  const role = everyRole.find((known) => known === params.get('role'));
  const serverNonce = readBytes(params.get('nonce'), nonceBytes);
  const clientNonce = readBytes(params.get('client-nonce'), nonceBytes);
  const clientId = readText(params.get('id'));
  const clientIncarnation = params.get('incarnation');
  const authority = params.get('authority');
  if (!role || !serverNonce || !clientNonce || !clientId || !isId(clientId) || !authority) return undefined;
  if (!clientIncarnation || !incarnation.test(clientIncarnation)) return undefined;
  const names = { serverId: server.id, serverIncarnation: server.incarnation };
  return { role, serverNonce, clientNonce, clientId, clientIncarnation, ...names, authority, binding };
}

/** The server's answer: `Rexi-Proof`. */
export function writeEvidence(shown: Evidence): string {
  return writeParams(evidenceParams(shown));
}

/** The evidence in a header; undefined when a part is missing or has not exactly its length. */
export function readEvidence(header: string): Evidence | undefined {
  const params = readParams(header);
  return params && readEvidenceParams(params);
}

function evidenceParams({ key, signature, proof }: Evidence): Record<string, string> {
  return { key: writeBytes(key), signature: writeBytes(signature), proof: writeBytes(proof) };
}

function readEvidenceParams(params: ReadonlyMap<string, string>): Evidence | undefined {
  const key = readBytes(params.get('key'), keyBytes);
  const signature = readBytes(params.get('signature'), signatureBytes);
  const proof = readBytes(params.get('proof'), proofBytes);
  return key && signature && proof && { key, signature, proof };
}
