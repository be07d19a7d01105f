import { createServer } from 'node:https';
import { connect as connectTcp, type AddressInfo, type Socket } from 'node:net';
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { connect as connectTls, createSecureContext } from 'node:tls';
import { afterEach, describe, expect, it } from 'vitest';
import { Authority, pinOfCertificate } from '../../../muster/src/certs/authority.ts';
import { plain } from '../handshake/certificate.ts';
import { reply } from '../handshake/client.ts';
import { writeBytes, writeParams } from '../handshake/header.ts';
import { newIdentity } from '../handshake/identity.ts';
import { bytes, coordinator, dial, dialling, failure, finish, listen, secret } from '../testing/link-bench.ts';
import { linkSuite } from '../testing/link-suite.ts';
import { opened, upgrade, wsBench, type Certificates, type WsBench } from '../testing/ws-bench.ts';
import { authority, certificates, days, hosts } from './testing/certificates.ts';
import type { TlsOptions } from './tls-options.ts';
import { checkTls, wsTransport } from './ws.ts';

linkSuite('wss', () => wsBench({}, certificates), { describe, it, expect });

const worker = { id: 'w', role: 'worker' } as const;
const client = { id: 'c', role: 'coordinator' } as const;
const stranger = Authority.create(days(100));
const foreign = {
  worker: stranger.issue({ ...worker, hosts }, days(10)),
  coordinator: stranger.issue(client, days(10)),
};
const old = {
  worker: authority().issue({ ...worker, hosts }, days(-1)),
  coordinator: authority().issue(client, days(-1)),
};

/** A bench on which the listener, or the dialler, has certificates of its own. */
function bench(changes: { worker?: Partial<TlsOptions>; coordinator?: Partial<TlsOptions> } = {}): WsBench {
  const each: Certificates = (who) =>
    certificates(who, changes[who.role === 'worker' ? 'worker' : 'coordinator'] ?? {});
  return wsBench({}, each);
}

/** Why the dial to a fresh listener fails. */
async function refused(on: WsBench, changes: Parameters<typeof listen>[1] = {}): Promise<unknown> {
  const { listener, accepted } = await listen(on, changes);
  const error = await failure(on, on.transport.dial(listener.address, dialling(on)));
  await on.quiet();
  expect(accepted).toEqual([]);
  return error;
}

const unauthorized = (detail: string, says: string): object =>
  expect.objectContaining({ code: 'unauthorized', detail, message: expect.stringContaining(says) as string });

const closing: (() => unknown)[] = [];
afterEach(() => closing.splice(0).forEach((close) => close()));

describe('a certificate of the dialler', () => {
  it('of another authority is refused in words', async () => {
    const error = await refused(bench({ coordinator: foreign.coordinator }));
    expect(error).toEqual(unauthorized('issuer', 'use one of the authority that this node trusts'));
  });

  it('that has expired is refused in words', async () => {
    expect(await refused(bench({ coordinator: old.coordinator }))).toEqual(unauthorized('expired', 'renew it'));
  });

  it('whose key is not pinned is refused, and one that is pinned comes in', async () => {
    const own = pinOfCertificate(certificates(client).cert);
    const other = pinOfCertificate(foreign.coordinator.cert);
    expect(await refused(bench({ worker: { pins: [other] } }))).toEqual(unauthorized('pin', 'pin it'));
    const on = bench({ worker: { pins: [other, own] } });
    await dial(on, (await listen(on)).listener.address);
  });

  it('that is not there is refused in words, before the node says who it is', async () => {
    const on = bench();
    const { listener } = await listen(on);
    const { port } = new URL(listener.address);
    const socket = connectTls({ port: Number(port), host: '127.0.0.1', ca: authority().cert });
    closing.push(() => socket.destroy());
    const { answer } = await upgrade(listener.address, {}, { socket, tcp: socket, underlay: plain });
    expect(answer).toMatchObject({ status: 403, refused: 'uncertified', challenge: undefined });
  });

  it.each([
    ['certified-id', newIdentity('coordinator', 'another', wsBench().entropy), 'use one for coordinator "another"'],
    ['certified-role', newIdentity('peer', 'c', wsBench().entropy), 'use one for worker "c"'],
  ] as const)('for somebody else is refused: %s', async (word, identity, says) => {
    const on = bench();
    const { listener } = await listen(on);
    const challenge = await finish(on, on.request(listener.address));
    const answer = await on.request(
      listener.address,
      (underlay) => reply(listener.address, { identity, secret }, on.entropy, challenge, underlay).authorization,
    );
    expect(answer).toMatchObject({ status: 403, refused: word });
    expect(answer.sentence).toContain(says);
  });

  it('of a coordinator is good for its guardian', async () => {
    const on = bench();
    const { listener } = await listen(on);
    const identity = { ...coordinator(on), role: 'guardian' } as const;
    expect((await dial(on, listener.address, { identity })).link.peer.id).toBe('w');
  });

  it('of a node is good for its dials to other nodes, and lets nobody be a coordinator', async () => {
    const on = bench();
    const { listener } = await listen(on);
    await dial(on, listener.address, { identity: newIdentity('peer', 'x', on.entropy) });
    const own = certificates({ id: 'c', role: 'worker' });
    const error = await failure(on, bench({ coordinator: own }).transport.dial(listener.address, dialling(on)));
    expect(error).toMatchObject({ code: 'bad_options', detail: 'tlsCert' });
  });
});

