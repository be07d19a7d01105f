import type { Message } from '@muster/rexi';
import { ValueCodec } from '@muster/rexi';
import { virtualClock } from '@muster/rexi/testing';
import fc from 'fast-check';
import { EventEmitter } from 'node:events';
import { Duplex } from 'node:stream';
import { describe, expect, it } from 'vitest';
import { JobsBench } from '../../test/jobs-bench.ts';
import type { Executors, JobEntry } from '../executor/executor.ts';
import { ExecutorProcess } from '../executor/executor-process.ts';
import { Outbox } from '../executor/outbox.ts';
import type { Keeper } from '../executor/pool-slot.ts';
import type { Spawned } from '../executor/spawn.ts';
import type { FromExecutor } from '../executor/words.ts';
import { executorWording } from '../executor/wording.ts';
import type { Hunter } from '../reaper/hunter.ts';

const codec = new ValueCodec();
const none = new Uint8Array(0);
const value = codec.pack('well');
const batch = codec.packRows([codec.snapshot({ i: 1 }), codec.snapshot({ i: 2 })]);
const table: JobEntry[] = [
  { name: 'call', stream: false, isolation: 'shared', lane: 'default' },
  { name: 'rows', stream: true, isolation: 'shared', lane: 'default' },
];

/** An executor whose socket says what a test writes, and an agent's job table on it: tasks 1 and 2 are functions, 3 and 4 streams. */
class Rig {
  readonly clock = virtualClock(1_000);
  readonly child: EventEmitter = new EventEmitter();
  readonly socket: Duplex = new Duplex({ read: () => undefined, write: (_chunk, _encoding, done) => done() });
  readonly executor: ExecutorProcess;
  readonly bench: JobsBench;
  loaded: readonly JobEntry[] = [];
  readonly fits: string[] = [];
  gone = '';
  killed = 0;
  /** The system takes a while to end it, and it goes on writing. */
  lingers = false;

  constructor() {
    const spawned = {
      child: this.child,
      socket: this.socket,
      prey: { pid: 1, start: 1, marker: '' },
    } as unknown as Spawned;
    const kill = (): Promise<void> => {
      this.killed += 1;
      if (!this.lingers) this.die();
      return Promise.resolve();
    };
    const hunter = { kill } as unknown as Hunter;
    const keeper: Keeper = {
      loaded: (jobs) => void (this.loaded = jobs),
      broken: () => undefined,
      fit: (_verdict, why) => void this.fits.push(why),
      ending: () => undefined,
      gone: (cause) => void (this.gone = cause),
    };
    this.executor = new ExecutorProcess({ id: 1, spawned, clock: this.clock, hunter, keeper });
    const executors: Executors = {
      jobs: new Map(table.map((entry) => [entry.name, entry])),
      acquire: () => Promise.resolve(this.executor),
      release: () => undefined,
      retire: () => undefined,
      close: () => Promise.resolve(),
    };
    this.bench = new JobsBench({ scripts: {}, use: executors });
  }

  die(): void {
    this.child.emit('exit', null, 'SIGKILL');
    this.socket.emit('close');
  }

  /** All four are under way, as far as an honest executor would bring them. */
  async begin(): Promise<this> {
    await this.bench.cast('call', [1, 2]);
    await this.bench.cast('rows', [3, 4]);
    for (const task of [1, 2, 3, 4]) this.say({ type: 'taken', task });
    for (const counter of [3, 4]) await this.bench.start(counter, 100, 10_000);
    return this;
  }

  write(bytes: Uint8Array): void {
    this.socket.emit('data', Buffer.from(bytes));
  }

  say(word: FromExecutor): void {
    this.write(wordBytes(word));
  }

  /** The executor is ended, if it has not been, and everything has been told. */
  async end(): Promise<void> {
    void this.executor.kill('the test is over');
    await this.bench.clock.settle();
    await this.clock.pass(1_000);
  }

  endsOf(counter: number): string[] {
    return this.bench.sent.flatMap((message) =>
      'counter' in message && message.counter === counter && ['reply', 'last', 'exit'].includes(message.type)
        ? [message.type === 'exit' ? `exit ${message.code}` : message.type]
        : [],
    );
  }
}

function wordBytes(word: FromExecutor): Uint8Array {
  const parts: Uint8Array[] = [];
  const sink = { cork: () => undefined, uncork: () => undefined, write: (part: Uint8Array) => parts.push(part) > 0 };
  const outbox = new Outbox(sink, () => undefined);
  executorWording.write(outbox, word);
  outbox.flush();
  return Buffer.concat(parts);
}

