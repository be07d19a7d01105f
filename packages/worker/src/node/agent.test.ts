import type {
  Channel as ChannelType,
  Constants,
  Identity,
  Link,
  LinkEnd,
  MemoryNetwork,
  Message,
  Role,
} from '@muster/rexi';
import { Channel, CloseCode, constants, memoryNetwork, newIdentity, ValueCodec } from '@muster/rexi';
import { seededEntropy, Stoppable, virtualClock } from '@muster/rexi/testing';
import { describe, expect, it } from 'vitest';
import { memoryNode } from '../testing/memory-node.ts';
import type { MemoryNode } from '../testing/memory-node.ts';
import type { Script } from '../testing/script.ts';

const table = constants();
const codec = new ValueCodec();
const secret = Buffer.from('a secret of some length');
const scripts: Record<string, Script> = {
  answer: { steps: [{ do: 'end', value: 42 }] },
  hang: { steps: [{ do: 'hang' }] },
  deaf: { steps: [{ do: 'hang' }], stops: Infinity },
  stream: { stream: true, steps: [{ do: 'rows', rows: [1, 2, 3] }] },
};

/** One side of a conversation with the node, as a test speaks it. */
interface Peer {
  readonly link: Link;
  readonly channel: ChannelType;
  readonly heard: Message[];
  readonly ends: LinkEnd[];
  say(message: Message): Promise<void>;
  /** Types and numbers of what was heard, heartbeats aside. */
  words(): string[];
}

class World {
  readonly clock = virtualClock(10_000);
  readonly entropy = seededEntropy('agent');
  readonly network: MemoryNetwork;
  readonly node: Promise<MemoryNode>;
  readonly process = new Stoppable(this.clock);

  constructor(executors = {}, extra: Record<string, Script> = {}, latency = 0, constants: Partial<Constants> = {}) {
    this.network = memoryNetwork({ clock: this.clock, entropy: this.entropy, latency });
    const { clock, transport } = { clock: this.process.clock, transport: this.process.transport(this.network) };
    this.node = memoryNode({
      id: 'w1',
      clock,
      entropy: this.entropy,
      transport,
      secret,
      scripts: { ...scripts, ...extra },
      executors,
      constants,
    });
  }

  identity(role: Role, of?: Identity): Identity {
    return of === undefined ? newIdentity(role, 'c', this.entropy) : { ...of, role };
  }

  /** Dials as this identity; with `renews` it echoes every stamp of the node for session 1. */
  async dial(identity: Identity, { renews = false }: { renews?: boolean } = {}): Promise<Peer> {
    const { address } = await this.node;
    const dialling = this.network.dial(address, { identity, secret, timeout: 5_000 });
    await this.clock.pass(50);
    const link = await dialling;
    const heard: Message[] = [];
    const ends: LinkEnd[] = [];
    const channel: ChannelType = new Channel(link, {
      clock: this.clock,
      constants: table,
      handler: {
        message: (message) => {
          if (message.type !== 'heartbeat') heard.push(message);
          else if (renews) channel.send({ type: 'renew', session: 1, stamp: message.stamp });
        },
        ended: (end) => void ends.push(end),
      },
    });
    const say = async (message: Message): Promise<void> => (channel.send(message), await this.clock.settle());
    await this.clock.settle();
    return { link, channel, heard, ends, say, words: () => heard.map(inWords) };
  }

  /** A coordinator with an open session 1. */
  async coordinator(options: { renews?: boolean } = { renews: true }): Promise<Peer & { identity: Identity }> {
    const identity = this.identity('coordinator');
    const peer = await this.dial(identity, options);
    await peer.say({ type: 'session-open', session: 1 });
    return { ...peer, identity };
  }

  async guardian(of: Identity, number = 1): Promise<Peer> {
    const peer = await this.dial(this.identity('guardian', of));
    await peer.say({ type: 'guard', number });
    return peer;
  }
}

function inWords(message: Message): string {
  switch (message.type) {
    case 'exit':
      return `exit ${message.counter} ${message.code} ${message.detail}`.trim();
    case 'fenced':
      return `fenced ${message.killed} [${message.left.join()}]`;
    case 'session-accepted':
    case 'ended':
      return `${message.type} ${message.session}`;
    case 'session-refused':
      return `session-refused ${message.code}`;
    case 'killed':
      return `killed ${message.confirm}`;
    case 'response':
      return `response ${message.ok}`;
    default:
      return 'counter' in message ? `${message.type} ${message.counter}` : message.type;
  }
}

