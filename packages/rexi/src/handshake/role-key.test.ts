import { describe, expect, it } from 'vitest';
import type { Credential, Role } from '../seams.ts';
import { seededEntropy } from '../testing/seeded-entropy.ts';
import { virtualClock } from '../testing/virtual-clock.ts';
import { reply, type Reply } from './client.ts';
import { Gate } from './gate.ts';
import { newIdentity } from './identity.ts';
import { formatRoleKey, looksLikeRoleKey, parseRoleKey } from './role-key.ts';
import { answerOf } from './verdict.ts';

const secret = Buffer.from('a secret of some length');
const entropy = seededEntropy('role keys');
const roles: readonly Role[] = ['coordinator', 'guardian', 'peer', 'operator', 'observer'];
const keyOf = (role: Role, of: Uint8Array = secret): Credential => parseRoleKey(formatRoleKey(of, role));

/** What becomes of a handshake in this role with that credential: `in`, or who refuses it and why. */
function outcome(role: Role, credential: Credential, nodeSecret: Uint8Array = secret): string {
  const gate = new Gate({
    clock: virtualClock(),
    entropy,
    identity: newIdentity('worker', 'w', entropy),
    secret: nodeSecret,
    authorities: () => new Set(['w.test:7101']),
  });
  const asked = { host: 'w.test:7101', origin: undefined, protocols: 'rexi.1' };
  const challenge = answerOf(gate.judge({ ...asked, authorization: undefined }));
  let answered: Reply;
  try {
    answered = reply(
      'ws://w.test:7101',
      { identity: newIdentity(role, 'c', entropy), secret: credential },
      entropy,
      challenge,
    );
  } catch (error) {
    return `own side: ${(error as { detail?: string }).detail}`;
  }
  const verdict = gate.judge({ ...asked, authorization: answered.authorization });
  if (verdict.kind !== 'accepted') return `node: ${answerOf(verdict).refused}`;
  return `in as ${answered.verify(answerOf(verdict)).role === 'worker' ? verdict.peer.role : 'nobody'}`;
}

describe('the key of a role', () => {
  it.each(['operator', 'observer'] as const)('opens the door to an %s, who can check the node as well', (role) => {
    expect(outcome(role, keyOf(role))).toBe(`in as ${role}`);
  });

  it.each(roles.flatMap((role) => (['operator', 'observer'] as const).map((key) => [role, key] as const)))(
    'makes nobody a %s with the key of an %s, unless it is the same',
    (role, key) => {
      expect(outcome(role, keyOf(key))).toBe(role === key ? `in as ${role}` : 'own side: role');
    },
  );

  it('whose name is changed in its file is worth nothing', () => {
    const forged = parseRoleKey(formatRoleKey(secret, 'observer').replace('observer', 'operator'));
    expect(outcome('operator', forged)).toBe('node: proof');
  });

  it('of another cluster is refused', () => {
    expect(outcome('observer', keyOf('observer', Buffer.from('another secret, as long')))).toBe('node: proof');
  });

  it.each(roles)('is not needed by who has the cluster secret: %s', (role) => {
    expect(outcome(role, secret)).toBe(`in as ${role}`);
  });

  it('is printed on one line that says whose it is, and read again with white space around it', () => {
    const printed = formatRoleKey(secret, 'observer');
    expect(printed).toMatch(/^muster-role-key observer [\w-]{43}$/);
    expect(parseRoleKey(`\n ${printed}\n`)).toEqual(keyOf('observer'));
    expect([looksLikeRoleKey(`${printed}\n`), looksLikeRoleKey('a secret')]).toEqual([true, false]);
  });

  it.each(['', 'muster-role-key', 'muster-role-key peer AAAA', 'muster-role-key observer AAAA', 'a secret'])(
    'is not read from "%s"',
    (text) => {
      expect(() => parseRoleKey(text)).toThrow(expect.objectContaining({ code: 'bad_options' }));
    },
  );

  it.each(['coordinator', 'guardian', 'peer', 'worker'] as const)('is not handed out for a %s', (role) => {
    expect(() => formatRoleKey(secret, role)).toThrow(/operator and observer/);
  });
});
