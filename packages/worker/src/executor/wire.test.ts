import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Fields } from './inbox.ts';
import { BadFrame, Inbox } from './inbox.ts';
import type { Sink } from './outbox.ts';
import { Outbox } from './outbox.ts';
import type { FromExecutor, ToExecutor } from './words.ts';
import type { Wording } from './wording.ts';
import { agentWording, executorWording } from './wording.ts';

const bytes = fc.oneof(
  fc.uint8Array({ maxLength: 40 }),
  fc.nat(20_000).map((size) => new Uint8Array(size).fill(7)),
);
const task = fc.nat(2 ** 48 - 1);
const keys = fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 5 });
const totals = { rows: task, bytes: task };

const said: fc.Arbitrary<FromExecutor> = fc.oneof(
  fc.record({ type: fc.constant('taken' as const), task }),
  fc.record({ type: fc.constant('rows' as const), task, count: fc.nat(), batch: bytes }),
  fc.record({ type: fc.constant('rowKeys' as const), task, keys }),
  fc.record({ type: fc.constant('parked' as const), task, ...totals }),
  fc.record({ type: fc.constant('reply' as const), task, keys, value: bytes }),
  fc.record({
    type: fc.constant('failed' as const),
    task,
    code: fc.string(),
    detail: fc.string(),
    message: fc.string(),
    error: bytes,
  }),
  fc.record({ type: fc.constant('request' as const), task, request: fc.nat(), operation: fc.string(), payload: bytes }),
  fc.record({
    type: fc.constant('fit' as const),
    verdict: fc.constantFrom('clean', 'forked', 'spoiled'),
    why: fc.string(),
  }),
);

const asked: fc.Arbitrary<ToExecutor> = fc.oneof(
  fc.record({
    type: fc.constant('run' as const),
    task,
    alone: fc.boolean(),
    inlineUpTo: fc.option(fc.nat(), { nil: undefined }),
    trace: fc.option(
      fc.record({ traceparent: fc.string({ minLength: 1 }), correlationId: fc.string({ minLength: 1 }) }),
      { nil: undefined },
    ),
    timeLeft: fc.double({ noNaN: true }),
    job: fc.string({ unit: 'grapheme' }),
    ref: fc.string(),
    shard: fc.uint8Array({ maxLength: 20 }),
    args: bytes,
  }),
  fc.record({ type: fc.constant('credit' as const), task, ...totals }),
  fc.record({ type: fc.constant('abort' as const), task, reason: fc.string() }),
  fc.record({ type: fc.constant('answer' as const), request: fc.nat(), ok: fc.boolean(), payload: bytes }),
);

/** Collects what is written, in one piece. */
function collector(): { sink: Sink; written: () => Buffer; writes: () => number } {
  const parts: Uint8Array[] = [];
  const sink: Sink = { cork: () => undefined, uncork: () => undefined, write: (part) => parts.push(part) > 0 };
  return { sink, written: () => Buffer.concat(parts), writes: () => parts.length };
}

/** Cuts a buffer at random places. */
function pieces(whole: Buffer, cuts: readonly number[]): Buffer[] {
  const places = [...new Set(cuts.map((cut) => cut % (whole.length + 1)))].toSorted((a, b) => a - b);
  return [0, ...places].map((from, index) => whole.subarray(from, places[index] ?? whole.length));
}

function plain<T>(words: readonly T[]): unknown[] {
  return words.map((word) =>
    Object.fromEntries(
      Object.entries(word as object).map(([name, value]) => [
        name,
        value instanceof Uint8Array ? Buffer.from(value).toString('latin1') : value,
      ]),
    ),
  );
}

function arrive<W>(words: fc.Arbitrary<W>, wording: Wording<W>): void {
  const run = (list: W[], cuts: number[]): void => {
    const { sink, written } = collector();
    const outbox = new Outbox(sink, () => undefined);
    for (const word of list) wording.write(outbox, word);
    outbox.flush();
    const read: W[] = [];
    const inbox = new Inbox(2 ** 20, (type, fields) => read.push(wording.read(type, fields)));
    for (const piece of pieces(written(), cuts)) inbox.push(piece);
    expect(plain(read)).toEqual(plain(list));
  };
  const cuts = fc.array(fc.nat(), { maxLength: 30 });
  fc.assert(fc.property(fc.array(words, { maxLength: 20 }), cuts, run), { numRuns: 200 });
}

describe('frames between agent and executor', () => {
  it('arrive as they were sent to the agent, however the stream is cut', () => {
    arrive(said, executorWording);
  });

  it('arrive as they were sent to the executor, however the stream is cut', () => {
    arrive(asked, agentWording);
  });

  it('leave in one write when they belong to one turn', () => {
    const { sink, writes } = collector();
    const flushes: (() => void)[] = [];
    const outbox = new Outbox(sink, (flush) => flushes.push(flush));
    for (let id = 0; id < 100; id++) executorWording.write(outbox, { type: 'taken', task: id });
    for (const flush of flushes) flush();
    expect([flushes.length, writes()]).toEqual([1, 1]);
  });

  const broken: readonly (readonly [string, Buffer])[] = [
    ['of no length', Buffer.from([0, 0, 0, 0])],
    ['beyond the limit', Buffer.from([0xff, 0, 0, 0])],
    ['of an unknown type', Buffer.from([0, 0, 0, 1, 99])],
    ['that ends within a field', Buffer.from([0, 0, 0, 2, 2, 0])],
    ['with a text longer than itself', Buffer.from([0, 0, 0, 9, 0, 0xff, 0xff, 0xff, 0xff, 1, 1, 1, 1])],
  ];
  it.each(broken)('are refused: one %s', (_name, frame) => {
    const inbox = new Inbox(1_000, (type: number, fields: Fields) => void executorWording.read(type, fields));
    expect(() => inbox.push(frame)).toThrow(BadFrame);
  });
});