describe('a certificate of the listener', () => {
  it('of another authority is refused in words', async () => {
    const error = await refused(bench({ worker: foreign.worker }));
    expect(error).toEqual(unauthorized('server issuer', 'give both sides certificates of one authority'));
  });

  it('that has expired is refused in words', async () => {
    expect(await refused(bench({ worker: old.worker }))).toEqual(unauthorized('server expired', 'SIGHUP'));
  });

  it('whose key is not pinned is refused', async () => {
    const pins = [pinOfCertificate(foreign.worker.cert)];
    expect(await refused(bench({ coordinator: { pins } }))).toEqual(unauthorized('server pin', 'pin the key'));
  });

  it('for other hosts than the one that was dialled is refused', async () => {
    const elsewhere = authority().issue({ ...worker, hosts: ['localhost'] }, days(10));
    const error = await refused(bench({ worker: elsewhere }));
    expect(error).toEqual(unauthorized('server certified-name', 'dial one that it is for'));
  });

  it.each([
    ['another node', certificates({ id: 'b', role: 'worker' }), 'server certified-id', 'worker "b"'],
    ['a coordinator', certificates(client), 'server certified-role', 'OU=worker'],
  ] as const)('of %s does not let it be this one', async (_name, { ca, cert, key }, detail, says) => {
    const on = bench();
    const { listener } = await listen(on);
    const { challenge } = await on.request(listener.address);
    const liar = createServer({ ca, cert, key }).on('upgrade', (_request, socket) =>
      socket.end(`HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: ${challenge}\r\nContent-Length: 0\r\n\r\n`),
    );
    closing.push(() => liar.close());
    await new Promise<void>((resolve) => liar.listen(0, '127.0.0.1', resolve));
    const address = `wss://127.0.0.1:${(liar.address() as AddressInfo).port}`;
    const error = await failure(on, on.transport.dial(address, dialling(on)));
    expect(error).toEqual(unauthorized(detail, says));
  });

  it('has to be its own, or it does not listen', async () => {
    const on = bench({ worker: certificates({ id: 'b', role: 'worker' }) });
    const error = await failure(on, listen(on));
    expect(error).toMatchObject({ code: 'bad_options', detail: 'tlsCert' });
    expect((error as Error).message).toContain('for worker "b", and this is worker "w"');
  });
});

