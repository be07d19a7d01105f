import type { Cluster } from '@muster/coordinator';
import { connect } from '@muster/coordinator';
import type { MessageType, Role } from '@muster/rexi';
import { CloseCode, layouts, newIdentity, systemEntropy } from '@muster/rexi';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { lastBeat, quiet } from './harness/evidence.ts';
import { Lab } from './harness/lab.ts';
import type { Proxy } from './harness/proxy.ts';
import { frame, RawPeer, samples, sendText, upgrade } from './harness/raw.ts';
import { failureOf, throughout, until } from './harness/wait.ts';
import type { Worker } from './harness/worker.ts';

const lab = new Lab();
const peers: RawPeer[] = [];
let proxy: Proxy;
let node: Worker;
/** Somebody else, who is served through all of this. */
let other: Cluster;
let stream: AsyncIterator<unknown>;

beforeAll(async () => {
  proxy = await lab.proxy();
  node = await lab.node('a', { proxy });
  other = await lab.cluster([node.address]);
  stream = other.stream('tick', { beat: lab.beat() });
});
afterEach(async () => {
  for (const peer of peers.splice(0)) peer.hangUp();
  const row = await stream.next();
  const sum = await other.call('add', { a: 1, b: 2 });
  if (row.done === true || sum !== 3) throw new Error('Somebody else was not served as before.');
});
afterAll(async () => {
  await stream.return?.();
  await quiet(lab);
  await lab.close();
});

async function session(): Promise<RawPeer> {
  const peer = await lab.rawCoordinator(node.address);
  peers.push(peer);
  return peer;
}

async function dial(role: Role = 'coordinator', address = node.address): Promise<RawPeer> {
  const peer = await RawPeer.dial(address, lab.secret, role);
  peers.push(peer);
  return peer;
}

describe('Nobody gets in', () => {
  it('with another secret', async () => {
    const error = await failureOf(
      connect({ ...lab.options([node.address]), secret: 'another secret, long enough', constants: { connect: 500 } }),
    );
    expect(error.code).toBe('unauthorized');
    expect(error.message).toContain('secret');
  });

  it("with the right secret and somebody else's incarnation", async () => {
    const identity = { ...newIdentity('coordinator', 'impostor', systemEntropy), incarnation: other.incarnation };
    const error = await failureOf(RawPeer.dial(node.address, lab.secret, 'coordinator', identity));
    expect(error).toMatchObject({ code: 'unauthorized', detail: 'incarnation' });
  });

  it('in a role that a node does not take', async () => {
    const error = await failureOf(RawPeer.dial(node.address, lab.secret, 'worker'));
    expect(error).toMatchObject({ code: 'unauthorized', detail: 'role' });
  });

  it('with a handshake that was recorded', async () => {
    let recorded = '';
    proxy.greet = (wire) =>
      (wire.overheard = (chunk) => (recorded = chunk.includes('uthorization') ? chunk : recorded));
    await dial('coordinator', proxy.address);
    proxy.greet = () => undefined;
    expect(recorded).toContain('uthorization: Rexi');
    expect(await sendText(node.port, recorded)).toMatch(/^HTTP\/1\.1 401 [^]*Rexi-Refused: replayed/);
  });

  it('from a page of a browser', async () => {
    const headers = {
      Host: new URL(node.address).host,
      Upgrade: 'websocket',
      Connection: 'Upgrade',
      'Sec-WebSocket-Key': Buffer.alloc(16).toString('base64'),
      'Sec-WebSocket-Version': '13',
      'Sec-WebSocket-Protocol': 'rexi.1',
    };
    expect(await upgrade(node.port, headers)).toMatch(/^HTTP\/1\.1 401 /);
    expect(await upgrade(node.port, { ...headers, Origin: 'https://example.org' })).toMatch(
      /^HTTP\/1\.1 403 [^]*Rexi-Refused: origin/,
    );
  });
});

describe('A peer that says what its role may not', () => {
  const types = Object.keys(samples) as MessageType[];

  it.each(['coordinator', 'guardian', 'peer', 'operator', 'observer'] as const)(
    'is closed with forbidden, whatever it is: %s',
    async (role) => {
      const wrong = types.filter((type) => !layouts[type].from.includes(role));
      expect(wrong.length).toBeGreaterThan(10);
      const codes = await Promise.all(wrong.map((type) => closedFor(role, type)));
      expect(Object.fromEntries(wrong.map((type, i) => [type, codes[i]]))).toEqual(
        Object.fromEntries(wrong.map((type) => [type, CloseCode.forbidden])),
      );
    },
  );

  it('and is not, where it may', async () => {
    await Promise.all((['coordinator', 'guardian', 'peer', 'operator', 'observer'] as const).map(saysAll));
  });

  async function saysAll(role: Role): Promise<void> {
    const peer = await dial(role);
    if (role === 'guardian') peer.say(samples.guard);
    if (role === 'coordinator') {
      peer.say(samples['session-open']);
      await peer.answer('session-accepted');
    }
    const right = types.filter(
      (type) =>
        layouts[type].from.includes(role) && !['fence', 'session-open', 'session-resume', 'guard'].includes(type),
    );
    for (const type of right) peer.say(samples[type]);
    // One waits already, perhaps; the next comes after all of this was read.
    const beats = (): number => peer.heard.filter(({ type }) => type === 'heartbeat').length;
    const before = beats();
    await until(`the ${role} still hears heartbeats`, () => peer.end ?? beats() > before + 1, 3_500);
    expect(peer.end).toBeUndefined();
  }

  async function closedFor(role: Role, type: MessageType): Promise<number> {
    const peer = await dial(role);
    peer.say(samples[type]);
    return peer.closed();
  }
});