const cast = (job: string, ...counters: number[]): Message => ({
  type: 'cast',
  job,
  timeLeft: 0,
  priority: 128,
  args: codec.pack(undefined),
  parts: counters.map((counter) => ({ counter, shard: new Uint8Array() })),
});

describe('a session with the agent', () => {
  it('is accepted with the names and kinds of the jobs', async () => {
    const world = new World();
    const { heard } = await world.coordinator();
    expect(heard).toEqual([
      {
        type: 'session-accepted',
        session: 1,
        stamp: 10_050,
        lease: table.lease,
        kill: table.kill,
        jobs: [
          { name: 'answer', stream: false },
          { name: 'hang', stream: false },
          { name: 'deaf', stream: false },
          { name: 'stream', stream: true },
        ],
      },
    ]);
  });

  it('runs a job and replies, and streams rows under a start and acks', async () => {
    const world = new World();
    const { say, words } = await world.coordinator();
    await say(cast('answer', 1));
    await say(cast('stream', 2));
    await say({ type: 'stream-start', counter: 2, rows: 10, bytes: 1_000 });
    expect(words().slice(1)).toEqual(['reply 1', 'stream-init 2', 'rows 2', 'rows 2', 'rows 2', 'last 2']);
  });

  it('runs nothing that is cast before the session was opened', async () => {
    const world = new World();
    const { say, words } = await world.dial(world.identity('coordinator'));
    await say(cast('answer', 1));
    expect(words()).toEqual([]);
    expect((await world.node).executors.started).toEqual([]);
  });

  it('is opened anew when the jobs of the older are dead, and not before', async () => {
    const world = new World({ dies: 200 });
    const first = await world.coordinator();
    await first.say(cast('deaf', 1));
    const second = await world.dial(first.identity);
    await second.say({ type: 'session-open', session: 2 });
    expect(first.words()).toContain('exit 1 down newer session');
    expect(first.ends).toMatchObject([{ code: CloseCode.replaced }]);
    await world.clock.pass(199);
    expect(second.words()).toEqual([]);
    await world.clock.pass(1);
    expect(second.words()).toEqual(['session-accepted 2']);
  });

  it('rule 8: ends with its lease when nobody renews it, and its frames are refused', async () => {
    const world = new World();
    const { say, words, ends } = await world.coordinator({ renews: false });
    await say(cast('hang', 1));
    await world.clock.pass(table.lease - 1);
    expect(words()).toEqual(['session-accepted 1']);
    await world.clock.pass(1);
    expect(words()).toEqual(['session-accepted 1', 'exit 1 lease_lost lease']);
    expect(ends).toMatchObject([{ by: 'peer', code: CloseCode.leaseLost }]);
    expect((await world.node).jobs).toEqual([]);
  });

  it('rule 8: goes on as long as its stamps are echoed', async () => {
    const world = new World();
    const { say, words } = await world.coordinator();
    await say(cast('hang', 1));
    await world.clock.pass(60_000);
    expect(words()).toEqual(['session-accepted 1']);
  });

  it.each(['timers', 'sockets'] as const)(
    'rule 8: is judged by a node that was stopped before it believes its sockets, also with its %s first',
    async (first) => {
      const world = new World();
      const { say, words } = await world.coordinator();
      await say(cast('hang', 1));
      await world.clock.pass(1_000);
      world.process.stop();
      await world.clock.pass(6_000);
      await say(cast('answer', 2));
      world.process.continue(first);
      await world.clock.settle();
      expect(words()).toEqual(['session-accepted 1', 'exit 1 lease_lost lease']);
      expect((await world.node).executors.started).toHaveLength(1);
    },
  );

  it('answers a kill when the processes are gone', async () => {
    const world = new World({ dies: 50 });
    const { say, words } = await world.coordinator();
    await say(cast('deaf', 1));
    await say({ type: 'kill', confirm: 7, grace: 100, counters: [1, 99] });
    await world.clock.pass(149);
    expect(words()).toEqual(['session-accepted 1']);
    await world.clock.pass(1);
    expect(words()).toEqual(['session-accepted 1', 'killed 7']);
  });

  it('that kills more than can be kept is closed, and nobody else notices', async () => {
    const world = new World();
    const bad = await world.coordinator();
    const good = await world.coordinator();
    await good.say(cast('hang', 1));
    for (let first = 1; first <= 65_537; first += 4_096) {
      const counters = Array.from({ length: 4_096 }, (_, i) => first + i);
      await bad.say({ type: 'kill', confirm: 1, grace: 0, counters });
    }
    await world.clock.pass(1_000);
    expect(bad.ends).toMatchObject([{ by: 'peer', code: CloseCode.badState }]);
    await good.say(cast('answer', 2));
    expect(good.words().at(-1)).toBe('reply 2');
  });

  it('that asks for kills to be confirmed without end is closed, however slowly one job dies', async () => {
    const world = new World();
    const { say, ends } = await world.coordinator();
    await say(cast('deaf', 1));
    const kill = (confirm: number): Message => ({ type: 'kill', confirm, grace: 60_000, counters: [1] });
    for (let confirm = 1; confirm <= table.questions; confirm += 1) await say(kill(confirm));
    for (let i = 0; i < 100; i += 1) await say(kill(0));
    expect(ends).toEqual([]);
    await say(kill(1));
    await world.clock.pass(100);
    expect(ends).toMatchObject([{ by: 'peer', code: CloseCode.badState }]);
  });

  it('that asks a thousand questions in one frame is answered once a turn, so that others have theirs', async () => {
    const world = new World();
    const { channel, heard } = await world.coordinator();
    const { agent } = await world.node;
    const turns: number[] = [];
    let turn = 0;
    const count = (): void => void ((turn += 1) < 3_000 && world.clock.soon(count));
    count();
    Object.defineProperty(agent, 'links', { get: () => void turns.push(turn) });
    for (let id = 0; id < 1_000; id += 1) {
      channel.send({ type: 'request', id, name: 'stats', value: new Uint8Array() });
    }
    await world.clock.pass(100);
    expect(heard.filter(({ type }) => type === 'response')).toHaveLength(1_000);
    expect(new Set(turns).size).toBe(1_000);
  });

  it('that has more questions open than that is closed', async () => {
    const world = new World();
    const { channel, ends } = await world.coordinator();
    for (let id = 0; id < table.questions + 100; id += 1) {
      channel.send({ type: 'request', id, name: 'ping', value: new Uint8Array() });
    }
    await world.clock.pass(100);
    expect(ends).toMatchObject([{ by: 'peer', code: CloseCode.badState }]);
  });

  it('that asks for more and reads nothing is closed before its answers fill the node', async () => {
    const world = new World({}, {}, 0, { bodyQueue: 1_000_000 });
    const { channel, ends, link } = await world.coordinator();
    link.pause();
    // Each is answered with an exit that is larger than it.
    for (let at = 0; at < 100_000; at += 1_000) {
      channel.send(cast('nobody', ...Array.from({ length: 1_000 }, (_, i) => at + i + 1)));
    }
    await world.clock.settle();
    link.resume();
    await world.clock.pass(1_000);
    expect(ends).toMatchObject([{ code: CloseCode.overflow }]);
  });

  it.each([true, false])(
    'that asks for more while much waits for it is judged by whether it reads: %s',
    async (reads) => {
      const world = new World({}, {}, 0, { bodyQueue: 1_000_000, lease: 60_000, write: 2_000 });
      const { channel, link, ends } = await world.coordinator();
      const more = (from: number, count: number): void =>
        channel.send(cast('nobody', ...Array.from({ length: count }, (_, i) => from + i)));
      link.pause();
      for (let from = 1; from < 26_000; from += 1_000) more(from, 1_000);
      await world.clock.settle();
      more(30_001, 1);
      await world.clock.pass(1_900);
      more(30_002, 1);
      await world.clock.settle();
      if (reads) link.resume();
      await world.clock.pass(200);
      link.pause();
      more(30_003, 1);
      await world.clock.settle();
      link.resume();
      await world.clock.pass(1_000);
      expect(ends).toMatchObject(reads ? [] : [{ code: CloseCode.overflow }]);
    },
  );

  it.each<Message>([
    cast('answer', 1),
    { type: 'kill', confirm: 1, grace: 0, counters: [1] },
    { type: 'ack', counter: 1, rows: 0, bytes: 0 },
    { type: 'stream-start', counter: 1, rows: 1, bytes: 1 },
    { type: 'stream-cancel', counter: 1 },
  ])('cannot have anything before it was accepted: $type', async (message) => {
    const world = new World();
    const { channel, say, ends, words } = await world.dial(world.identity('coordinator'));
    await say(message);
    await world.clock.pass(100);
    expect(ends).toMatchObject([{ by: 'peer', code: CloseCode.badState }]);
    expect(words()).toEqual([]);
    expect(channel.ended).toBe(true);
    expect((await world.node).executors.started).toEqual([]);
  });

  it('sees its own jobs and errors, and of others only how many there are', async () => {
    const world = new World();
    const one = await world.coordinator();
    const two = await world.coordinator();
    await one.say(cast('hang', 1));
    await two.say(cast('hang', 1, 2));
    const ask = async (name: string): Promise<unknown> => {
      await one.say({ type: 'request', id: 1, name, value: codec.pack(undefined) });
      const answer = one.heard.at(-1);
      return answer?.type === 'response' ? codec.unpack(answer.value) : answer;
    };
    expect(await ask('jobs')).toMatchObject([{ job: 'hang', state: 'running' }]);
    expect(await ask('stats')).toMatchObject({ node: 'w1', jobs: 3, links: { coordinator: 2 } });
    expect(await ask('nonsense')).toMatch(/answers no request "nonsense"/);
  });
});

