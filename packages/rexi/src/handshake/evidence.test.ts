import { createHmac, verify } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Identity } from '../seams.ts';
import { seededEntropy } from '../testing/seeded-entropy.ts';
import { evidence, flaw } from './evidence.ts';
import { newIdentity, publicKey } from './identity.ts';
import type { Side, Transcript } from './transcript.ts';

const entropy = seededEntropy('evidence');
const secret = Buffer.from('secret');
const client = newIdentity('guardian', 'c ä', entropy);
const server = newIdentity('worker', 'w', entropy);

const about: Transcript = {
  role: 'guardian',
  serverNonce: entropy.bytes(32),
  clientNonce: entropy.bytes(32),
  clientId: client.id,
  clientIncarnation: client.incarnation,
  serverId: server.id,
  serverIncarnation: server.incarnation,
  authority: '[::1]:7101',
  binding: entropy.bytes(32),
};

/** The bytes under every proof, written down field by field. */
function obvious(side: Side): Buffer {
  const { role, serverNonce, clientNonce, clientId, clientIncarnation, serverId, serverIncarnation } = about;
  const order = [
    'rexi.1',
    side,
    role,
    serverNonce,
    clientNonce,
    clientId,
    clientIncarnation,
    serverId,
    serverIncarnation,
    about.authority,
    about.binding,
  ];
  const fields = order.map((field) => Buffer.from(field as string));
  return Buffer.concat(fields.flatMap((field) => [Buffer.from([field.length >> 8, field.length & 255]), field]));
}

const hmac = (key: Uint8Array, ...parts: (Uint8Array | string)[]): Buffer =>
  parts.reduce((mac, part) => mac.update(part), createHmac('sha256', key)).digest();

/** RFC 5869 with one block: extract with a salt of zeros, expand once. */
const derived = (role: string): Buffer => hmac(hmac(Buffer.alloc(32), secret), `rexi.1 ${role}`, Buffer.from([1]));

const cases: [Side, string, Identity][] = [
  ['client', 'guardian', client],
  ['server', 'worker', server],
];

describe.each(cases)('the evidence of a %s', (side, role, { seed }) => {
  const shown = evidence(side, about, secret, seed);

  it('proves the transcript with the key of its role, as another language would', () => {
    expect(Buffer.from(shown.proof).toString('hex')).toBe(hmac(derived(role), obvious(side)).toString('hex'));
  });

  it('signs the transcript with the key that it shows', () => {
    expect(verify(null, obvious(side), publicKey(shown.key), shown.signature)).toBe(true);
    expect(flaw(side, about, secret, shown)).toBeUndefined();
  });
});
