import type { LinkBench } from '@muster/rexi/testing';
import { linkSuite, plain, Recorder, seededEntropy } from '@muster/rexi/testing';
import { newIdentity } from '@muster/rexi';
import type { Link } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import { EventLoop } from '../simulation/event-loop.ts';
import { Machine } from '../simulation/machine.ts';
import { Random } from '../simulation/random.ts';
import { SimProcess } from '../simulation/sim-process.ts';
import type { Connection } from './connection.ts';
import { Network } from './network.ts';

const nsPerMs = 1e6;
const secret = Buffer.from('a secret of some length');

/** Two machines with a process each, and a connection between them. */
class Scene {
  readonly loop: EventLoop = new EventLoop((error) => {
    throw error;
  });
  readonly entropy = seededEntropy('network');
  readonly network: Network = new Network(this.loop, new Random('network'), this.entropy);
  readonly home: SimProcess = this.process('home');
  readonly away: SimProcess = this.process('w.test');

  process(name: string): SimProcess {
    const machine = new Machine(name, 1, 0);
    this.network.add(machine);
    return new SimProcess(this.loop, machine, name);
  }

  pass(ms: number): Promise<void> {
    return this.loop.run(this.loop.now + ms * nsPerMs);
  }

  /** A fresh connection, and what each of its ends hears. */
  async connect(): Promise<{
    near: Link;
    far: Link;
    heard: { near: Recorder; far: Recorder };
    connection: Connection;
  }> {
    const accepted: Link[] = [];
    const identity = newIdentity('worker', 'w', this.entropy);
    const accept = (link: Link): void => void accepted.push(link);
    const { address } = await this.network.transport(this.away).listen('ws://w.test:0', { identity, secret, accept });
    const dial = { identity: newIdentity('coordinator', 'c', this.entropy), secret, timeout: 5_000 };
    const made = this.network.transport(this.home).dial(address, dial);
    await this.pass(1_000);
    const near = await made;
    const [far] = accepted;
    const [connection] = this.network.connections;
    if (far === undefined || connection === undefined) throw new Error('Nothing was connected.');
    const heard = { near: new Recorder(near), far: new Recorder(far) };
    near.handle(heard.near);
    far.handle(heard.far);
    return { near, far, heard, connection };
  }
}

function bench(): LinkBench {
  const scene = new Scene();
  const { network, entropy, home, away } = scene;
  const listening = network.transport(away);
  return {
    transport: { dial: network.transport(home).dial, listen: listening.listen },
    entropy,
    address: 'ws://w.test:0',
    async until(done) {
      for (let turns = 0; !done(); turns += 1) {
        if (turns > 4_000) throw new Error('It has not happened.');
        await scene.pass(1);
      }
    },
    quiet: () => scene.pass(1_000),
    alias(address) {
      network.alias('ws://elsewhere.test:1', address);
      return 'ws://elsewhere.test:1';
    },
    request: (address, authorize) => network.request(home, address, authorize?.(plain)),
  };
}

linkSuite('a simulated network', bench, { describe, it, expect });

const text = (words: string): Uint8Array => Buffer.from(words);
const reset = { by: 'peer', code: 1006, reason: '' };

describe('A connection', () => {
  it('that is held in one direction passes the other', async () => {
    const scene = new Scene();
    const { near, far, heard, connection } = await scene.connect();
    connection.near.flow.hold();
    near.send([text('there')]);
    far.send([text('back')]);
    await scene.pass(5_000);
    expect([heard.near.texts, heard.far.texts]).toEqual([['back'], []]);
    connection.near.flow.release();
    await scene.pass(1_000);
    expect(heard.far.texts).toEqual(['there']);
  });

  it('on a clogged path loses nothing, and gets it all in order when the path is free', async () => {
    const scene = new Scene();
    const { near, heard } = await scene.connect();
    const path = scene.network.path('home', 'w.test');
    path.clog();
    for (const word of ['a', 'b', 'c']) near.send([text(word)]);
    await scene.pass(5_000);
    expect(heard.far.texts).toEqual([]);
    path.unclog();
    await scene.pass(1_000);
    expect(heard.far.texts).toEqual(['a', 'b', 'c']);
  });

  it('that is reset at a byte gives the frames before it, and not the one that it is in', async () => {
    const scene = new Scene();
    const { near, heard, connection } = await scene.connect();
    connection.near.flow.cutAfter(5, () => true);
    for (const word of ['abc', 'def']) near.send([text(word)]);
    await scene.pass(1_000);
    expect(heard.far.texts).toEqual(['abc']);
    expect([heard.near.ends, heard.far.ends]).toEqual([[reset], [reset]]);
  });

  it('that is half open tells one end, and the other for a long time nothing', async () => {
    const scene = new Scene();
    const { far, heard, connection } = await scene.connect();
    connection.vanish('near');
    far.send([text('is anybody there?')]);
    await scene.pass(60_000);
    expect([heard.near.ends, heard.far.ends]).toEqual([[reset], []]);
  });

  it('of a process that is killed ends behind what its kernel had taken', async () => {
    const scene = new Scene();
    const { near, heard } = await scene.connect();
    near.send([text('last words')]);
    await scene.pass(0);
    scene.home.kill();
    await scene.pass(1_000);
    expect(heard.far.texts).toEqual(['last words']);
    expect(heard.far.ends).toEqual([reset]);
    expect(heard.near.ends).toEqual([]);
  });

  it('of a machine that is lost says nothing, until the machine is back and is sent something', async () => {
    const scene = new Scene();
    const { far, heard } = await scene.connect();
    scene.home.machine.lose();
    await scene.pass(60_000);
    expect(heard.far.ends).toEqual([]);
    scene.home.machine.boot();
    scene.network.booted('home');
    far.send([text('still there?')]);
    await scene.pass(1_000);
    expect(heard.far.ends).toEqual([reset]);
  });

  it('keeps what a stopped process is sent, until it is continued', async () => {
    const scene = new Scene();
    const { near, heard } = await scene.connect();
    scene.away.stop();
    near.send([text('a')]);
    await scene.pass(1_000);
    expect(heard.far.texts).toEqual([]);
    scene.away.continue();
    await scene.pass(10);
    expect(heard.far.texts).toEqual(['a']);
  });

  it('over a slow line takes as long as its bytes take', async () => {
    const scene = new Scene();
    const { near, heard } = await scene.connect();
    scene.network.path('home', 'w.test').slow({ latency: 0, bandwidth: 1_000 });
    for (let i = 0; i < 3; i += 1) near.send([new Uint8Array(500)]);
    await scene.pass(1_200);
    expect(heard.far.frames).toHaveLength(2);
    await scene.pass(600);
    expect(heard.far.frames).toHaveLength(3);
  });
});
