import { createHash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { Identity } from '../seams.ts';
import { seededEntropy } from '../testing/seeded-entropy.ts';
import { virtualClock, type VirtualClock } from '../testing/virtual-clock.ts';
import type { Certificate, Underlay } from './certificate.ts';
import { everyRole } from './claim.ts';
import { reply, type Answer, type Reply } from './client.ts';
import { Gate, type GateOptions, type UpgradeRequest } from './gate.ts';
import { newIdentity, privateKey, publicKeyOf } from './identity.ts';
import { answerOf, type Verdict } from './verdict.ts';

const address = 'ws://w.test:7101';
const secret = Buffer.from('secret');
const plain: UpgradeRequest = { host: 'w.test:7101', origin: undefined, protocols: 'rexi.1', authorization: undefined };

interface Scene {
  readonly clock: VirtualClock;
  readonly gate: Gate;
  readonly client: Identity;
  readonly ask: (changes?: Partial<UpgradeRequest>) => Verdict;
  readonly answer: (identity?: Identity, to?: string) => Reply;
}

function scene(options: Partial<GateOptions> = {}): Scene {
  const clock = virtualClock();
  const entropy = seededEntropy('handshake');
  const identity = newIdentity('worker', 'w', entropy);
  const authorities = new Set(['w.test:7101']);
  const gate = new Gate({ clock, entropy, identity, secret, authorities: () => authorities, ...options });
  const client = newIdentity('coordinator', 'c', entropy);
  const ask = (changes: Partial<UpgradeRequest> = {}): Verdict => gate.judge({ ...plain, ...changes });
  const answer = (who = client, to = address): Reply => reply(to, { identity: who, secret }, entropy, answerOf(ask()));
  return { clock, gate, client, ask, answer };
}

/** What was said about a request. */
function said(verdict: Verdict): string | undefined {
  return verdict.kind === 'accepted' ? 'accepted' : answerOf(verdict).refused;
}

/** A header with one parameter changed. */
function change(header: string, name: string, to: (value: string) => string): string {
  return header.replace(new RegExp(`(?<=[ ,])${name}="([^"]*)"`), (_all, value: string) => `${name}="${to(value)}"`);
}

const flip = (value: string): string => (value.startsWith('A') ? 'B' : 'A') + value.slice(1);

describe('an identity', () => {
  it('has the first 64 bits of the SHA-256 of its public key as its incarnation', () => {
    const { incarnation, seed } = newIdentity('worker', 'w', seededEntropy(1));
    const key = publicKeyOf(privateKey(seed));
    expect(key).toHaveLength(32);
    expect(incarnation).toBe(createHash('sha256').update(key).digest('hex').slice(0, 16));
  });

  it('grows its key as RFC 8032 says (test 1)', () => {
    const seed = Buffer.from('9d61b19deffd5a60ba844af492ec2cc44449c5697b326919703bac031cae7f60', 'hex');
    const key = Buffer.from(publicKeyOf(privateKey(seed))).toString('hex');
    expect(key).toBe('d75a980182b10ab7d54bfed3c964073a0ee172f3daa62325af021a68f707511a');
  });

  it('needs a name that fits into a header', () => {
    for (const id of ['', 'x'.repeat(193), 'ä'.repeat(64), '\ud800']) {
      expect(() => newIdentity('worker', id, seededEntropy(1))).toThrow(
        expect.objectContaining({ code: 'bad_options' }),
      );
    }
  });
});

describe('a listener', () => {
  it('accepts a good proof, and proves itself', () => {
    const { ask, answer, client } = scene();
    const { authorization, verify } = answer();
    const verdict = ask({ authorization });
    expect(verdict).toMatchObject({ peer: { role: 'coordinator', id: 'c', incarnation: client.incarnation } });
    expect(verify(answerOf(verdict))).toMatchObject({ role: 'worker', id: 'w' });
  });

  it.each(['proof', 'client-nonce', 'id', 'incarnation'])('refuses a changed %s by the proof', (name) => {
    const { ask, answer } = scene();
    const to = name === 'incarnation' ? (): string => '0123456789abcdef' : flip;
    expect(said(ask({ authorization: change(answer().authorization, name, to) }))).toBe('proof');
  });

  it('refuses a changed role by the proof: every role has a key of its own', () => {
    const { ask, answer } = scene();
    expect(said(ask({ authorization: change(answer().authorization, 'role', () => 'guardian') }))).toBe('proof');
  });

  it('refuses a changed authority by the proof, even one that it has', () => {
    const { ask, answer } = scene({ authorities: () => new Set(['w.test:7101', 'other.test:7101']) });
    const { authorization } = answer();
    expect(said(ask({ authorization: change(authorization, 'authority', () => 'other.test:7101') }))).toBe('proof');
  });

  it('refuses a changed signature, key or nonce by its name', () => {
    const { ask, answer } = scene();
    const { authorization } = answer();
    expect(said(ask({ authorization: change(authorization, 'signature', flip) }))).toBe('signature');
    expect(said(ask({ authorization: change(authorization, 'key', flip) }))).toBe('incarnation');
    expect(said(ask({ authorization: change(authorization, 'nonce', flip) }))).toBe('foreign');
    expect(said(ask({ authorization }))).toBe('accepted');
  });

  it.each(['nonce', 'client-nonce', 'key', 'signature', 'proof'])('cannot read a %s that is cut short', (name) => {
    const { ask, answer } = scene();
    const cut = change(answer().authorization, name, (value) => value.slice(0, -4));
    expect(said(ask({ authorization: cut }))).toBe('malformed');
  });

  it('cannot read headers that are missing a part, say one twice, are too long, or of another scheme', () => {
    const { ask, answer } = scene();
    const { authorization } = answer();
    const bad = [
      '',
      'Rexi ',
      'Basic eDp5',
      authorization.replace(/, proof=.*$/, ''),
      `${authorization}, role="peer"`,
      `${authorization}, more="${'x'.repeat(2_048)}"`,
      change(authorization, 'id', () => '%ff'),
      change(authorization, 'id', () => ''),
      change(authorization, 'role', () => 'root'),
      change(authorization, 'incarnation', () => 'ABCDEF0123456789'),
      change(authorization, 'proof', (value) => `${value}=`),
    ];
    for (const header of bad) expect(said(ask({ authorization: header }))).toBe('malformed');
    expect(said(ask({ authorization }))).toBe('accepted');
  });

  it('takes a nonce once, and for five seconds', () => {
    const { ask, answer, clock } = scene();
    const first = answer();
    const second = answer();
    clock.advance(4_999);
    expect(said(ask({ authorization: first.authorization }))).toBe('accepted');
    expect(said(ask({ authorization: first.authorization }))).toBe('replayed');
    clock.advance(1);
    expect(said(ask({ authorization: first.authorization }))).toBe('old');
    expect(said(ask({ authorization: second.authorization }))).toBe('old');
  });

  it('does not know the nonces of another listener with the same name and secret', () => {
    const one = scene();
    const entropy = seededEntropy('another');
    const { authorization } = one.answer();
    const other = scene({ entropy });
    expect(said(other.ask({ authorization }))).toBe('foreign');
  });

  it('remembers nothing of wrong guesses, however many', () => {
    const { ask, answer, gate } = scene();
    const { authorization } = answer();
    for (let guess = 0; guess < 10_000; guess++) {
      const proof = createHash('sha256').update(`${guess}`).digest('base64url');
      if (said(ask({ authorization: change(authorization, 'proof', () => proof) })) !== 'proof') expect.fail('let in');
    }
    expect(gate.remembered).toBe(0);
    expect(said(ask({ authorization }))).toBe('accepted');
  });

  it('remembers no more used nonces than it says, and forgets them when they are old', () => {
    const { ask, answer, gate, clock } = scene({ usedNonces: 3 });
    for (let i = 0; i < 3; i++) expect(said(ask({ authorization: answer().authorization }))).toBe('accepted');
    expect(said(ask({ authorization: answer().authorization }))).toBe('busy');
    expect(gate.remembered).toBe(3);
    clock.advance(5_000);
    expect(said(ask({ authorization: answer().authorization }))).toBe('accepted');
    expect(gate.remembered).toBe(1);
  });

  it('takes a proof only for a name that is its own', () => {
    const { ask, answer } = scene();
    const { authorization } = answer(undefined, 'ws://proxy.test:80');
    expect(said(ask({ authorization }))).toBe('authority');
    const advertised = scene({ authorities: () => new Set(['w.test:7101', 'proxy.test:80']) });
    const { authorization: again } = advertised.answer(undefined, 'ws://Proxy.test');
    expect(said(advertised.ask({ authorization: again, host: 'proxy.test' }))).toBe('accepted');
  });

  it.each(['http://evil.test', 'null', ''])('refuses the Origin %j, whatever else is right', (origin) => {
    const { ask, answer } = scene();
    expect(said(ask({ authorization: answer().authorization, origin }))).toBe('origin');
  });

  it('says nothing in a refusal that would break a header or a log line', () => {
    const { ask } = scene({ origins: [] });
    const verdict = ask({ origin: 'x\r\nSet-Cookie: a=b\u2028'.padEnd(5_000, 'y') });
    const { sentence = '' } = answerOf(verdict);
    expect(sentence).toMatch(/^[\x20-\x7e]{1,400}$/);
  });
});

describe('a client', () => {
  it('does not take its own evidence for the listener’s', () => {
    const { ask, answer } = scene({ roles: ['worker'] });
    const entropy = seededEntropy('reflect');
    const { authorization, verify } = answer(newIdentity('worker', 'w', entropy));
    const good = answerOf(ask({ authorization }));
    expect(() => verify({ ...good, proof: authorization })).toThrow(
      expect.objectContaining({ detail: 'server proof' }),
    );
    expect(verify(good).id).toBe('w');
  });

  it.each(['signature', 'key', 'proof'])('refuses a listener whose %s was changed', (name) => {
    const { ask, answer } = scene();
    const { authorization, verify } = answer();
    const good = answerOf(ask({ authorization }));
    const forged = change(good.proof ?? '', name, flip);
    const flaw = name === 'key' ? 'incarnation' : name;
    expect(() => verify({ ...good, proof: forged })).toThrow(
      expect.objectContaining({ code: 'unauthorized', detail: `server ${flaw}` }),
    );
  });

  it('refuses a listener that proves nothing', () => {
    const { ask, answer } = scene();
    const { authorization, verify } = answer();
    const { proof: _, ...bare } = answerOf(ask({ authorization }));
    expect(() => verify(bare)).toThrow(expect.objectContaining({ code: 'unauthorized', detail: 'server proof' }));
  });

  it('refuses a listener that claims an incarnation that it has only seen', () => {
    const { ask, answer } = scene();
    const seen = newIdentity('worker', 'w', seededEntropy('seen')).incarnation;
    const thief = scene({ identity: { ...newIdentity('worker', 'w', seededEntropy('thief')), incarnation: seen } });
    const { authorization, verify } = thief.answer();
    expect(() => verify(answerOf(thief.ask({ authorization })))).toThrow(
      expect.objectContaining({ detail: 'server incarnation' }),
    );
    expect(said(ask({ authorization: answer().authorization }))).toBe('accepted');
  });
});

describe('a handshake over TLS', () => {
  const binding = Buffer.alloc(32, 7);
  const of = (id: string, ...roles: string[]): Certificate => ({ id, roles });
  const good: Underlay = { binding, certificate: of('c', 'coordinator') };
  const server: Underlay = { binding, certificate: of('w', 'worker') };

  /** What the gate says to a good proof of `identity`, sent over a connection with this certificate. */
  function shown(certificate: Certificate, who?: Identity): Answer {
    const { ask, client } = scene();
    const challenge = answerOf(ask({ underlay: { binding, certificate: of('c', 'coordinator') } }));
    const options = { identity: who ?? client, secret };
    const { authorization } = reply(address, options, seededEntropy('reply'), challenge, server);
    return answerOf(ask({ authorization, underlay: { binding, certificate } }));
  }

  it('is accepted with the certificate of who is proved', () => {
    expect(shown(of('c', 'coordinator'))).toMatchObject({ status: 101 });
    expect(shown(of('c', 'operator', 'coordinator'))).toMatchObject({ status: 101 });
    const guardian = newIdentity('guardian', 'c', seededEntropy('guardian'));
    expect(shown(of('c', 'coordinator'), guardian)).toMatchObject({ status: 101 });
    const peer = newIdentity('peer', 'n', seededEntropy('peer'));
    expect(shown(of('n', 'worker'), peer)).toMatchObject({ status: 101 });
  });

  it('is refused with that of another one, with a sentence that names both', () => {
    const sentence =
      'The certificate that was shown is of somebody else. It is for coordinator "d"; use one for coordinator "c".';
    expect(shown(of('d', 'coordinator'))).toMatchObject({ status: 403, refused: 'certified-id', sentence });
    expect(shown(of('', 'coordinator'))).toMatchObject({ refused: 'certified-id' });
  });

  it.each(everyRole.filter((role) => role !== 'coordinator' && role !== 'worker'))(
    'is refused for the role %s with a certificate for another',
    (role) => {
      const identity = newIdentity(role, 'c', seededEntropy('another'));
      for (const other of ['worker', 'coordinator', 'operator', 'observer', 'root']) {
        const fits = shown(of('c', other), identity).refused === undefined;
        expect(fits).toBe(
          other === { guardian: 'coordinator', peer: 'worker', operator: 'operator', observer: 'observer' }[role],
        );
      }
    },
  );

  it.each(['uncertified', 'issuer', 'expired', 'pin'] as const)('says %s at once, and nothing about itself', (flaw) => {
    const { ask } = scene();
    const answer = answerOf(ask({ underlay: { binding, certificate: { flaw, ...of('c', 'coordinator') } } }));
    expect(answer).toMatchObject({ status: 403, refused: flaw, challenge: undefined });
  });

  it('is good on its own connection only, and on none without TLS', () => {
    const { ask, client } = scene();
    const challenge = answerOf(ask({ underlay: good }));
    const { authorization } = reply(address, { identity: client, secret }, seededEntropy('reply'), challenge, server);
    expect(said(ask({ authorization, underlay: { ...good, binding: Buffer.alloc(32, 8) } }))).toBe('proof');
    expect(said(ask({ authorization }))).toBe('proof');
    expect(said(ask({ authorization, underlay: good }))).toBe('accepted');
  });

  it('is broken off by the client when the listener has the certificate of somebody else', () => {
    const { ask, client } = scene();
    const challenge = answerOf(ask({ underlay: good }));
    const dialled = (certificate: Certificate) => () =>
      reply(address, { identity: client, secret }, seededEntropy('reply'), challenge, { binding, certificate });
    expect(dialled(of('x', 'worker'))).toThrow(expect.objectContaining({ detail: 'server certified-id' }));
    expect(dialled(of('w', 'coordinator'))).toThrow(expect.objectContaining({ detail: 'server certified-role' }));
  });

  it('takes a Host without a port as that of TLS', () => {
    const { ask } = scene({ authorities: () => new Set(['w.test:443']) });
    expect(answerOf(ask({ host: 'w.test', underlay: good })).status).toBe(401);
    expect(said(ask({ host: 'w.test' }))).toBe('authority');
  });
});
