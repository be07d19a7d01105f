import { describe, expect, it } from 'vitest';
import { newIdentity } from '../handshake/identity.ts';
import { bytes, listen, onlyOne, pair, Recorder } from '../testing/link-bench.ts';
import { linkSuite } from '../testing/link-suite.ts';
import { stranger, wsBench } from '../testing/ws-bench.ts';
import { WsLink } from './ws-link.ts';

linkSuite('ws', () => wsBench(), { describe, it, expect });

describe('a link over ws', () => {
  it('sends what one run of code sends in one write, right behind it', async () => {
    const bench = wsBench();
    const { listener, accepted } = await listen(bench);
    const { ws, socket } = await stranger(bench, listener.address);
    const peer = newIdentity('worker', 'w', bench.entropy);
    const link = new WsLink({ ws, socket, peer, clock: bench.clock, closing: 1_000 });
    link.handle(new Recorder(link));
    for (const text of ['a', 'b', 'c']) link.send([bytes(text)]);
    expect(socket.writableCorked).toBe(1);
    await Promise.resolve();
    expect(socket.writableCorked).toBe(0);
    await bench.until(() => onlyOne(accepted).heard.frames.length === 3);
  });

  it.each(['ETIMEDOUT', 'EHOSTUNREACH'])('calls an end by %s silent, as nobody has closed it', async (code) => {
    const bench = wsBench();
    const { listener } = await listen(bench);
    const { ws, socket } = await stranger(bench, listener.address);
    const link = new WsLink({
      ws,
      socket,
      peer: newIdentity('worker', 'w', bench.entropy),
      clock: bench.clock,
      closing: 1_000,
    });
    const heard = new Recorder(link);
    link.handle(heard);
    socket.destroy(Object.assign(new Error('read'), { code }));
    await bench.until(() => heard.ends.length > 0);
    expect(heard.ends).toEqual([{ by: 'silent', code: 1006, reason: code }]);
  });

  it.each(['destroy', 'resetAndDestroy'] as const)('calls an end by the peer’s kernel the peer’s (%s)', async (how) => {
    const bench = wsBench();
    const { listener, accepted } = await listen(bench);
    const { socket } = await stranger(bench, listener.address);
    await bench.until(() => accepted.length > 0);
    socket[how]();
    await bench.until(() => onlyOne(accepted).heard.ends.length > 0);
    expect(onlyOne(accepted).heard.ends).toEqual([{ by: 'peer', code: 1006, reason: '' }]);
  });

  it('cuts a reason so that it fits, between characters', async () => {
    const bench = wsBench();
    const { near, far } = await pair(bench);
    near.link.close(4000, `${'x'.repeat(122)}ä and more`);
    await bench.until(() => far.heard.ends.length > 0);
    expect(far.heard.ends).toEqual([{ by: 'peer', code: 4000, reason: 'x'.repeat(122) }]);
  });

  it('resets a peer that does not answer a close, after its time', async () => {
    const bench = wsBench({ closing: 700 });
    const { listener, accepted } = await listen(bench);
    const { socket } = await stranger(bench, listener.address);
    await bench.until(() => accepted.length > 0);
    socket.pause();
    onlyOne(accepted).link.close(4000, 'bye');
    await bench.quiet();
    bench.advance(699);
    await bench.quiet();
    expect(onlyOne(accepted).heard.ends).toEqual([]);
    bench.advance(1);
    await bench.until(() => onlyOne(accepted).heard.ends.length > 0);
    expect(onlyOne(accepted).heard.ends).toEqual([{ by: 'self', code: 4000, reason: 'bye' }]);
    socket.destroy();
  });
});
