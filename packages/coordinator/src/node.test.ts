import type { Link, Message } from '@muster/rexi';
import {
  Channel,
  CloseCode,
  constants,
  memoryNetwork,
  mostListed,
  newIdentity,
  ProtocolError,
  surelyDeadAfter,
  ValueCodec,
} from '@muster/rexi';
import { seededEntropy, virtualClock } from '@muster/rexi/testing';
import { describe, expect, it, vi } from 'vitest';
import type { CastHandler } from './casts.ts';
import { ClusterNode } from './node.ts';
import { Guardianship } from './guardianship.ts';
import { SimulatedGuardians } from './testing/simulated-guardians.ts';

const table = constants();
const codec = new ValueCodec();
const secret = Buffer.from('a secret of some length');

/** A worker node as a test plays it, and a coordinator's real conversation with it. */
class World {
  readonly clock = virtualClock();
  readonly entropy = seededEntropy('node');
  readonly network = memoryNetwork({ clock: this.clock, entropy: this.entropy });
  readonly channels: Channel[] = [];
  readonly heard: Message[] = [];
  readonly closes: number[] = [];
  readonly states: string[] = [];
  readonly ends: string[] = [];
  readonly troubles: string[] = [];
  accepts = true;
  node: ClusterNode | undefined;
  guardian: Guardianship | undefined;

  async start(): Promise<this> {
    const { clock, entropy, network } = this;
    await this.listen();
    const guardians = new SimulatedGuardians({ clock, entropy, transport: network });
    const identity = newIdentity('coordinator', 'c', entropy);
    const guardian = (this.guardian = new Guardianship({
      clock,
      constants: table,
      identity,
      secret,
      spawn: guardians.spawn,
      fenced: () => undefined,
    }));
    this.node = new ClusterNode({
      addresses: ['ws://w1.test:1'],
      clock,
      entropy,
      constants: table,
      transport: network,
      identity,
      secret,
      guardian,
      changed: ({ state }) => void this.states.push(state),
      troubled: ({ trouble }) => void this.troubles.push(trouble?.message ?? ''),
      other: () => undefined,
    });
    await this.clock.pass(1_000);
    return this;
  }

