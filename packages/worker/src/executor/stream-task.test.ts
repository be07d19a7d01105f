import type { Clock } from '@muster/rexi';
import { ValueCodec } from '@muster/rexi';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { VirtualClock } from '../../../rexi/src/testing/virtual-clock.ts';
import { virtualClock } from '../../../rexi/src/testing/virtual-clock.ts';
import type { JobContext } from '../job/context.ts';
import type { Totals } from './executor.ts';
import type { Host } from './host.ts';
import { StreamTask } from './stream-task.ts';
import { Turn } from './turn.ts';
import type { FromExecutor, Rows, Run } from './words.ts';

type Source = (args: unknown, ctx: JobContext) => AsyncGenerator;

/** A stream in a host that is nothing but a list of what was said. */
class Rig {
  readonly clock: VirtualClock = virtualClock();
  /** Milliseconds that the job's own code has taken, without the clock having moved. */
  spent = 0;
  /** The consumer acknowledges each batch in the next turn. */
  eager = false;
  /** It acknowledges a quarter of a large window at a time, as coordinators do. */
  quarters = false;
  #acked = 0;
  readonly said: FromExecutor[] = [];
  readonly codec: ValueCodec = new ValueCodec();
  readonly task: StreamTask;
  ends = 0;

  constructor(source: Source) {
    const clock: Clock = { ...this.clock, now: () => this.clock.now() + this.spent };
    const host = {
      clock,
      turn: new Turn(clock),
      codec: this.codec,
      send: (word: FromExecutor) => this.#hear(word),
      inside: (_task: unknown, run: () => unknown) => run(),
      congested: () => false,
      ended: () => void (this.ends += 1),
    } as unknown as Host;
    const nothing = new Uint8Array(0);
    const word: Run = {
      type: 'run',
      task: 1,
      alone: false,
      timeLeft: -1,
      job: 'j',
      ref: 'r',
      shard: nothing,
      args: nothing,
    };
    const job = {
      name: 'j',
      stream: true,
      isolation: 'shared',
      lane: 'default',
      schema: undefined,
      run: source,
    } as const;
    this.task = new StreamTask({ host, word, job, args: undefined });
    this.task.begin();
  }

  #hear(word: FromExecutor): void {
    this.said.push(word);
    if (word.type === 'rows' && this.eager) this.clock.soon(() => this.task.credit(this.sent));
    if (word.type === 'rows' && this.quarters) this.#ackQuarter();
  }

  #ackQuarter(): void {
    const { sent } = this;
    if (sent.bytes - this.#acked < large.bytes / 4) return;
    this.#acked = sent.bytes;
    this.clock.after(1, () => this.task.credit(sent));
  }

  get batches(): Rows[] {
    return this.said.filter((word) => word.type === 'rows');
  }

  get sent(): Totals {
    const bytes = this.batches.reduce((sum, { batch }) => sum + batch.length, 0);
    return { rows: this.batches.reduce((sum, { count }) => sum + count, 0), bytes };
  }

  get rows(): unknown[] {
    return this.batches.flatMap(({ batch, count }) => this.codec.unpackRows(batch, count));
  }

  /** Everything but rows and parking. */
  get end(): string[] {
    return this.said.map(({ type }) => type).filter((type) => type !== 'rows' && type !== 'parked');
  }
}

async function* count(rows: number, size: (row: number) => number = () => 1): AsyncGenerator {
  for (let row = 0; row < rows; row++) yield { row, text: 'x'.repeat(size(row)) };
  return rows;
}

const large: Totals = { rows: 4_096, bytes: 1_048_576 };

