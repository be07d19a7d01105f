import type {
  Constants,
  JobFacts,
  Link,
  MemoryNetwork,
  Message,
  NodeFacts,
  OperationName,
  Response,
  Role,
  SessionFacts,
} from '@muster/rexi';
import {
  Channel,
  CloseCode,
  constants as tableOf,
  layouts,
  memoryNetwork,
  newIdentity,
  operations,
  ValueCodec,
} from '@muster/rexi';
import { seededEntropy, virtualClock } from '@muster/rexi/testing';
import { beforeEach, describe, expect, it } from 'vitest';
import type { MemoryNode } from '../testing/memory-node.ts';
import { memoryNode } from '../testing/memory-node.ts';
import type { Script } from '../testing/script.ts';

const codec = new ValueCodec();
const secret = Buffer.from('a secret of some length');
const scripts: Record<string, Script> = {
  hang: { steps: [{ do: 'hang' }] },
  deaf: { steps: [{ do: 'hang' }], stops: Infinity, lane: 'narrow' },
  fails: { steps: [{ do: 'fail', message: 'boom' }] },
  stream: { stream: true, steps: [{ do: 'rows', rows: [1, 2, 3] }, { do: 'hang' }] },
};

/** One side of a conversation with the node. */
interface Peer {
  readonly incarnation: string;
  readonly link: Link;
  readonly channel: Channel;
  readonly heard: Message[];
  say(message: Message): Promise<void>;
  /** Asks, and resolves with the value of the answer, or with `no: ` and the sentence. */
  ask(name: string, value?: unknown): Promise<unknown>;
  ended: number | undefined;
}

class World {
  readonly clock = virtualClock(10_000);
  readonly entropy = seededEntropy('operating');
  readonly network: MemoryNetwork = memoryNetwork({ clock: this.clock, entropy: this.entropy });
  readonly noted: Record<string, unknown>[] = [];
  node!: MemoryNode;

  async start(dies?: number): Promise<this> {
    this.node = await memoryNode({
      id: 'w1',
      clock: this.clock,
      entropy: this.entropy,
      transport: this.network,
      secret,
      scripts,
      lanes: { narrow: { concurrency: 2, queue: 5_000 } },
      executors: dies === undefined ? {} : { dies },
      note: (event, facts) => void this.noted.push({ event, ...facts }),
    });
    return this;
  }

  async dial(role: Role, id: string = role): Promise<Peer> {
    const identity = newIdentity(role, id, this.entropy);
    const dialling = this.network.dial(this.node.address, { identity, secret, timeout: 5_000 });
    await this.clock.pass(50);
    const link = await dialling;
    const heard: Message[] = [];
    let asked = 0;
    const peer: Peer = {
      incarnation: identity.incarnation,
      link,
      channel: new Channel(link, {
        clock: this.clock,
        constants: tableOf(),
        handler: {
          message: (message) => {
            if (message.type !== 'heartbeat') heard.push(message);
            else if (role === 'coordinator') peer.channel.send({ type: 'renew', session: 1, stamp: message.stamp });
          },
          ended: ({ code }) => void (peer.ended = code),
        },
      }),
      heard,
      say: async (message) => (peer.channel.send(message), await this.clock.settle()),
      ask: async (name, value) => {
        const id = (asked += 1);
        await peer.say({ type: 'request', id, name, value: value === undefined ? Buffer.of() : codec.pack(value) });
        const answer = (): Response | undefined =>
          heard.find((message): message is Response => message.type === 'response' && message.id === id);
        for (let step = 0; step < 40 && answer() === undefined; step += 1) await this.clock.pass(50);
        const { ok, value: packed } = answer() ?? { ok: false, value: codec.pack('nothing') };
        return ok ? codec.unpack(packed) : `no: ${String(codec.unpack(packed))}`;
      },
      ended: undefined,
    };
    return peer;
  }