describe('a connection with TLS', () => {
  it('is hung up when the listener proves to be somebody else than was dialled', async () => {
    const on = bench();
    const headers = { id: 'w', incarnation: '0123456789abcdef', nonce: writeBytes(on.entropy.bytes(32)) };
    const other = createServer({ ...certificates(worker), minVersion: 'TLSv1.3' });
    const open = new Set<Socket>();
    other.on('connection', (socket: Socket) => {
      open.add(socket);
      socket.once('close', () => open.delete(socket)).on('error', () => undefined);
    });
    other.on('upgrade', (_request, socket) =>
      socket.end(`HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: ${writeParams(headers)}\r\nContent-Length: 0\r\n\r\n`),
    );
    closing.push(
      () => other.close(),
      () => open.forEach((socket) => socket.destroy()),
    );
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = `wss://127.0.0.1:${(other.address() as AddressInfo).port}`;
    const error = await failure(on, on.transport.dial(address, { ...dialling(on), expect: 'another' }));
    expect(error).toMatchObject({ code: 'unauthorized', detail: 'expect' });
    await expect.poll(() => open.size, { timeout: 1_000 }).toBe(0);
  });

  it('is what a proof is good for, and no other one is: who passes it on gets nowhere', async () => {
    const on = bench();
    const { listener } = await listen(on);
    const options = { identity: coordinator(on), secret };
    const challenge = await finish(on, on.request(listener.address));
    const elsewhere = await opened(listener.address, certificates(client));
    closing.push(() => elsewhere?.socket.destroy());
    const passedOn = await on.request(
      listener.address,
      () => reply(listener.address, options, on.entropy, challenge, elsewhere?.underlay).authorization,
    );
    expect(passedOn).toMatchObject({ status: 403, refused: 'proof' });
  });

  it('is of version 1.3, and resumes nothing', async () => {
    const on = bench();
    const { listener } = await listen(on);
    const { ca, cert, key } = certificates(client);
    const { port } = new URL(listener.address);
    const at = { port: Number(port), host: '127.0.0.1', ca, cert, key };
    const older = connectTls({ ...at, maxVersion: 'TLSv1.2' });
    const error = await new Promise((resolve) => older.once('error', resolve).once('secureConnect', resolve));
    expect(error).toMatchObject({ code: 'ERR_SSL_TLSV1_ALERT_PROTOCOL_VERSION' });
    const connected = async (session?: Buffer): Promise<{ reused: boolean; session: Buffer | undefined }> => {
      let ticket: Buffer | undefined;
      const socket = connectTls({ ...at, ...(session && { session }) }).on('session', (given) => (ticket = given));
      let reused = true;
      socket.resume().on('secureConnect', () => {
        reused = socket.isSessionReused();
        socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
      });
      let over = false;
      socket.on('close', () => (over = true));
      await on.until(() => over);
      return { reused, session: ticket };
    };
    const { session } = await connected();
    expect((await connected(session)).reused).toBe(false);
  });

  it.each(['before it says a word of TLS', 'behind its TLS handshake'])(
    'is cut off when it is silent %s',
    async (when) => {
      const on = bench();
      const { listener } = await listen(on);
      const socket = when.startsWith('before')
        ? connectTcp(Number(new URL(listener.address).port), '127.0.0.1')
        : (await opened(listener.address, certificates(client)))?.socket;
      let over = false;
      socket
        ?.on('error', () => undefined)
        .on('close', () => (over = true))
        .resume();
      await on.until(() => socket?.connecting === false);
      await on.quiet();
      const near = await dial(on, listener.address);
      on.advance(4_999);
      await on.quiet();
      expect(over).toBe(false);
      on.advance(1);
      await on.until(() => over);
      await on.quiet();
      expect(near.heard.ends).toEqual([]);
    },
  );

  it('is not found where none is, and is missed where one is', async () => {
    const on = bench();
    const bare = wsBench();
    const at = { tls: (await listen(on)).listener.address, bare: (await listen(bare)).listener.address };
    const wss = await failure(on, on.transport.dial(at.bare.replace('ws:', 'wss:'), dialling(on)));
    expect(wss).toMatchObject({ code: 'unreachable' });
    expect((wss as Error).message).toContain('no TLS is spoken there');
    const ws = await failure(bare, bare.transport.dial(at.tls.replace('wss:', 'ws:'), dialling(bare)));
    expect(ws).toMatchObject({ code: 'unreachable' });
  });

  it('needs certificates', async () => {
    const on = wsBench();
    const dialled = await failure(on, on.transport.dial('wss://127.0.0.1:1', dialling(on)));
    expect(dialled).toMatchObject({ code: 'bad_options', detail: 'tls' });
    expect(await failure(on, listen(on, {}, 'wss://127.0.0.1:0'))).toMatchObject({ detail: 'tls' });
  });

  it('is asked for beyond loopback by who has certificates', async () => {
    const on = bench();
    const error = await failure(on, on.transport.dial('ws://node.test:7101', dialling(on)));
    expect(error).toMatchObject({ code: 'bad_options', detail: 'ws' });
    const { listener } = await listen(wsBench());
    await dial(on, listener.address);
  });
});