describe('a stream', () => {
  it('that is aborted and logs while it cleans up says nothing behind its end', async () => {
    const rig = new Rig(async function* (_args, ctx) {
      try {
        for (let row = 0; ; row++) yield row;
      } finally {
        ctx.log('closed');
        ctx.progress(1);
        ctx.ping();
      }
    });
    rig.task.start({ rows: 3, bytes: 1_000 });
    await rig.clock.pass(10);
    rig.task.abort('enough');
    await rig.clock.pass(100);
    expect(rig.end.at(-1)).toBe('stopped');
  });

  it('computes nothing before its start', async () => {
    let touched = false;
    const rig = new Rig(async function* () {
      touched = true;
      yield 1;
    });
    await rig.clock.pass(1_000);
    expect([touched, rig.said]).toEqual([false, []]);
    rig.task.start(large);
    await rig.clock.pass(10);
    expect([touched, rig.rows, rig.end]).toEqual([true, [1], ['last']]);
  });

  it('sends its first row at once and the others together', async () => {
    const rig = new Rig(() => count(2_000));
    rig.task.start(large);
    await rig.clock.pass(10);
    expect(rig.sent.rows).toBe(2_000);
    expect(rig.batches[0]?.count).toBe(1);
    expect(rig.batches.length).toBeLessThan(6);
  });

  it.each([
    ['text', (row: number) => ({ row, text: 'x'.repeat(10_000) })],
    ['binaries', (row: number) => ({ row, bytes: Buffer.alloc(10_000) })],
  ])('fills its batches with large rows of %s, and sends no crumbs behind them', async (_what, make) => {
    const rig = new Rig(async function* () {
      for (let row = 0; row < 600; row++) yield make(row);
    });
    rig.quarters = true;
    rig.task.start(large);
    await rig.clock.pass(50);
    expect(rig.sent.rows).toBe(600);
    expect(rig.batches.filter(({ count }) => count < 5).length).toBeLessThan(20);
  });

  it('sends a row that comes alone in the turn in which it comes', async () => {
    const clock: { release?: () => void } = {};
    const rig = new Rig(async function* () {
      yield 1;
      await new Promise<void>((resolve) => (clock.release = resolve));
    });
    rig.task.start(large);
    await rig.clock.settle();
    expect(rig.rows).toEqual([1]);
  });

  it('lets rows that trickle wait for company while the consumer is busy, for a moment only', async () => {
    const rig = new Rig(async function* () {
      for (let row = 0; row < 5; row++) {
        yield row;
        await new Promise<void>((resolve) => rig.clock.after(1, resolve));
      }
      await new Promise(() => undefined);
    });
    rig.task.start(large);
    await rig.clock.pass(20);
    expect(rig.rows).toEqual([0, 1, 2, 3, 4]);
    expect(rig.batches.length).toBeLessThan(5);
  });

  it('gives way while rows are costly, although it never awaits', async () => {
    let leftBehind = 0;
    const rig = new Rig(async function* () {
      for (let row = 0; row < 100; row++) {
        rig.spent += 1;
        leftBehind = Math.max(leftBehind, row - rig.sent.rows);
        yield row;
      }
    });
    rig.eager = true;
    rig.task.start(large);
    await rig.clock.settle();
    expect([rig.sent.rows, rig.end]).toEqual([100, ['last']]);
    expect(leftBehind).toBeLessThan(10);
  });

  it('parks without credit, says what it has seen, and goes on by itself', async () => {
    const rig = new Rig(() => count(10));
    rig.task.start({ rows: 4, bytes: 1_000_000 });
    await rig.clock.pass(10);
    expect([rig.sent.rows, rig.said.at(-1)]).toEqual([4, { type: 'parked', task: 1, rows: 0, bytes: 0 }]);
    const acked = rig.sent;
    rig.task.credit(acked);
    await rig.clock.pass(10);
    expect([rig.sent.rows, rig.said.at(-1)]).toEqual([8, { type: 'parked', task: 1, ...acked }]);
    rig.task.credit(rig.sent);
    await rig.clock.pass(10);
    expect([rig.sent.rows, rig.end]).toEqual([10, ['last']]);
  });

  it('lets one row exceed the bytes, alone', async () => {
    const rig = new Rig(() => count(3, () => 10_000));
    rig.task.start({ rows: 100, bytes: 100 });
    await rig.clock.pass(10);
    expect(rig.batches.map((batch) => batch.count)).toEqual([1]);
    rig.task.credit(rig.sent);
    await rig.clock.pass(10);
    expect(rig.batches.map((batch) => batch.count)).toEqual([1, 1]);
  });

  it('keeps rows as they were when they were yielded', async () => {
    const rig = new Rig(async function* () {
      const row = { n: 0, big: new Uint8Array(10_000) };
      for (; row.n < 3; row.n++) {
        row.big.fill(row.n);
        yield row;
      }
    });
    rig.task.start(large);
    await rig.clock.pass(10);
    expect((rig.rows as { n: number; big: Uint8Array }[]).map(({ n, big }) => [n, big[9_999]])).toEqual([
      [0, 0],
      [1, 1],
      [2, 2],
    ]);
  });

  it('delivers what was yielded before a throw, and fails once', async () => {
    const rig = new Rig(async function* () {
      yield 1;
      yield 2;
      throw new Error('no more');
    });
    rig.task.start(large);
    await rig.clock.pass(10);
    expect([rig.rows, rig.end, rig.ends]).toEqual([[1, 2], ['failed'], 1]);
  });

  it('fails with the path of what cannot travel, and ends the generator', async () => {
    let cleaned = false;
    const rig = new Rig(async function* () {
      try {
        yield { a: { b: () => 1 } };
      } finally {
        cleaned = true;
      }
    });
    rig.task.start(large);
    await rig.clock.pass(10);
    expect(rig.said.at(-1)).toMatchObject({
      type: 'failed',
      code: 'not_serializable',
      message: expect.stringContaining('a.b') as string,
    });
    expect(cleaned).toBe(true);
  });

  it('stops when aborted, however many yields its clean-up has', async () => {
    const rig = new Rig(async function* (_args, { signal }) {
      try {
        yield 1;
        await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(signal.reason as Error)));
      } finally {
        yield 2;
        yield 3;
      }
    });
    rig.task.start(large);
    await rig.clock.settle();
    rig.task.abort('enough');
    await rig.clock.pass(10);
    expect([rig.rows, rig.end, rig.ends]).toEqual([[1], ['stopped'], 1]);
  });
});