/** What a coordinator does with each message: it would close the session for what throws here. */
function read(messages: readonly Message[]): void {
  const rows = new Map<number, number>();
  const over = new Set<number>();
  for (const message of messages) {
    if (!('counter' in message)) continue;
    const { counter } = message;
    expect(over.has(counter)).toBe(false);
    if (message.type === 'rows') {
      expect(message.first).toBe(rows.get(counter) ?? 0);
      expect(message.count).toBeGreaterThan(0);
      codec.unpackRows(message.batch, message.count);
      rows.set(counter, message.first + message.count);
    }
    if (message.type === 'last') expect(message.rows).toBe(rows.get(counter) ?? 0);
    if ('value' in message) codec.unpack(message.value);
    if (message.type === 'exit' && message.error.length > 0) codec.unpack(message.error);
    if (['reply', 'last', 'exit'].includes(message.type)) over.add(counter);
  }
}

const failed = { code: 'job_failed', detail: '', message: 'm', error: none } as const;
const faults: readonly (readonly [string, Uint8Array])[] = [
  ['rows without a row', wordBytes({ type: 'rows', task: 3, count: 0, batch: codec.packRows([]) })],
  ['rows that are not as many as it counts', wordBytes({ type: 'rows', task: 3, count: 3, batch })],
  ['rows that cannot be read', wordBytes({ type: 'rows', task: 3, count: 1, batch: Uint8Array.of(1, 2, 3) })],
  [
    'progress that cannot be read',
    wordBytes({ type: 'notice', task: 1, ping: false, lines: [], value: Buffer.from('?') }),
  ],
  ['a line that cannot be read', wordBytes({ type: 'notice', task: 1, ping: false, lines: [none], value: none })],
  ['a reply that cannot be read', wordBytes({ type: 'reply', task: 1, keys: [], value: none })],
  ['an error that cannot be read', wordBytes({ type: 'failed', task: 1, ...failed, error: Uint8Array.of(9) })],
  ['a reply of a stream', wordBytes({ type: 'reply', task: 3, keys: [], value })],
  ['an end of rows of a function', wordBytes({ type: 'last', task: 1, keys: [], value })],
  ['a reply for a job that is not in it', wordBytes({ type: 'reply', task: 77, keys: [], value })],
  ['that a job stopped which nobody has asked to', wordBytes({ type: 'stopped', task: 1 })],
  ['a word of unknown type', Uint8Array.of(0, 0, 0, 1, 200)],
  ['a frame without an end', Uint8Array.of(0xff, 0xff, 0xff, 0xff, 1)],
  ['a frame without a word', Uint8Array.of(0, 0, 0, 0)],
  ['a word that is cut short', Uint8Array.of(0, 0, 0, 2, 2, 1)],
  ['a list of texts that it does not have', Uint8Array.of(0, 0, 0, 11, 4, 0, 0, 0, 0, 0, 3, 0xff, 0xff, 0xff, 0xff)],
  ['a table of jobs that is no JSON', wordBytes({ type: 'loaded', jobs: '{' })],
  ['a table of jobs that is none', wordBytes({ type: 'loaded', jobs: '[{"name":5}]' })],
  [
    'a table of jobs with a name that no message can say',
    wordBytes({ type: 'loaded', jobs: JSON.stringify([{ ...table[0], name: 'x'.repeat(129) }]) }),
  ],
];

