import type { Socket } from 'node:net';
import { describe, expect, it } from 'vitest';
import type { WebSocket } from 'ws';
import { CloseCode } from '../close-code.ts';
import { dial, listen, onlyOne, type Recorder } from '../testing/link-bench.ts';
import { stranger, wsBench } from '../testing/ws-bench.ts';

describe('a peer that breaks the rules of frames is closed with its code', () => {
  async function broken(misbehave: (ws: WebSocket) => void): Promise<{ here: number; there: number; heard: Recorder }> {
    const bench = wsBench({ frame: 1_000 });
    const { listener, accepted } = await listen(bench);
    const bystander = await dial(bench, listener.address);
    await bench.until(() => accepted.length > 0);
    accepted.length = 0;
    const { ws } = await stranger(bench, listener.address);
    let there = 0;
    ws.on('error', () => undefined).once('close', (code) => (there = code));
    misbehave(ws);
    await bench.until(() => accepted[0]?.heard.ends.length === 1 && there > 0);
    expect(bystander.heard.ends).toEqual([]);
    const { heard } = onlyOne(accepted);
    return { here: heard.ends[0]?.code ?? 0, there, heard };
  }

  it('a text frame', async () => {
    const { here, there, heard } = await broken((ws) => ws.send('text'));
    expect([here, there]).toEqual([CloseCode.badFrame, CloseCode.badFrame]);
    expect(heard.frames).toEqual([]);
  });

  it('a frame that is too large, before it is there', async () => {
    const { here, there, heard } = await broken((ws) => ws.send(new Uint8Array(1_001)));
    expect([here, there]).toEqual([CloseCode.tooLarge, 1009]);
    expect(heard.frames).toEqual([]);
  });

  it('a frame in 17 pieces, but not one in 16', async () => {
    const pieces = (ws: WebSocket, count: number): void => {
      for (let i = 1; i <= count; i++) ws.send('x', { binary: true, fin: i === count });
    };
    const { here, there, heard } = await broken((ws) => (pieces(ws, 16), pieces(ws, 17)));
    expect([here, there]).toEqual([CloseCode.badFrame, 1008]);
    expect(heard.texts).toEqual(['x'.repeat(16)]);
  });

  it('a frame that offers compression', async () => {
    const { here, there } = await broken((ws) =>
      (ws as unknown as { _socket: Socket })._socket.write('\xc2\x80\0\0\0\0', 'latin1'),
    );
    expect([here, there]).toEqual([CloseCode.badFrame, 1002]);
  });

  it('and reads it in the words of the protocol when it is one of ours', async () => {
    const bench = wsBench({ frame: 1_000 });
    const { listener } = await listen(bench);
    const { link, heard } = await dial(bench, listener.address);
    link.send([new Uint8Array(1_001)]);
    await bench.until(() => heard.ends.length > 0);
    expect(heard.ends).toMatchObject([{ by: 'peer', code: CloseCode.tooLarge }]);
  });
});