describe('a guardian at the agent', () => {
  it('must say its number before anything else', async () => {
    const world = new World();
    const { identity } = await world.coordinator();
    const guardian = await world.dial(world.identity('guardian', identity));
    await guardian.say({ type: 'fence' });
    expect(guardian.ends).toMatchObject([{ code: CloseCode.badState }]);
  });

  it('may not cast', async () => {
    const world = new World();
    const { identity } = await world.coordinator();
    const guardian = await world.guardian(identity);
    await guardian.say(cast('answer', 1));
    expect(guardian.ends).toMatchObject([{ code: CloseCode.forbidden }]);
  });

  it('fences: jobs are killed without grace, and it is told how many', async () => {
    const world = new World({ dies: 30 });
    const coordinator = await world.coordinator();
    await coordinator.say(cast('deaf', 1, 2));
    const guardian = await world.guardian(coordinator.identity);
    await guardian.say({ type: 'fence' });
    await world.clock.pass(29);
    expect(guardian.words()).toEqual([]);
    await world.clock.pass(1);
    expect(guardian.words()).toEqual(['fenced 2 []']);
    expect(coordinator.words().slice(1)).toEqual(['exit 1 fenced fence', 'exit 2 fenced fence']);
    expect(coordinator.ends).toMatchObject([{ code: CloseCode.fenced }]);
    const again = await world.dial(coordinator.identity);
    await again.say({ type: 'session-open', session: 2 });
    expect(again.words()).toEqual(['session-refused fenced']);
  });

  it('is told after K what a fence has not killed yet, also when the session had ended before', async () => {
    const world = new World({ dies: 900 });
    const coordinator = await world.coordinator();
    await coordinator.say(cast('deaf', 1, 2));
    const guardian = await world.guardian(coordinator.identity);
    await guardian.say({ type: 'end', session: 1 });
    await guardian.say({ type: 'fence' });
    await world.clock.pass(table.kill);
    expect(guardian.words()).toEqual(['ended 1', 'fenced 0 [1,2]']);
    await guardian.say({ type: 'fence' });
    await world.clock.pass(400);
    expect(guardian.words().at(-1)).toBe('fenced 2 []');
  });

  it('renews the session of its coordinator', async () => {
    const world = new World();
    const coordinator = await world.coordinator({ renews: false });
    await coordinator.say(cast('hang', 1));
    const guardian = await world.guardian(coordinator.identity);
    for (let second = 0; second < 20; second += 1) {
      await world.clock.pass(1_000);
      await guardian.say({ type: 'renew', session: 1, stamp: world.clock.now() - 10 });
    }
    expect((await world.node).agent.jobs.all).toHaveLength(1);
    await world.clock.pass(table.lease);
    expect((await world.node).jobs).toEqual([]);
  });

  it('kills jobs of its own coordinator, who hears by whom', async () => {
    const world = new World();
    const coordinator = await world.coordinator();
    await coordinator.say(cast('hang', 1, 2));
    const guardian = await world.guardian(coordinator.identity);
    await guardian.say({ type: 'kill', confirm: 3, grace: 0, counters: [1] });
    expect(guardian.words()).toEqual(['killed 3']);
    expect(coordinator.words().at(-1)).toBe('exit 1 killed guardian');
    expect((await world.node).agent.jobs.left(coordinator.identity.incarnation)).toEqual([2]);
  });

  it('of another coordinator reaches nothing', async () => {
    const world = new World();
    const coordinator = await world.coordinator();
    await coordinator.say(cast('hang', 1));
    const stranger = await world.guardian(world.identity('coordinator'));
    await stranger.say({ type: 'kill', confirm: 3, grace: 0, counters: [1] });
    await stranger.say({ type: 'end', session: 1 });
    await stranger.say({ type: 'fence' });
    expect(stranger.words()).toEqual(['killed 3', 'ended 1', 'fenced 0 []']);
    expect((await world.node).agent.jobs.all).toHaveLength(1);
  });
});