describe('An executor that writes to its agent', () => {
  it.each(faults)('%s is ended, and its jobs with it in executor_lost', async (_what, bytes) => {
    const rig = await new Rig().begin();
    rig.write(bytes);
    rig.say({ type: 'reply', task: 2, keys: [], value });
    await rig.bench.clock.settle();
    expect(rig.killed).toBe(1);
    expect(rig.gone).toMatch(/^it was ended by SIGKILL: it wrote to its agent's socket: /);
    for (const counter of [1, 2, 3, 4]) expect(rig.endsOf(counter)).toEqual(['exit executor_lost']);
    expect(rig.bench.sent.at(-1)).toMatchObject({ detail: rig.gone });
    read(rig.bench.sent);
  });

  it('what none says is not heard any more while it dies, and what it had said before not twice', async () => {
    const rig = await new Rig().begin();
    rig.lingers = true;
    rig.write(Buffer.concat([wordBytes({ type: 'rows', task: 3, count: 2, batch }), Uint8Array.of(0, 0, 0, 0)]));
    rig.say({ type: 'reply', task: 2, keys: [], value });
    expect(rig.bench.sent.filter(({ type }) => type === 'rows')).toHaveLength(1);
    rig.die();
    await rig.bench.clock.settle();
    for (const counter of [1, 2, 3, 4]) expect(rig.endsOf(counter)).toEqual(['exit executor_lost']);
    read(rig.bench.sent);
  });

  it('two ends of one job is ended; the first stands', async () => {
    const rig = await new Rig().begin();
    for (let i = 0; i < 2; i += 1) rig.say({ type: 'reply', task: 1, keys: [], value });
    await rig.bench.clock.settle();
    expect(rig.killed).toBe(1);
    expect([1, 2].map((counter) => rig.endsOf(counter))).toEqual([['reply'], ['exit executor_lost']]);
  });

  it('hundreds of kilobytes about what has spoiled it is heard of in a few words, once', async () => {
    const rig = await new Rig().begin();
    for (let i = 0; i < 3; i += 1) rig.say({ type: 'fit', verdict: 'spoiled', why: 'x'.repeat(500_000) });
    rig.child.emit('exit', 70, null);
    rig.socket.emit('close');
    await rig.bench.clock.settle();
    expect(rig.fits).toEqual(['x'.repeat(256)]);
    expect(rig.gone).toBe(`it exited with code 70: ${'x'.repeat(256)}`);
    expect(rig.endsOf(1)).toEqual(['exit executor_lost']);
  });

  it('a table of jobs twice is ended', () => {
    const rig = new Rig();
    for (let i = 0; i < 2; i += 1) rig.say({ type: 'loaded', jobs: JSON.stringify(table) });
    expect(rig.loaded).toEqual(table);
    expect(rig.killed).toBe(1);
  });

  it('a question of a job that has ended is answered, and lives on', async () => {
    const rig = await new Rig().begin();
    rig.say({ type: 'reply', task: 1, keys: [], value });
    rig.say({ type: 'request', task: 1, request: 1, operation: 'put', payload: none });
    await rig.bench.clock.settle();
    expect(rig.killed).toBe(0);
  });

  const task = fc.integer({ min: 0, max: 6 });
  const payload = fc.constantFrom(value, batch, none, Uint8Array.of(0x10), Uint8Array.of(0xff, 0, 1));
  const keys = fc.array(fc.string(), { maxLength: 2 });
  const word = fc.oneof(
    fc.record({ type: fc.constant('taken' as const), task }),
    fc.record({
      type: fc.constant('rows' as const),
      task,
      count: fc.constantFrom(0, 1, 2, 2, 2, 2 ** 32 - 1),
      batch: payload,
    }),
    fc.record({ type: fc.constant('rowKeys' as const), task, keys }),
    fc.record({ type: fc.constant('parked' as const), task, rows: fc.nat(5), bytes: fc.nat(500) }),
    fc.record({ type: fc.constant('reply' as const), task, keys, value: payload }),
    fc.record({ type: fc.constant('last' as const), task, keys, value: payload }),
    fc.record({
      type: fc.constant('failed' as const),
      task,
      code: fc.string(),
      detail: fc.string({ unit: 'binary' }),
      message: fc.string({ unit: 'binary', maxLength: 5_000 }),
      error: payload,
    }),
    fc.record({ type: fc.constant('stopped' as const), task }),
    fc.record({
      type: fc.constant('notice' as const),
      task,
      ping: fc.boolean(),
      lines: fc.array(payload, { maxLength: 3 }),
      value: payload,
    }),
    fc.record({ type: fc.constant('request' as const), task, request: fc.nat(), operation: fc.string(), payload }),
    fc.record({ type: fc.constant('loaded' as const), jobs: fc.oneof(fc.string(), fc.json()) }),
    fc.record({ type: fc.constant('broken' as const), message: fc.string(), stack: fc.string() }),
    fc.record({
      type: fc.constant('fit' as const),
      verdict: fc.constantFrom('clean', 'forked', 'spoiled'),
      why: fc.string(),
    }),
  );
  const bytes = fc.oneof(
    { weight: 8, arbitrary: word.map(wordBytes) },
    { weight: 1, arbitrary: fc.uint8Array({ maxLength: 60 }) },
    {
      weight: 1,
      arbitrary: fc
        .uint8Array({ minLength: 1, maxLength: 60 })
        .map((word) => Buffer.concat([Buffer.of(0, 0, 0, word.length), word])),
    },
  );

  it('anything at all ends nobody but itself, and each of its jobs once', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(bytes, { minLength: 1, maxLength: 12 }), async (writes) => {
        const rig = await new Rig().begin();
        for (const write of writes) {
          rig.write(write);
          await rig.bench.clock.settle();
        }
        await rig.end();
        read(rig.bench.sent);
        for (const counter of [1, 2, 3, 4]) expect(rig.endsOf(counter)).toHaveLength(1);
        expect(rig.bench.jobs.all).toEqual([]);
      }),
      { numRuns: 400 },
    );
  });
});
