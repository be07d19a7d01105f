import { connect, type Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import { dial, failure, listen } from '../testing/link-bench.ts';
import { authorize, upgrade, wsBench, type WsBench } from '../testing/ws-bench.ts';

/** A plain connection that has said nothing. */
async function connected(bench: WsBench, address: string): Promise<Socket> {
  const { hostname, port } = new URL(address);
  const socket = connect(Number(port), hostname).on('error', () => undefined);
  socket.resume();
  await bench.until(() => !socket.connecting);
  await bench.quiet();
  return socket;
}

describe('a listener on sockets', () => {
  it('refuses a foreign Origin, and takes one that is let in by name', async () => {
    const bench = wsBench();
    const { listener } = await listen(bench, { origins: ['https://muster.test'] });
    const foreign = await upgrade(listener.address, { origin: 'https://evil.test' });
    expect(foreign.answer).toMatchObject({ status: 403, refused: 'origin' });
    const known = await upgrade(listener.address, { origin: 'https://muster.test' });
    expect(known.answer.status).toBe(401);
  });

  it('refuses a Host that it does not have, before it says who it is', async () => {
    const bench = wsBench();
    const { listener } = await listen(bench);
    const { answer } = await upgrade(listener.address, { host: 'rebound.test' });
    expect(answer).toMatchObject({ status: 403, refused: 'authority' });
    expect(answer.challenge).toBeUndefined();
  });

  it('refuses requests without the subprotocol, and names both versions to another one', async () => {
    const bench = wsBench();
    const { listener } = await listen(bench);
    const without = await upgrade(listener.address, { 'sec-websocket-protocol': undefined });
    expect(without.answer).toMatchObject({ status: 400, refused: 'subprotocol' });
    const newer = await upgrade(listener.address, { 'sec-websocket-protocol': 'rexi.2, rexi.3' });
    expect(newer.answer).toMatchObject({ status: 426, refused: 'version', protocol: 'rexi.1' });
    expect(newer.answer.sentence).toBe('This node speaks rexi.1; the client offered rexi.2, rexi.3.');
  });

  it('refuses a nonce after five seconds', async () => {
    const bench = wsBench();
    const { listener, accepted } = await listen(bench);
    const authorization = await authorize(bench, listener.address);
    bench.advance(5_000);
    expect(await bench.request(listener.address, () => authorization)).toMatchObject({ status: 401, refused: 'old' });
    expect(accepted).toEqual([]);
  });

  it('serves nothing else', async () => {
    const bench = wsBench();
    const { listener } = await listen(bench);
    const { answer } = await upgrade(listener.address, { upgrade: undefined, connection: undefined });
    expect(answer.status).toBe(426);
  });

  it('refuses headers of more than 8 KiB', async () => {
    const bench = wsBench();
    const { listener } = await listen(bench);
    const { answer } = await upgrade(listener.address, { authorization: `Rexi ${'x'.repeat(9_000)}` });
    expect(answer.status).toBe(431);
  });

  it('cuts a client off that takes longer than the handshake may, byte by byte', async () => {
    const bench = wsBench();
    const { listener } = await listen(bench);
    const socket = await connected(bench, listener.address);
    for (const byte of 'GET ') {
      socket.write(byte);
      await bench.quiet();
      bench.advance(1_000);
    }
    await bench.quiet();
    expect(socket.destroyed).toBe(false);
    bench.advance(1_000);
    await bench.until(() => socket.destroyed);
  });

  it('lets the oldest go when too many have proved nothing, and those who have stay', async () => {
    const bench = wsBench({ unauthenticated: 4 });
    const { listener } = await listen(bench);
    const near = await dial(bench, listener.address);
    const sockets: Socket[] = [];
    for (let i = 0; i < 6; i++) sockets.push(await connected(bench, listener.address));
    await bench.until(() => sockets[1]?.destroyed === true);
    expect(sockets.map(({ destroyed }) => destroyed)).toEqual([true, true, false, false, false, false]);
    await dial(bench, listener.address);
    bench.advance(10_000);
    await bench.until(() => sockets.every(({ destroyed }) => destroyed));
    expect(near.heard.ends).toEqual([]);
  });

  it('says when its port is taken', async () => {
    const bench = wsBench();
    const { listener } = await listen(bench);
    const error = await failure(bench, listen(bench, {}, listener.address));
    expect(error).toMatchObject({ code: 'bad_options', detail: 'EADDRINUSE' });
  });
});