describe('both links of a coordinator', () => {
  async function guarded(): Promise<{
    world: World;
    coordinator: Peer & { identity: Identity };
    guardian: Peer;
    alive: () => Promise<number>;
  }> {
    const world = new World();
    const coordinator = await world.coordinator();
    await coordinator.say(cast('hang', 1));
    const guardian = await world.guardian(coordinator.identity);
    return { world, coordinator, guardian, alive: async () => (await world.node).agent.jobs.all.length };
  }

  it('rule 11: closed by the peer end the session after one second', async () => {
    const { world, coordinator, guardian, alive } = await guarded();
    coordinator.channel.abort('gone');
    guardian.channel.abort('gone');
    await world.clock.pass(table.closedGrace - 1);
    expect(await alive()).toBe(1);
    await world.clock.pass(2);
    expect(await alive()).toBe(0);
  });

  it('rule 11: that fall silent leave the session to its lease', async () => {
    const { world, alive } = await guarded();
    for (const link of world.network.links) link.lose(2_000);
    await world.clock.pass(4_900);
    expect(await alive()).toBe(1);
    await world.clock.pass(1_100);
    expect(await alive()).toBe(0);
  });

  it('rule 11: of which the guardian is back in time leave the session alone', async () => {
    const { world, coordinator, guardian, alive } = await guarded();
    coordinator.channel.abort('gone');
    guardian.channel.abort('gone');
    await world.clock.pass(900);
    await world.guardian(coordinator.identity);
    await world.clock.pass(2_000);
    expect(await alive()).toBe(1);
  });
});