  /** A coordinator with an open session, and so many jobs under way. */
  async coordinator(id: string, job: string, count: number): Promise<Peer> {
    const peer = await this.dial('coordinator', id);
    await peer.say({ type: 'session-open', session: 1 });
    await this.cast(peer, job, 1, count);
    return peer;
  }

  async cast(peer: Peer, job: string, from: number, count: number): Promise<void> {
    const nothing = Buffer.of();
    for (let at = from; at < from + count; at += 4_000) {
      const many = Math.min(4_000, from + count - at);
      const parts = Array.from({ length: many }, (_, i) => ({ counter: at + i, shard: nothing }));
      await peer.say({ type: 'cast', job, timeLeft: 0, priority: 128, args: nothing, parts });
    }
    await this.clock.pass(10);
  }
}

let world: World;
beforeEach(async () => void (world = await new World().start()));

const exits = ({ heard }: Peer): string[] =>
  heard.flatMap((message) =>
    message.type === 'exit' ? `${message.counter} ${message.code} by ${message.detail}: ${message.message}` : [],
  );

describe('an observer', () => {
  it('sees of a session whose link broke that it has none, and is not told as linked', async () => {
    const coordinator = await world.coordinator('report', 'hang', 1);
    coordinator.link.abort('reset');
    await world.clock.pass(500);
    const observer = await world.dial('observer');
    const { sessions } = (await observer.ask('node-sessions')) as { sessions: SessionFacts[] };
    expect(sessions).toMatchObject([{ coordinator: coordinator.incarnation, linked: false, jobs: 1 }]);
    expect(sessions[0]?.name).toBeUndefined();
  });

  it('sees the node, its sessions, and its jobs with whose they are, what they do, and for how long', async () => {
    const coordinator = await world.coordinator('report', 'stream', 1);
    await coordinator.say({ type: 'stream-start', counter: 1, rows: 10, bytes: 1_000 });
    await world.cast(coordinator, 'deaf', 2, 3);
    await world.clock.pass(2_000);
    const observer = await world.dial('observer');
    const facts = (await observer.ask('node-info')) as NodeFacts;
    expect(facts).toMatchObject({
      node: 'w1',
      incarnation: world.node.identity.incarnation,
      draining: false,
      logLevel: 'info',
      jobs: 4,
      sessions: 1,
      rows: 3,
      links: { coordinator: 1, observer: 1 },
      lanes: { narrow: { running: 2, waiting: 1 } },
    });
    expect(facts.uptime).toBeGreaterThan(2_000);
    const { sessions } = (await observer.ask('node-sessions')) as { sessions: SessionFacts[] };
    expect(sessions).toEqual([
      {
        coordinator: coordinator.incarnation,
        name: 'report',
        session: 1,
        state: 'open',
        linked: true,
        guarded: false,
        lease: expect.any(Number) as number,
        jobs: 4,
      },
    ]);
    expect(sessions[0]?.lease).toBeGreaterThan(3_500);
    const { jobs, more } = (await observer.ask('node-jobs')) as { jobs: JobFacts[]; more: number };
    expect(more).toBe(0);
    expect(jobs.map(({ job, state, rows, queue, name }) => [job, state, rows, queue, name])).toEqual([
      ['stream', 'streaming', 3, 'default', 'report'],
      ['deaf', 'running', 0, 'narrow', 'report'],
      ['deaf', 'running', 0, 'narrow', 'report'],
      ['deaf', 'queued', 0, 'narrow', 'report'],
    ]);
    expect(jobs[0]).toMatchObject({ ref: `${coordinator.incarnation}-1`, coordinator: coordinator.incarnation });
    expect(jobs[0]?.age).toBeGreaterThanOrEqual(2_000);
  });

  it('reads what has failed, with its age, and the configuration, without the secret', async () => {
    await world.coordinator('report', 'fails', 1);
    await world.clock.pass(700);
    const observer = await world.dial('observer');
    const errors = (await observer.ask('node-errors')) as { age: number }[];
    expect(errors).toMatchObject([{ job: 'fails', code: 'job_failed' }]);
    expect(errors[0]?.age).toBeGreaterThanOrEqual(700);
    const config = (await observer.ask('node-config')) as { constants: Constants; lanes: unknown };
    expect(config.constants).toEqual(tableOf());
    expect(config.lanes).toEqual({ narrow: { concurrency: 2, queue: 5_000 } });
    expect(codec.pack(config).includes(secret)).toBe(false);
  });

  it('gets of thousands of jobs the oldest, and how many more there are', async () => {
    const first = await world.coordinator('first', 'deaf', 5_000);
    await world.clock.pass(100);
    const second = await world.coordinator('second', 'hang', 10);
    const observer = await world.dial('observer');
    const ask = async (value?: unknown): Promise<[number, number, Set<string>]> => {
      const { jobs, more } = (await observer.ask('node-jobs', value)) as { jobs: JobFacts[]; more: number };
      return [jobs.length, more, new Set(jobs.map(({ coordinator }) => coordinator))];
    };
    expect(await ask()).toEqual([1_000, 4_010, new Set([first.incarnation])]);
    expect(await ask({ limit: 4_096 })).toEqual([4_096, 914, new Set([first.incarnation])]);
    expect(await ask({ coordinator: second.incarnation })).toEqual([10, 0, new Set([second.incarnation])]);
    expect(await ask({ job: 'hang', limit: 4 })).toEqual([4, 6, new Set([second.incarnation])]);
    expect(await observer.ask('node-sessions', { limit: 1 })).toMatchObject({ sessions: [{ name: 'first' }], more: 1 });
  });

  const changing = Object.entries(operations).flatMap(([name, { changes }]) =>
    changes ? [name as OperationName] : [],
  );
  it.each(changing)(
    'that asks for %s is refused in a sentence, keeps its link, and has changed nothing',
    async (name) => {
      const coordinator = await world.coordinator('c', 'hang', 2);
      const observer = await world.dial('observer');
      const values = {
        kill: { coordinator: coordinator.incarnation },
        drain: { ms: 0 },
        'log-level': { level: 'silent' },
      };
      const before = codec.pack({ ...((await observer.ask('node-info')) as object), uptime: 0 });
      const said = await observer.ask(name, values[name as keyof typeof values]);
      expect(said).toMatch(
        new RegExp(`^no: A node answers no request "${name}" of the role "observer": that is for an operator`),
      );
      await world.clock.pass(2_000);
      expect(observer.ended).toBeUndefined();
      expect(exits(coordinator)).toEqual([]);
      expect(world.noted.filter(({ event }) => event === 'operator')).toEqual([]);
      expect(codec.pack({ ...((await observer.ask('node-info')) as object), uptime: 0 })).toEqual(before);
    },
  );

  const own = ['heartbeat', 'session-ack', 'request'];
  const others = Object.keys(layouts).filter((type) => !own.includes(type)) as Message['type'][];
  it.each(others)('that says %s loses its link, and has changed nothing', async (type) => {
    const coordinator = await world.coordinator('c', 'hang', 2);
    const observer = await world.dial('observer');
    await observer.say(sample(type));
    await world.clock.pass(1_000);
    expect(observer.ended).toBe(CloseCode.forbidden);
    expect(exits(coordinator)).toEqual([]);
    expect(world.node.jobs).toHaveLength(4);
    expect(coordinator.ended).toBeUndefined();
  });
});