interface Plan {
  readonly rows: number;
  readonly sizes: readonly number[];
  readonly window: Totals;
  readonly steps: readonly ('ack all' | 'ack half' | 'abort' | 'turn' | 'time')[];
  readonly slow: boolean;
}

const plan: fc.Arbitrary<Plan> = fc.record({
  rows: fc.nat(60),
  sizes: fc.array(fc.oneof(fc.nat(50), fc.nat(5_000)), { minLength: 1, maxLength: 8 }),
  window: fc.record({ rows: fc.integer({ min: 1, max: 40 }), bytes: fc.integer({ min: 1, max: 8_000 }) }),
  steps: fc.array(fc.constantFrom('ack all', 'ack half', 'ack all', 'turn', 'time', 'abort'), { maxLength: 40 }),
  slow: fc.boolean(),
});

/** Checks the promise made with the window, at this very moment. */
function checkWindow(rig: Rig, acked: Totals, window: Totals): void {
  const rows = rig.sent.rows - acked.rows;
  const bytes = rig.sent.bytes - acked.bytes;
  expect(rows).toBeLessThanOrEqual(window.rows);
  if (rows > 1) expect(bytes).toBeLessThanOrEqual(window.bytes);
}

async function follow({ rows, sizes, window, steps, slow }: Plan): Promise<void> {
  const rig: Rig = new Rig(async function* () {
    for (let row = 0; row < rows; row++) {
      if (slow) await new Promise<void>((resolve) => rig.clock.after(row % 3, resolve));
      yield { row, text: 'x'.repeat(sizes[row % sizes.length] as number) };
    }
  });
  let acked: Totals = { rows: 0, bytes: 0 };
  let read = 0;
  /** The consumer reads so many of the batches that it has not read. */
  const ack = (batches: number): void => {
    read += batches;
    const all = rig.batches.slice(0, read);
    acked = { rows: all.reduce((sum, b) => sum + b.count, 0), bytes: all.reduce((sum, b) => sum + b.batch.length, 0) };
    rig.task.credit(acked);
  };
  rig.task.start(window);
  for (const step of [...steps, ...Array<'ack all'>(rows + 2).fill('ack all')]) {
    const unread = rig.batches.length - read;
    if (step === 'ack all') ack(unread);
    else if (step === 'ack half') ack(Math.ceil(unread / 2));
    else if (step === 'abort') rig.task.abort('enough');
    else if (step === 'time') await rig.clock.pass(1);
    await rig.clock.settle();
    if (step === 'ack all') await rig.clock.pass(5);
    checkWindow(rig, acked, window);
  }
  const aborted = steps.includes('abort');
  expect((rig.rows as { row: number }[]).map(({ row }) => row)).toEqual(
    Array.from({ length: rig.sent.rows }, (_, row) => row),
  );
  expect(rig.end).toHaveLength(1);
  expect(rig.said.at(-1)?.type).toBe(rig.end[0]);
  if (!aborted) expect([rig.sent.rows, rig.end]).toEqual([rows, ['last']]);
  expect(rig.ends).toBe(1);
}

describe('any stream under any window', () => {
  it('never sends beyond it, sends a prefix in order, and ends exactly once', async () => {
    await fc.assert(fc.asyncProperty(plan, follow), { numRuns: 300 });
  });
});