describe('a job with much to say of its failure', () => {
  it('ends in an exit that is clipped, and neither its session nor the node with it', async () => {
    const world = new World({}, { wordy: { steps: [{ do: 'fail', code: 'limit', message: '€'.repeat(300_000) }] } });
    const { say, heard, words } = await world.coordinator();
    await say(cast('wordy', 1));
    expect(heard.at(-1)).toMatchObject({ type: 'exit', code: 'limit', message: '€'.repeat(1_024) });
    await say(cast('answer', 2));
    expect(words().at(-1)).toBe('reply 2');
  });
});

describe('a node that drains', () => {
  it('rule 7: says so, takes no casts, and its sessions stay usable for what runs', async () => {
    const world = new World();
    const { say, words, heard } = await world.coordinator();
    const { agent } = await world.node;
    await say(cast('stream', 1));
    let drained = false;
    void agent.drain(30_000).then(() => (drained = true));
    await say(cast('answer', 2));
    await say({ type: 'stream-start', counter: 1, rows: 2, bytes: 1_000 });
    await world.clock.pass(5_000);
    expect(words().slice(1)).toEqual(['stream-init 1', 'go-away', 'exit 2 maintenance', 'rows 1', 'rows 1']);
    expect(drained).toBe(false);
    const bytes = heard.reduce((sum, message) => sum + (message.type === 'rows' ? message.batch.length : 0), 0);
    await say({ type: 'ack', counter: 1, rows: 2, bytes });
    await world.clock.pass(1_000);
    expect(words().slice(-2)).toEqual(['rows 1', 'last 1']);
    expect(drained).toBe(true);
  });

  it('rule 7: is not closed before the last words of its jobs have left', async () => {
    const bulk: Script = {
      steps: [
        { do: 'wait', ms: 10 },
        { do: 'end', value: 'x'.repeat(3_000_000) },
      ],
    };
    const world = new World({}, { bulk }, 5);
    const { say, words, ends } = await world.coordinator();
    const { agent } = await world.node;
    await say(cast('bulk', 1));
    await world.clock.pass(8);
    void agent.drain(30_000).then(() => agent.close('drained'));
    await world.clock.pass(5_000);
    expect(words().slice(1)).toEqual(['go-away', 'reply 1']);
    expect(ends).toMatchObject([{ by: 'peer', code: CloseCode.goAway }]);
  });
});