/** A message of a type, with fields that would do something if they could. */
function sample(type: Message['type']): Message {
  const fields = Object.keys(layouts[type].fields);
  const known: Record<string, unknown> = {
    counters: [1, 2],
    confirm: 1,
    session: 1,
    jobs: [],
    left: [],
    ok: true,
    trace: undefined,
    args: Buffer.of(),
    parts: [{ counter: 9, shard: Buffer.of() }],
  };
  const texts = new Set(['job', 'code', 'reason', 'detail', 'message', 'name', 'object']);
  const bytes = new Set(['value', 'batch', 'bytes', 'error']);
  const isBytes = (field: string): boolean => bytes.has(field) && !(field === 'bytes' && type !== 'object-chunk');
  const entries = fields.map((field) => [
    field,
    field in known ? known[field] : texts.has(field) ? 'hang' : isBytes(field) ? Buffer.of() : 1,
  ]);
  return { type, ...(Object.fromEntries(entries) as object) } as Message;
}

describe('an operator', () => {
  it('kills a job by its reference: its coordinator hears who and why, and nothing of it is left', async () => {
    const coordinator = await world.coordinator('c', 'hang', 3);
    const operator = await world.dial('operator', 'ann@desk');
    const refs = [`${coordinator.incarnation}-2`, `${coordinator.incarnation}-7`];
    expect(await operator.ask('kill', { refs, why: 'too slow' })).toEqual({ killed: 1, unknown: [refs[1]], left: [] });
    expect(exits(coordinator)).toEqual(['2 killed by operator ann@desk: Killed by the operator "ann@desk": too slow']);
    expect(world.node.jobs.sort()).toEqual(
      [1, 3].flatMap((counter) => [`${coordinator.incarnation}-${counter}`, `${coordinator.incarnation}-${counter}`]),
    );
    expect(world.noted).toContainEqual({
      event: 'operator',
      by: 'ann@desk',
      did: 'kill',
      refs: [refs[0]],
      why: 'too slow',
    });
    expect(await operator.ask('node-errors')).toMatchObject([
      { ref: refs[0], code: 'killed', detail: 'operator ann@desk' },
    ]);
  });

  it('kills all that a coordinator has: queued, running and deaf; what others have runs on, and so does its session', async () => {
    const [one, other] = [await world.coordinator('one', 'deaf', 5), await world.coordinator('other', 'hang', 2)];
    const operator = await world.dial('operator');
    expect(await operator.ask('kill', { coordinator: one.incarnation })).toEqual({ killed: 5, unknown: [], left: [] });
    expect(exits(one).map((exit) => exit.split(':')[0])).toEqual(
      [1, 2, 3, 4, 5].map((counter) => `${counter} killed by operator operator`),
    );
    expect(world.node.agent.jobs.of(one.incarnation)).toEqual([]);
    expect(world.node.jobs.every((ref) => ref.startsWith(other.incarnation))).toBe(true);
    expect([exits(other), one.ended]).toEqual([[], undefined]);
    await world.cast(one, 'hang', 6, 1);
    expect(world.node.agent.jobs.of(one.incarnation)).toHaveLength(1);
  });

  it('is told in time what a kill has not ended, and when it is asked again that it has', async () => {
    world = await new World().start(3_000);
    const coordinator = await world.coordinator('c', 'deaf', 1);
    const operator = await world.dial('operator');
    const ref = `${coordinator.incarnation}-1`;
    expect(await operator.ask('kill', { refs: [ref] })).toEqual({ killed: 0, unknown: [], left: [ref] });
    await world.clock.pass(1_800);
    expect(await operator.ask('kill', { refs: [ref] })).toEqual({ killed: 1, unknown: [], left: [] });
    expect(exits(coordinator)).toHaveLength(1);
  });

  it('drains the node: nothing new, what runs may end in its time, then it is gone', async () => {
    const coordinator = await world.coordinator('c', 'hang', 2);
    const operator = await world.dial('operator', 'ann');
    expect(await operator.ask('drain', { ms: 1_000 })).toEqual({ jobs: 2, ms: 1_000 });
    expect(coordinator.heard.at(-1)).toMatchObject({ type: 'go-away' });
    await world.cast(coordinator, 'hang', 3, 1);
    expect(exits(coordinator)).toEqual([expect.stringMatching(/^3 maintenance/)]);
    expect(await operator.ask('node-info')).toMatchObject({ draining: true, jobs: 2 });
    await world.clock.pass(2_000);
    expect(exits(coordinator)).toHaveLength(3);
    expect([operator.ended, coordinator.ended]).toEqual([CloseCode.goAway, CloseCode.goAway]);
    expect(world.node.jobs).toEqual([]);
    expect(world.noted).toContainEqual({ event: 'operator', by: 'ann', did: 'drain', ms: 1_000 });
  });

  it('that drains a node with nothing to do still reads the answer', async () => {
    const operator = await world.dial('operator');
    expect(await operator.ask('drain')).toEqual({ jobs: 0, ms: 30_000 });
    await world.clock.pass(100);
    expect(operator.ended).toBe(CloseCode.goAway);
  });

  it('sets the level of the log, and is told what it was', async () => {
    const operator = await world.dial('operator');
    expect(await operator.ask('log-level', { level: 'debug' })).toEqual({ before: 'info', level: 'debug' });
    expect(await operator.ask('log-level', { level: 'warn' })).toEqual({ before: 'debug', level: 'warn' });
    expect(await operator.ask('node-info')).toMatchObject({ logLevel: 'warn' });
  });

  it.each([
    ['kill', undefined, /refs, or all of one by coordinator/],
    ['kill', { refs: [], coordinator: '0123456789abcdef' }, /one of the two/],
    ['kill', { refs: ['nonsense'] }, /is no reference/],
    ['kill', { refs: 'nonsense' }, /"refs" is a list of at most 4096 texts/],
    ['kill', { refs: [], who: 'all' }, /no field "who", but refs, coordinator, why/],
    ['kill', ['all'], /takes a record of refs/],
    ['drain', { ms: -1 }, /"ms" is a whole number from 0/],
    ['log-level', {}, /"level" is missing/],
    ['log-level', { level: 'loud' }, /"level" is debug, info, warn, error, silent/],
    ['node-jobs', { limit: 0 }, /"limit" is a whole number from 1 to 4096/],
    ['kill', { refs: [], why: 'x'.repeat(300_000) }, /has 262144 bytes at most/],
    ['stats', undefined, /no request "stats" of the role "operator"; it answers ping, node-info/],
    ['weather', undefined, /no request "weather"/],
  ])('that asks wrongly for %s is told what is wrong (%#)', async (name, value, sentence) => {
    const coordinator = await world.coordinator('c', 'hang', 1);
    const operator = await world.dial('operator');
    expect(await operator.ask(name, value)).toMatch(sentence);
    expect([operator.ended, exits(coordinator)]).toEqual([undefined, []]);
  });

  it('that sends what cannot be unpacked loses its link, and the node goes on', async () => {
    const operator = await world.dial('operator');
    await operator.say({ type: 'request', id: 1, name: 'kill', value: Buffer.from([0x10, 0xc1]) });
    await world.clock.pass(10);
    expect(operator.ended).toBe(CloseCode.badValue);
    expect(await (await world.dial('observer')).ask('ping')).toBe('pong');
  });

  it('that asks for more kills than it may have open is cut off', async () => {
    world = await new World().start(60_000);
    const coordinator = await world.coordinator('c', 'deaf', 1);
    const operator = await world.dial('operator');
    const value = codec.pack({ coordinator: coordinator.incarnation });
    for (let id = 1; id <= 1_200; id += 1) {
      operator.channel.send({ type: 'request', id, name: 'kill', value });
      if (id % 600 === 0) await world.clock.pass(100);
    }
    expect(operator.ended).toBe(CloseCode.badState);
  });
});

describe('a coordinator', () => {
  it.each(['kill', 'drain', 'log-level', 'node-jobs', 'node-config'])('may not ask for %s', async (name) => {
    const victim = await world.coordinator('victim', 'hang', 1);
    const coordinator = await world.coordinator('c', 'hang', 1);
    expect(await coordinator.ask(name, { coordinator: victim.incarnation })).toMatch(
      /no request .* "coordinator"; it answers ping, stats, jobs, errors\./,
    );
    expect([exits(victim), coordinator.ended]).toEqual([[], undefined]);
  });
});
