import { hkdfSync } from 'node:crypto';
import { ClusterError } from '../errors.ts';
import type { Credential, Role, RoleKey } from '../seams.ts';
import { readBytes, writeBytes } from './header.ts';
import { keyBytes } from './identity.ts';
import { listenerRole, subprotocol, type Side } from './transcript.ts';

/** Roles of people and their tools, who may be given the key of their role and nothing else. */
export const keyedRoles: readonly Role[] = ['operator', 'observer'];

/**
 * The key of one role: who learns one of them cannot play the others.
 * @throws ClusterError `unauthorized` where all that is known is the key of another role.
 */
export function roleKey(credential: Credential, role: Role): Uint8Array {
  if (credential instanceof Uint8Array) {
    return new Uint8Array(hkdfSync('sha256', credential, '', `${subprotocol} ${role}`, 32));
  }
  if (credential.role === role) return credential.key;
  const text = `This is the key of the role "${credential.role}", with which nobody can be "${role}"; take that role's key, or the cluster secret.`;
  throw new ClusterError('unauthorized', text, { detail: 'role' });
}

/**
 * With which role's key a side proves itself. A listener uses that of `worker`, except towards those who may hold no
 * key but their own: what they could not check would prove nothing to them.
 */
export function provesAs(side: Side, role: Role): Role {
  return side === 'client' || keyedRoles.includes(role) ? role : listenerRole;
}

/** The one word that begins a role's key in print. */
const mark = 'muster-role-key';

/**
 * The key of one role in print, for a file: `muster-role-key observer …`.
 * @throws ClusterError `bad_options` for a role whose key is not handed out.
 */
export function formatRoleKey(secret: Uint8Array, role: Role): string {
  if (!keyedRoles.includes(role)) {
    throw bad(`No key is handed out for the role "${role}"; there are keys for ${keyedRoles.join(' and ')}.`);
  }
  return `${mark} ${role} ${writeBytes(roleKey(secret, role))}`;
}

/** Whether somebody meant this to be the key of a role: it is no cluster secret then. */
export function looksLikeRoleKey(text: string): boolean {
  return text.trimStart().startsWith(mark);
}

/** @throws ClusterError `bad_options` for anything that `formatRoleKey` does not make. */
export function parseRoleKey(text: string): RoleKey {
  const [first, name, printed, ...rest] = text.trim().split(/\s+/);
  const role = keyedRoles.find((known) => known === name);
  const key = readBytes(printed, keyBytes);
  if (first === mark && role && key && rest.length === 0) return { role, key };
  throw bad(`This is no key of a role; one looks like "${mark} observer …".`);
}

function bad(message: string): ClusterError {
  return new ClusterError('bad_options', message);
}