describe('A peer that sends', () => {
  const heartbeat = Buffer.from([layouts.heartbeat.tag, 0, 0, 0, 0, 0, 1]);
  const cases: readonly (readonly [string, number, (peer: RawPeer) => void])[] = [
    ['a frame in a lane that there is not', CloseCode.badFrame, (peer) => peer.raw(frame(2, 1, heartbeat))],
    ['a frame out of sequence', CloseCode.badFrame, (peer) => peer.raw(frame(0, 2, heartbeat))],
    ['a frame that is too short', CloseCode.badFrame, (peer) => peer.raw(Buffer.alloc(5))],
    ['an empty frame', CloseCode.badFrame, (peer) => peer.raw(Buffer.alloc(0))],
    [
      'a piece that is longer than its frame',
      CloseCode.badFrame,
      (peer) => peer.raw(frame(0, 1, heartbeat).subarray(0, 15)),
    ],
    ['a piece with unknown flags', CloseCode.badFrame, (peer) => peer.raw(frame(0, 1, heartbeat, 7))],
    ['the middle of a message that was not begun', CloseCode.badFrame, (peer) => peer.raw(frame(0, 1, heartbeat, 0))],
    ['a frame of more than 64 KiB', CloseCode.tooLarge, (peer) => peer.raw(frame(1, 1, Buffer.alloc(70_000)))],
    ['a message of more than 16 MiB', CloseCode.tooLarge, tooLong],
    ['a message with an unknown tag', CloseCode.badMessage, (peer) => peer.sayBytes(Buffer.from([250, 1, 2, 3]))],
    [
      'a message with a byte too many',
      CloseCode.badMessage,
      (peer) => peer.sayBytes(Buffer.concat([heartbeat, Buffer.alloc(1)])),
    ],
    ['a message with a byte too few', CloseCode.badMessage, (peer) => peer.sayBytes(heartbeat.subarray(0, 4))],
    ['an empty piece', CloseCode.badFrame, (peer) => peer.sayBytes(Buffer.alloc(0))],
    [
      'an ack of frames that were not sent',
      CloseCode.badState,
      (peer) => peer.say({ type: 'session-ack', frame: 1_000_000 }),
    ],
  ];

  it.each(cases)('%s is closed with %i', async (_what, code, hurt) => {
    const peer = await dial();
    hurt(peer);
    expect(await peer.closed()).toBe(code);
  });

  it('a text frame is closed', async () => {
    const peer = await dial('coordinator', proxy.address);
    const text = Buffer.from('hello');
    proxy
      .of('coordinator')
      .at(-1)
      ?.inject('up', Buffer.concat([Buffer.from([0x81, 0x80 | text.length, 0, 0, 0, 0]), text]));
    expect(await peer.closed()).toBe(CloseCode.badFrame);
  });

  it('a message of a guardian before its number is closed', async () => {
    const peer = await dial('guardian');
    peer.say(samples.renew);
    expect(await peer.closed()).toBe(CloseCode.badState);
  });

  function tooLong(peer: RawPeer): void {
    const piece = Buffer.alloc(65_000);
    for (let i = 0; i < 260; i += 1) peer.sayBytes(piece, 1, i === 0 ? 1 : 0);
  }
});

describe('A peer that kills before it casts', () => {
  it('hears that the job was killed, and nothing has run', async () => {
    const beat = lab.beat();
    const peer = await session();
    peer.say({ ...samples.kill, counters: [1] });
    peer.cast('mark');
    expect((await peer.answer('exit')).code).toBe('killed');
    await throughout('nothing runs', 200, () => lastBeat(beat) === 0);
  });

  it('and one that casts twice starts one job', async () => {
    const peer = await session();
    const starts = node.lines('start').length;
    peer.cast('where');
    await peer.answer('reply');
    peer.cast('where');
    peer.say(samples.request);
    await peer.answer('response');
    expect(node.lines('start').length - starts).toBe(1);
  });

  it("cannot name another's job: a foreign reference is not there", async () => {
    const peer = await session();
    peer.say({ ...samples.kill, confirm: 7, counters: Array.from({ length: 200 }, (_, i) => i + 1) });
    expect((await peer.answer('killed')).confirm).toBe(7);
  });
});
