import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Proxy } from './proxy.ts';

const server = createServer({ allowHalfOpen: true });
let proxy: Proxy;
let caller: Socket;
let node: Socket;

beforeEach(async () => {
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  proxy = await Proxy.open();
  proxy.passTo((server.address() as AddressInfo).port);
  const accepted = once(server, 'connection');
  caller = connect(Number(proxy.authority.split(':')[1]), '127.0.0.1').on('error', () => undefined);
  [node] = (await accepted) as [Socket];
  node.on('error', () => undefined);
});

afterEach(async () => {
  await proxy.close();
  for (const socket of [caller, node]) socket.destroy();
  server.close();
  await once(server, 'close');
});

describe('a proxy', () => {
  it('passes bytes on, both ways', async () => {
    caller.write('ping');
    expect(String(await once(node, 'data'))).toBe('ping');
    node.write('pong');
    expect(String(await once(caller, 'data'))).toBe('pong');
  });

  it('tells the node that the caller has gone', async () => {
    node.resume();
    caller.resetAndDestroy();
    await once(node, 'end');
  });

  it('tells the node nothing while it holds, and still takes what the node sends', async () => {
    const ends: string[] = [];
    node.on('end', () => ends.push('end')).on('close', () => ends.push('close'));
    node.resume();
    proxy.holds = true;
    caller.resetAndDestroy();
    await once(caller, 'close');
    await new Promise((resolve) => node.write('x'.repeat(5_000_000), resolve));
    expect(ends).toEqual([]);
  });
});
