import { createHash, type KeyObject } from 'node:crypto';
import type { Role } from '../seams.ts';

/** What is wrong with the other side's certificate, in the order in which it is looked at. */
export type CertificateFlaw = 'uncertified' | 'issuer' | 'expired' | 'pin' | 'certified-role' | 'certified-id';

/** A certificate that the other side has shown, and whose key it holds. */
export interface Certificate {
  /** What is wrong with its chain, its time or its key, if anything; the names count only without. */
  readonly flaw?: CertificateFlaw | undefined;
  /** The node or coordinator that it names: the common name (CN) of its subject. */
  readonly id: string;
  /** The roles that it names: the organizational units (OU) of its subject. */
  readonly roles: readonly string[];
}

/** The connection under a handshake, as far as the handshake has to do with it. */
export interface Underlay {
  /** What both ends of this TLS connection know and nobody else, 32 bytes (RFC 9266); empty without TLS. */
  readonly binding: Uint8Array;
  /** The other end's; absent without TLS. */
  readonly certificate?: Certificate;
}

/** A connection without TLS. */
export const plain: Underlay = { binding: new Uint8Array() };

/** A guardian shows its coordinator's certificate, and a node one for both its sides. */
const certified: Readonly<Record<Role, Role>> = {
  coordinator: 'coordinator',
  guardian: 'coordinator',
  worker: 'worker',
  peer: 'worker',
  operator: 'operator',
  observer: 'observer',
};

/** The role that a certificate has to name for its holder to play `role`. */
export function certifiedRole(role: Role): Role {
  return certified[role];
}

/** Whether the certificate lets its holder be `id` in `role`; what is wrong, if anything. */
export function certificateFlaw(
  { flaw, id, roles }: Certificate,
  claimed: { readonly id: string; readonly role: Role },
): CertificateFlaw | undefined {
  if (flaw !== undefined) return flaw;
  if (!roles.includes(certifiedRole(claimed.role))) return 'certified-role';
  return id === claimed.id ? undefined : 'certified-id';
}

/** Whom a certificate names, in a sentence. */
export function named({ id, roles }: Pick<Certificate, 'id' | 'roles'>): string {
  return id === '' && roles.length === 0 ? 'nobody' : `${roles.join(' and ') || 'no role'} "${id}"`;
}

/** The pin of a public key: `sha256/` and the base64 of the SHA-256 of its SPKI. */
export function pinOf(key: KeyObject): string {
  const spki = key.export({ type: 'spki', format: 'der' });
  return `sha256/${createHash('sha256').update(spki).digest('base64')}`;
}