  async listen(): Promise<{ close(): Promise<void> }> {
    const identity = newIdentity('worker', 'w1', this.entropy);
    return this.network.listen('ws://w1.test:1', { identity, secret, accept: (link) => this.#accept(link) });
  }

  get played(): Channel {
    return this.channels.at(-1) as Channel;
  }

  /** Casts so many jobs; each writes down its end under its counter. */
  cast(count: number, over: Partial<CastHandler> = {}): number[] {
    const counters: number[] = [];
    const parts = Array.from({ length: count }, (_, i) => {
      const end = (what: string) => (): void => void this.ends.push(`${counters[i]} ${what}`);
      const handler = { value: end('value'), last: end('last'), exit: end('exit'), down: end('down'), ...over };
      return { shard: new Uint8Array(), handler };
    });
    const order = { job: 'j', args: codec.pack(1), priority: 128, deadline: Infinity };
    counters.push(...(this.node?.cast(order, parts) ?? []));
    return counters;
  }

  async say(...messages: Message[]): Promise<void> {
    for (const message of messages) this.played.send(message);
    await this.clock.settle();
  }

  #accept(link: Link): void {
    const channel: Channel = new Channel(link, {
      clock: this.clock,
      constants: table,
      handler: {
        message: (message) => {
          this.heard.push(message);
          if (message.type === 'session-open' && this.accepts) {
            const { session } = message;
            channel.send({
              type: 'session-accepted',
              session,
              stamp: 1,
              lease: table.lease,
              kill: table.kill,
              jobs: [{ name: 'j', stream: true }],
            });
          }
        },
        ended: ({ code }) => void (link.peer.role === 'coordinator' && this.closes.push(code)),
      },
    });
    if (link.peer.role === 'coordinator') this.channels.push(channel);
  }
}

const reply = (counter: number): Message => ({ type: 'reply', counter, value: codec.pack(1) });

describe("a coordinator's conversation with a node", () => {
  it('dials, is guarded, opens a session, and is up when that is accepted', async () => {
    const { states, heard, node } = await new World().start();
    expect(states).toEqual(['opening', 'up']);
    expect(heard.map(({ type }) => type).filter((type) => type !== 'heartbeat' && type !== 'renew')).toEqual([
      'guard',
      'session-open',
    ]);
    expect(node?.id).toBe('w1');
    expect([...(node?.jobs ?? [])]).toEqual([['j', true]]);
  });

  it('is not up before its acceptance was read, and nothing can be cast', async () => {
    const world = new World();
    world.accepts = false;
    await world.start();
    expect(world.node?.state).toBe('opening');
  });

  it('rule 8: echoes each stamp that it reads, and the first with the acceptance', async () => {
    const world = await new World().start();
    await world.say({ type: 'heartbeat', stamp: 500 });
    await world.say({ type: 'heartbeat', stamp: 700 });
    const renewals = world.heard.filter((message) => message.type === 'renew');
    expect(renewals.map(({ stamp }) => stamp)).toEqual(expect.arrayContaining([1, 500, 700]));
    expect(world.node?.newestStamp.stamp).toBe(700);
  });

  it('with a new life of the node goes over one link, however long the guardian takes to reach that', async () => {
    const world = new World();
    const listeners: { close(): Promise<void> }[] = [];
    const { listen } = world;
    world.listen = async () => (
      listeners.push(await listen.call(world)),
      listeners.at(-1) as { close(): Promise<void> }
    );
    await world.start();
    vi.spyOn(world.guardian as Guardianship, 'guard').mockImplementation(
      () => new Promise((resolve) => world.clock.after(8_000, resolve)),
    );
    await listeners[0]?.close();
    world.played.abort('killed');
    await world.listen();
    await world.clock.pass(20_000);
    expect(world.node?.state).toBe('up');
    expect(world.channels.filter(({ ended }) => !ended)).toHaveLength(1);
    expect(world.channels).toHaveLength(2);
  });

  it('is not dialled without a pause where nobody listens while its link is silent', async () => {
    const world = new World();
    const listeners: { close(): Promise<void> }[] = [];
    const { listen, network } = world;
    world.listen = async () => {
      const listener = await listen.call(world);
      listeners.push(listener);
      return listener;
    };
    const dial = vi.spyOn(network, 'dial');
    await world.start();
    const links = dial.mock.results.map(({ value }) => value as Promise<Link & { lose(ms: number): void }>);
    for (const link of await Promise.all(links)) link.lose(600_000);
    await listeners[0]?.close();
    dial.mockClear();
    await world.clock.pass(surelyDeadAfter(table) - table.heartbeat);
    const dials = dial.mock.calls.filter(([, { identity }]) => identity.role === 'coordinator');
    expect(world.node?.state).toBe('suspect');
    expect(dials.length).toBeGreaterThan(0);
    expect(dials.length).toBeLessThan(20);
  });

  it('rule 2: casts in the order of their counters', async () => {
    const world = await new World().start();
    world.cast(2);
    world.cast(3);
    await world.clock.settle();
    const casts = world.heard.flatMap((message) =>
      message.type === 'cast' ? message.parts.map(({ counter }) => counter) : [],
    );
    expect(casts).toEqual([1, 2, 3, 4, 5]);
  });

  it('rule 9: tells every reference `down` once, in the order of submission', async () => {
    const world = await new World().start();
    world.cast(3);
    world.cast(2);
    await world.say(reply(2));
    world.played.close(CloseCode.goAway, 'gone');
    await world.clock.pass(100);
    expect(world.ends).toEqual(['2 value', '1 down', '3 down', '4 down', '5 down']);
    await world.clock.pass(60_000);
    expect(world.ends).toHaveLength(5);
    expect(world.node?.load).toBe(0);
  });

  it('rule 9: has its guardian tell the node that the session was given up', async () => {
    const world = await new World().start();
    world.played.close(CloseCode.goAway, 'gone');
    await world.clock.pass(1_000);
    expect(world.heard.filter(({ type }) => type === 'end')).toEqual([{ type: 'end', session: 1 }]);
  });

  it('rule 1: drops and counts what comes of a reference that was given up', async () => {
    const world = await new World().start();
    world.cast(2);
    void world.node?.kill([1], 0, false);
    await world.say(reply(1), { type: 'stream-init', counter: 1 }, reply(2), reply(2));
    expect(world.ends).toEqual(['2 value']);
    expect(world.node?.late).toBe(3);
  });

  it('rule 3: kills over the link of the session, and does not say it again of what has ended', async () => {
    const world = await new World().start();
    world.cast(3);
    await world.say(reply(2));
    void world.node?.kill([1, 2, 99], 250, false);
    void world.node?.kill([1], 250, false);
    await world.clock.settle();
    expect(world.heard.filter(({ type }) => type === 'kill')).toEqual([
      { type: 'kill', confirm: 0, grace: 250, counters: [1] },
    ]);
  });

  it('rule 18: kills whatever has not left without more tombstones than the node keeps', async () => {
    const world = await new World().start();
    const counters = Array.from({ length: 17 }, () => world.cast(4_096)).flat();
    void world.node?.kill(counters, 250, false);
    await world.clock.pass(2_000);
    const tombstones = new Set<number>();
    const killed = new Set<number>();
    let most = 0;
    let highest = 0;
    for (const message of world.heard) {
      if (message.type === 'cast')
        for (const { counter } of message.parts) {
          highest = counter;
          tombstones.delete(counter);
        }
      if (message.type !== 'kill') continue;
      for (const counter of message.counters) {
        killed.add(counter);
        if (counter > highest) tombstones.add(counter);
      }
      most = Math.max(most, tombstones.size);
    }
    expect([highest, killed.size, tombstones.size]).toEqual([counters.length, counters.length, 0]);
    expect(most).toBeGreaterThan(50_000);
    expect(most).toBeLessThanOrEqual(65_536);
  });

  it('rule 16: holds a reference as long as its session can be spoken to', async () => {
    const world = await new World().start();
    world.cast(2);
    await world.say(reply(2));
    expect([world.node?.holds(1), world.node?.holds(2)]).toEqual([true, false]);
    for (const link of world.network.links) link.lose(600_000);
    await world.clock.pass(4_500);
    expect([world.node?.state, world.node?.holds(1)]).toEqual(['suspect', false]);
    await world.clock.pass(4_000);
    expect(world.node?.holds(1)).toBe(false);
    expect(world.ends).toEqual(['2 value', '1 down']);
  });

  it('resolves a kill when it is confirmed, or its session is lost', async () => {
    const world = await new World().start();
    world.cast(2);
    const done: string[] = [];
    void world.node?.kill([1], 0, true).then(() => done.push('first'));
    void world.node?.kill([2], 0, true).then(() => done.push('second'));
    await world.say({ type: 'killed', confirm: 1 });
    expect(done).toEqual(['first']);
    world.played.close(CloseCode.goAway, 'gone');
    await world.clock.pass(10);
    expect(done).toEqual(['first', 'second']);
  });

  it('kills more than one message may list in several, and resolves when all of them are confirmed', async () => {
    const world = await new World().start();
    const counters = Array.from({ length: 2 * mostListed + 1 }, () => world.cast(1)).flat();
    let done = false;
    const killed = world.node?.kill(counters, 0, true).then(() => (done = true));
    await world.clock.settle();
    const kills = world.heard.filter((message) => message.type === 'kill');
    expect(kills.map(({ counters: { length } }) => length)).toEqual([mostListed, mostListed, 1]);
    expect(kills.flatMap((kill) => kill.counters)).toEqual(counters);
    await world.say(...[1, 2].map((confirm): Message => ({ type: 'killed', confirm })));
    expect(done).toBe(false);
    await world.say({ type: 'killed', confirm: 3 });
    await killed;
    expect(done).toBe(true);
  });

  it('rule 1: an end that cannot be read is `down`, and not nothing', async () => {
    const world = await new World().start();
    const unreadable = (): never => {
      throw new ProtocolError(CloseCode.badState, 'rows are missing');
    };
    world.cast(1, { last: unreadable });
    world.cast(1);
    await world.say({ type: 'last', counter: 1, rows: 7, value: codec.pack(1) });
    await world.clock.pass(10);
    expect(world.closes).toEqual([CloseCode.badState]);
    expect(world.ends).toEqual(['1 down', '2 down']);
  });

  it.each([
    [
      'a refusal',
      async (world: World) => world.say({ type: 'session-refused', session: 1, code: 'stale', reason: 'no' }),
    ],
    ['a closed link', async (world: World) => world.played.close(CloseCode.goAway, 'gone')],
  ])('dials again after %s, each time later, with a higher session', async (_name, lose) => {
    const world = await new World().start();
    world.accepts = false;
    const opened: number[] = [];
    for (let times = 0; times < 5; times += 1) {
      await lose(world);
      const before = world.channels.length;
      const began = world.clock.now();
      while (world.channels.length === before) await world.clock.pass(5);
      opened.push(world.clock.now() - began);
      await world.clock.pass(100);
    }
    const sessions = world.heard.flatMap((message) => (message.type === 'session-open' ? [message.session] : []));
    expect(sessions).toEqual([1, 2, 3, 4, 5, 6]);
    expect(opened[4]).toBeGreaterThan((opened[0] ?? 0) * 4);
    expect(opened[4]).toBeLessThan(2_000);
  });

  it('keeps in mind why its session was refused, and tells of it once', async () => {
    const world = await new World().start();
    world.accepts = false;
    for (let times = 0; times < 3; times += 1) {
      await world.say({ type: 'session-refused', session: times + 1, code: 'stale', reason: 'a newer one is open' });
      await world.clock.pass(3_000);
    }
    expect(world.troubles).toEqual(['The node refused the session: a newer one is open. (node w1)']);
    expect(world.node?.trouble?.message).toBe(world.troubles[0]);
  });

  it('rule 13: closes what says something that no worker may say, with the code, and its references are down', async () => {
    const world = await new World().start();
    world.cast(2);
    await world.say({
      type: 'cast',
      job: 'j',
      timeLeft: 0,
      priority: 1,
      args: new Uint8Array(),
      parts: [{ counter: 1, shard: new Uint8Array() }],
    });
    await world.clock.pass(10);
    expect(world.closes).toEqual([CloseCode.forbidden]);
    expect(world.ends).toEqual(['1 down', '2 down']);
  });
});
