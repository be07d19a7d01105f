import { describe, expect, it } from 'vitest';
import { frameOf, talk } from './channel/testing/scripted-link.ts';
import { Inbox } from './channel/inbox.ts';
import { Outbox } from './channel/outbox.ts';
import { constants } from './constants.ts';
import {
  readChallenge,
  readClaim,
  readEvidence,
  writeChallenge,
  writeClaim,
  writeEvidence,
} from './handshake/claim.ts';
import { evidence, flaw } from './handshake/evidence.ts';
import { privateKey, publicKeyOf } from './handshake/identity.ts';
import { formatRoleKey, parseRoleKey, roleKey } from './handshake/role-key.ts';
import { incarnationOf } from './ref.ts';
import { transcriptBytes, type Transcript } from './handshake/transcript.ts';
import { decodeMessage, encodeMessage, laneOf } from './message/codec.ts';
import type { Identity } from './seams.ts';
import { golden, messageOf, messageTypes, vectors } from './testing/golden.ts';
import { values } from './testing/golden-values.ts';
import { ValueCodec } from './value/index.ts';

const hex = (bytes: Uint8Array | undefined): string => Buffer.from(bytes ?? []).toString('hex');
const raw = (text: string): Buffer => Buffer.from(text, 'hex');

describe('the golden frames', () => {
  const frames = vectors('frames.hex');

  it('are one for each message', () => {
    expect(frames.map(({ title }) => title)).toEqual(messageTypes);
  });

  it.each(frames)('$title is written and read to the byte', ({ json, bytes: [bytes] }) => {
    const message = messageOf(json);
    const outbox = new Outbox(constants());
    outbox.push(laneOf(message.type), encodeMessage(message));
    expect(hex(Buffer.concat(outbox.next() ?? []))).toBe(hex(bytes));
    const [read] = new Inbox(constants()).take(bytes ?? Buffer.of());
    expect(decodeMessage(read ?? Buffer.of())).toEqual(message);
  });
});

describe('rule 13: the golden frames to refuse are answered with their close code', () => {
  it.each(vectors('refused.hex'))('$title', ({ title, bytes }) => {
    const { clock, link } = talk({ role: 'coordinator' });
    clock.runSoon();
    for (const frame of bytes) {
      expect(link.said).toEqual([]);
      link.deliver(frame);
    }
    expect(link.said).toMatchObject([{ how: 'close', code: Number(title.split('-> ')[1]) }]);
  });

  it('and a good frame is not', () => {
    const { link } = talk({ role: 'coordinator' });
    link.deliver(frameOf('control', 1, raw('18000000000001')));
    expect(link.said).toEqual([]);
  });
});

describe('the golden values', () => {
  const codec = new ValueCodec();
  const packed = new Map(vectors('values.hex').map(({ title, bytes }) => [title, bytes[0]]));

  it('are those that have a meaning here', () => {
    expect([...packed.keys()]).toEqual(values.map(([name]) => name));
  });

  it.each(values)('%s is packed and unpacked to the byte', (name, value) => {
    expect(hex(codec.pack(value))).toBe(hex(packed.get(name)));
    expect(codec.unpack(packed.get(name) ?? Buffer.of())).toStrictEqual(value);
  });
});

interface Party {
  readonly id: string;
  readonly seed: string;
  readonly key: string;
  readonly incarnation: string;
  readonly nonce: string;
}

describe.each(['ws', 'wss'] as const)('the golden handshake of %s', (scheme) => {
  const file = JSON.parse(golden('handshake.json')) as { readonly [name: string]: unknown };
  const vector = { ...file, ...(file[scheme] as object) } as { readonly [name: string]: string } & {
    readonly client: Party;
    readonly server: Party;
    readonly roleKeys: Readonly<Record<'coordinator' | 'worker' | 'operator' | 'observer', string>>;
    readonly headers: Readonly<Record<'WWW-Authenticate' | 'Authorization' | 'Rexi-Proof', string>>;
  };
  const { client, server, headers, roleKeys } = vector;
  const secret = raw(vector['secret'] ?? '');
  const about: Transcript = {
    role: 'coordinator',
    serverNonce: raw(server.nonce),
    clientNonce: raw(client.nonce),
    clientId: client.id,
    clientIncarnation: client.incarnation,
    serverId: server.id,
    serverIncarnation: server.incarnation,
    authority: vector['authority'] ?? '',
    binding: raw(vector['binding'] ?? ''),
  };

  it('binds TLS to its connection, and nothing to a plain one', () => {
    expect(about.binding).toHaveLength(scheme === 'wss' ? 32 : 0);
  });

  it.each([client, server])('names $id by its key, which grows from its seed', ({ seed, key, incarnation }) => {
    expect(hex(publicKeyOf(privateKey(raw(seed))))).toBe(key);
    expect(incarnationOf(raw(key))).toBe(incarnation);
  });

  it.each(['coordinator', 'worker', 'operator', 'observer'] as const)('derives the key of the role %s', (role) => {
    expect(hex(roleKey(secret, role))).toBe(roleKeys[role]);
  });

  it.each(['client', 'server'] as const)('proves the transcript of the %s', (side) => {
    const shown = evidence(side, about, secret, raw(vector[side].seed));
    expect(hex(transcriptBytes(side, about))).toBe(vector[`${side}Transcript`]);
    expect([hex(shown.proof), hex(shown.signature)]).toEqual([vector[`${side}Proof`], vector[`${side}Signature`]]);
    expect(flaw(side, about, secret, shown)).toBeUndefined();
  });

  it.each(['operator', 'observer'] as const)('to an %s the node proves itself with the key of that role', (role) => {
    const asked = { ...about, role };
    const shown = evidence('server', asked, secret, raw(server.seed));
    expect(hex(shown.proof)).toBe(vector[`${role}ServerProof`]);
    expect(flaw('server', asked, parseRoleKey(formatRoleKey(secret, role)), shown)).toBeUndefined();
  });

  it('says all of it in three headers', () => {
    const shown = evidence('client', about, secret, raw(client.seed));
    const proof = evidence('server', about, secret, raw(server.seed));
    const node: Identity = { role: 'worker', id: server.id, incarnation: server.incarnation, seed: raw(server.seed) };
    expect(writeChallenge(about)).toBe(headers['WWW-Authenticate']);
    expect(writeClaim({ about, shown })).toBe(headers.Authorization);
    expect(writeEvidence(proof)).toBe(headers['Rexi-Proof']);
    expect(hex(readChallenge(headers['WWW-Authenticate'])?.serverNonce)).toBe(server.nonce);
    expect(readClaim(headers.Authorization, node, about.binding)?.about.clientId).toBe(client.id);
    expect(hex(readEvidence(headers['Rexi-Proof'])?.proof)).toBe(vector['serverProof']);
  });
});
