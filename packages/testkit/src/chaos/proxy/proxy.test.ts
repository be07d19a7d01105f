import { once } from 'node:events';
import type { AddressInfo, Socket } from 'node:net';
import { connect, createServer } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { Random } from '../../simulation/random.ts';
import { descriptorsOf } from '../process/machine.ts';
import { until } from '../process/wait.ts';
import { linkFaultKinds, scheduleOf } from './link-fault.ts';
import { Proxy } from './proxy.ts';
import { Wire } from './wire.ts';

const ends: (() => unknown)[] = [];
afterEach(async () => {
  for (const end of ends.splice(0).toReversed()) await end();
});

interface Pair {
  readonly proxy: Proxy;
  readonly near: Socket;
  /** What the far end has heard. */
  readonly heard: () => string;
  readonly lost: () => boolean;
}

async function pair(): Promise<Pair> {
  let heard = '';
  const server = createServer((socket) =>
    socket.on('error', () => undefined).on('data', (data) => (heard += String(data))),
  );
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const proxy = await Proxy.open({ seed: 1 });
  proxy.target = (server.address() as AddressInfo).port;
  const near = connect(proxy.port, '127.0.0.1');
  let lost = false;
  near.on('error', () => (lost = true)).on('close', () => (lost = true));
  ends.push(
    () => server.close(),
    () => proxy.close(),
    () => near.destroy(),
  );
  near.write('hello ');
  await until('the far end hears', () => heard === 'hello ');
  return { proxy, near, heard: () => heard, lost: () => lost };
}

describe('A proxy', () => {
  it('passes what was held when it is released, in order', async () => {
    const { proxy, near, heard } = await pair();
    const heal = proxy.fault({ kind: 'hold' });
    near.write('one ');
    near.write('two');
    await until('both wait', () => proxy.wires[0]?.heldBytes('up') === 7);
    expect(heard()).toBe('hello ');
    heal();
    await until('both are there', () => heard() === 'hello one two');
    expect([...proxy.fired]).toEqual(['hold']);
  });

  it('resets in the middle of what passes', async () => {
    const { proxy, near, heard, lost } = await pair();
    proxy.fault({ kind: 'reset', after: 3, direction: 'up' });
    near.write('abcdef');
    await until('the link is over', lost);
    expect('hello abc'.startsWith(heard())).toBe(true);
    expect([...proxy.fired]).toEqual(['reset']);
  });

  it('changes one bit of one byte, and no other', async () => {
    const { proxy, near, heard } = await pair();
    proxy.fault({ kind: 'corrupt', after: 2, direction: 'up' });
    near.write('00000');
    await until('all has come', () => heard().length === 11);
    expect(heard()).toMatch(/^hello 00[^0]00$/);
  });

  it('passes recorded bytes again', async () => {
    const { proxy, near, heard } = await pair();
    proxy.fault({ kind: 'replay', bytes: 3, after: 100, direction: 'up' });
    near.write('abc');
    await until('they come twice', () => heard() === 'hello abcabc');
    expect([...proxy.fired]).toEqual(['replay']);
  });

  it('passes slices, late, and loses nothing', async () => {
    const { proxy, near, heard } = await pair();
    proxy.fault({ kind: 'slice', bytes: 1 });
    proxy.fault({ kind: 'latency', delay: 20, jitter: 10 });
    for (const word of ['ab', 'cd', 'ef']) near.write(word);
    await until('all has come', () => heard() === 'hello abcdef');
    expect([...proxy.fired].sort()).toEqual(['latency', 'slice']);
  });

  it('resets without a word more, also towards a peer that reads nothing', async () => {
    const { proxy, near } = await pair();
    const error = once(near, 'error') as Promise<[NodeJS.ErrnoException]>;
    proxy.cut();
    expect((await error)[0].code).toBe('ECONNRESET');
  });

  it('closes a socket that is just ending, too: one that stays open makes the process spin at its end', async () => {
    const server = createServer((socket) => socket.on('error', () => undefined).resume());
    server.listen(0, '127.0.0.1');
    ends.push(() => server.close());
    await once(server, 'listening');
    const before = descriptorsOf(process.pid) ?? 0;
    const dial = (): Socket => connect((server.address() as AddressInfo).port, '127.0.0.1');
    for (let i = 0; i < 8; i += 1) {
      const [near, far] = [dial(), dial()];
      const wire = new Wire(near, far);
      await Promise.all([once(near, 'connect'), once(far, 'connect')]);
      far.end();
      wire.cut();
    }
    await until('all sockets are closed', () => (descriptorsOf(process.pid) ?? 0) <= before, 2_000);
  });

  it('says of a fault that met nothing that it has not fired', async () => {
    const { proxy } = await pair();
    proxy.fault({ kind: 'black-hole', direction: 'down' });
    expect([...proxy.fired]).toEqual([]);
  });
});

describe('A schedule', () => {
  it('is a function of its seed, and draws every kind', () => {
    const draw = (seed: number) => scheduleOf(new Random(seed), { duration: 1_000, count: 200 });
    expect(draw(1)).toEqual(draw(1));
    expect(draw(1)).not.toEqual(draw(2));
    expect(new Set(draw(1).map(({ fault }) => fault.kind))).toEqual(new Set(linkFaultKinds));
  });
});
