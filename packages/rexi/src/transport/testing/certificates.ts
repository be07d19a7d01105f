import { Authority, type Holder, type Issued } from '../../../../muster/src/certs/authority.ts';
import type { TlsOptions } from '../tls-options.ts';
import { certifiedRole } from '../../handshake/certificate.ts';
import type { Role } from '../../seams.ts';

const day = 86_400_000;

/** From yesterday on, for so many days from now. */
export function days(count: number): { from: Date; until: Date } {
  return { from: new Date(Date.now() - 10 * day), until: new Date(Date.now() + count * day) };
}

export const hosts: readonly string[] = ['localhost', '127.0.0.1', '::1'];

/** Keys take a while to make: each is made once per test file, and an authority once for all its tests. */
const made = new Map<string, Issued>();
let first: Authority | undefined;

/** The authority that everybody believes. */
export function authority(): Authority {
  return (first ??= Authority.create(days(100)));
}

/** What `who` shows, issued by the authority that is believed; with the changes of a test. */
export function certificates(
  who: { readonly id: string; readonly role: Role },
  changes: Partial<TlsOptions> = {},
): TlsOptions {
  const holder: Holder = { id: who.id, role: certifiedRole(who.role) as Holder['role'], hosts };
  const name = `${holder.role} ${holder.id}`;
  const own = made.get(name) ?? authority().issue(holder, days(10));
  made.set(name, own);
  return { ca: authority().cert, cert: own.cert, key: own.key, ...changes };
}
