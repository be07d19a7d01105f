import { createHash } from 'node:crypto';
import { getEventListeners } from 'node:events';
import { createServer, type Server } from 'node:http';
import { createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { dialling, failure, listen } from '../testing/link-bench.ts';
import { upgrade, wsBench } from '../testing/ws-bench.ts';

describe('a dial over sockets', () => {
  const servers: { close(): unknown }[] = [];
  afterEach(() => servers.splice(0).forEach((server) => server.close()));

  async function at(server: Server | ReturnType<typeof createTcpServer>): Promise<string> {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }

  it('refuses a listener that proves nothing, before a frame is read, and hangs up', async () => {
    const bench = wsBench();
    const { listener } = await listen(bench);
    let hungUp = false;
    const impostor = createServer().on('upgrade', async (request, socket) => {
      socket.on('error', () => undefined).once('end', () => (hungUp = true));
      expect(request.headers['sec-websocket-extensions']).toBeUndefined();
      if (request.headers.authorization === undefined) {
        const { answer } = await upgrade(listener.address);
        return socket.end(
          `HTTP/1.1 401 Unauthorized\r\nWWW-Authenticate: ${answer.challenge}\r\nContent-Length: 0\r\n\r\n`,
        );
      }
      hungUp = false;
      socket.resume();
      // Everything that a WebSocket client wants to see, a proof of the right shape, and a frame right behind it.
      const key = `${request.headers['sec-websocket-key']}258EAFA5-E914-47DA-95CA-C5AB0DC85B11`;
      const accept = createHash('sha1').update(key).digest('base64');
      const own = request.headers.authorization;
      return socket.write(
        `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Protocol: rexi.1\r\n` +
          `Sec-WebSocket-Accept: ${accept}\r\nRexi-Proof: ${own}\r\n\r\n\x82\x01x`,
        'latin1',
      );
    });
    const error = await failure(bench, bench.transport.dial(await at(impostor), dialling(bench)));
    expect(error).toMatchObject({ code: 'unauthorized', detail: 'server proof' });
    await bench.until(() => hungUp);
  });

  it('says that something else answers', async () => {
    const bench = wsBench();
    const other = createServer((_request, response) => response.writeHead(404).end('not here'));
    const error = await failure(bench, bench.transport.dial(await at(other), dialling(bench)));
    expect(error).toMatchObject({ code: 'unreachable', detail: 'no node' });
  });

  it('names both versions when the node speaks another', async () => {
    const bench = wsBench();
    const sentence = 'This node speaks rexi.2; the client offered rexi.1.';
    const newer = createServer().on('upgrade', (_request, socket) =>
      socket.end(`HTTP/1.1 426 Upgrade Required\r\nRexi-Refused: version\r\nRexi-Reason: ${sentence}\r\n\r\n`),
    );
    const error = (await failure(bench, bench.transport.dial(await at(newer), dialling(bench)))) as Error;
    expect(error).toMatchObject({ code: 'version_mismatch' });
    expect(error.message).toContain(sentence);
  });

  it.each(['timeout', 'signal'] as const)('gives up by its %s, and leaves no socket and no listener', async (by) => {
    const bench = wsBench();
    const sockets: Socket[] = [];
    const silent = createTcpServer((socket) => void sockets.push(socket.on('error', () => undefined).resume()));
    const controller = new AbortController();
    const options = dialling(bench, { timeout: 300, signal: controller.signal });
    const dialled = failure(bench, bench.transport.dial(await at(silent), options));
    await bench.until(() => sockets.length > 0);
    if (by === 'timeout') bench.advance(300);
    else controller.abort();
    expect(await dialled).toMatchObject({ code: by === 'timeout' ? 'unreachable' : 'cancelled' });
    await bench.until(() => sockets.every(({ destroyed }) => destroyed));
    expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  });

  it('refuses what is no address', async () => {
    const bench = wsBench();
    for (const address of ['127.0.0.1:1', 'wss://a:1', 'ws://a:1/path', 'ws://u@a:1', 'ws://']) {
      expect(await failure(bench, bench.transport.dial(address, dialling(bench)))).toMatchObject({
        code: 'bad_options',
      });
    }
  });
});