describe('certificates in files', () => {
  const folder = mkdtempSync(join(tmpdir(), 'muster-tls-'));
  const paths = { ca: join(folder, 'ca.pem'), cert: join(folder, 'w.pem'), key: join(folder, 'w.key') };
  const write = ({ ca, cert, key }: Pick<TlsOptions, 'ca' | 'cert' | 'key'>): void => {
    writeFileSync(paths.ca, ca);
    writeFileSync(paths.cert, cert);
    writeFileSync(paths.key, key, { mode: 0o600 });
  };
  /** What a listener shows to a new connection. */
  const shown = async (address: string): Promise<string> => {
    const socket = connectTls({
      port: Number(new URL(address).port),
      host: '127.0.0.1',
      rejectUnauthorized: false,
      secureContext: createSecureContext({}),
    });
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    const pin = pinOfCertificate(String(socket.getPeerX509Certificate()));
    socket.destroy();
    return pin;
  };

  it('are read anew at a reload: new links see the new ones, and links that exist go on', async () => {
    write(certificates(worker));
    const on = bench({ worker: paths });
    const { listener, accepted } = await listen(on);
    const before = await dial(on, listener.address);
    const renewed = authority().issue({ ...worker, hosts }, days(20));
    write({ ca: authority().cert, ...renewed });
    expect(await shown(listener.address)).toBe(pinOfCertificate(certificates(worker).cert));
    await listener.reload?.();
    expect(await shown(listener.address)).toBe(pinOfCertificate(renewed.cert));
    await dial(on, listener.address);
    await on.until(() => accepted.length === 2);
    before.link.send([bytes('still here')]);
    await on.until(() => accepted[0]!.heard.frames.length > 0);
    expect(before.heard.ends).toEqual([]);
  });

  it('that cannot be used at a reload change nothing', async () => {
    write(certificates(worker));
    const on = bench({ worker: paths });
    const { listener } = await listen(on);
    const wrong = [
      ['tlsCa', { ca: 'nonsense' }],
      ['tlsCert', { cert: 'nonsense' }],
      ['tlsKey', { key: 'nonsense' }],
      ['tlsKey', { key: foreign.worker.key }],
      ['tlsCert', certificates({ id: 'b', role: 'worker' })],
    ] as const;
    for (const [detail, change] of wrong) {
      write({ ...certificates(worker), ...change });
      const error = await failure(on, listener.reload?.() ?? Promise.resolve());
      expect(error).toMatchObject({ code: 'bad_options', detail });
      await dial(on, listener.address);
    }
  });

  it('are read anew for every dial, and those before them count while they do not fit each other', async () => {
    const on = bench();
    const { listener } = await listen(on);
    write({ ca: authority().cert, ...old.coordinator });
    const transport = wsTransport({ clock: on.clock, entropy: on.entropy, tls: paths });
    const options = dialling(on);
    expect(await failure(on, transport.dial(listener.address, options))).toMatchObject({ detail: 'expired' });
    write(certificates(client));
    await finish(on, transport.dial(listener.address, options));
    writeFileSync(paths.cert, foreign.coordinator.cert);
    await finish(on, transport.dial(listener.address, options));
    write(certificates(worker));
    await finish(on, transport.dial(listener.address, options));
    rmSync(folder, { recursive: true });
    await finish(on, transport.dial(listener.address, options));
  });
});

describe('the key', () => {
  it('in a file that everybody may read is refused, with what to do', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'muster-tls-'));
    closing.push(() => rmSync(folder, { recursive: true }));
    const key = join(folder, 'c.key');
    writeFileSync(key, certificates(client).key);
    chmodSync(key, 0o644);
    await expect(checkTls({ ...certificates(client), key }, client)).rejects.toThrow(`chmod 600 ${key}`);
    chmodSync(key, 0o640);
    await checkTls({ ...certificates(client), key }, client);
  });

  it('that is pinned is written as muster certs prints it', async () => {
    const pins = ['sha1/abc'];
    await expect(checkTls({ ...certificates(client), pins }, client)).rejects.toMatchObject({ detail: 'tlsPin' });
  });
});
