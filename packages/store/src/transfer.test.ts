import { encodeMessage, ProtocolError } from '@muster/rexi';
import type { ObjectChunk, ObjectGet } from '@muster/rexi';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ObjectReceiver, type ReceiverOptions } from './object-receiver.ts';
import { ObjectSender } from './object-sender.ts';
import { pattern, same } from './testing/pattern.ts';
import { chunkBytes, defaultCredit, type ObjectAnswer, type ObjectAsk, type Outcome } from './transfer.ts';

const id = 7;
const get = (size: number, options: Partial<ReceiverOptions> = {}): ObjectReceiver =>
  new ObjectReceiver({ id, object: 'an.object', size, about: { key: 'k', store: 'n' }, ...options });
const chunk = (offset: number, bytes: Uint8Array): ObjectChunk => ({ type: 'object-chunk', id, offset, bytes });
const head = (size: number): ObjectAnswer => ({ type: 'object-head', id, size });

describe('the sender', () => {
  it('sends views on the object and copies nothing', () => {
    const bytes = pattern(100);
    const [, first] = new ObjectSender({ id, bytes, credit: 1000 }).open() as [ObjectAnswer, ObjectChunk];
    expect(first.bytes.buffer).toBe(bytes.buffer);
  });

  it('fills frames of 64 KiB to the last byte: head and first chunk the first, each chunk one of the rest', () => {
    const sent = new ObjectSender({ id, bytes: pattern(4 * chunkBytes), credit: defaultCredit }).open();
    const sizes = sent.map((message) => Buffer.concat(encodeMessage(message)).length + 5);
    expect(7 + (sizes[0] ?? 0) + (sizes[1] ?? 0)).toBe(64 * 1024);
    expect(sizes.slice(2, 5).map((size) => 7 + size)).toEqual([64 * 1024, 64 * 1024, 64 * 1024]);
  });

  it('stops at the credit and goes on with the acks', () => {
    const sender = new ObjectSender({ id, bytes: pattern(100), credit: 40, chunk: 20 });
    expect(total(sender.open())).toBe(24);
    expect(total(sender.ack(4))).toBe(20);
    expect(total(sender.ack(4))).toBe(0);
    expect(total(sender.ack(44))).toBe(40);
    expect(sender.done).toBe(false);
    expect(total(sender.ack(84))).toBe(16);
    expect(sender.done).toBe(true);
  });

  it('answers a get without credit with the head alone, and stays open', () => {
    const sender = new ObjectSender({ id, bytes: new Uint8Array(), credit: 0 });
    expect(sender.open()).toEqual([head(0)]);
    expect(sender.done).toBe(false);
  });

  it('refuses an ack beyond what was sent, and one that goes back', () => {
    const sender = new ObjectSender({ id, bytes: pattern(100), credit: 40, chunk: 20 });
    sender.open();
    expect(() => sender.ack(25)).toThrow(ProtocolError);
    sender.ack(24);
    expect(() => sender.ack(23)).toThrow(expect.objectContaining({ closeCode: 4005 }));
  });
});

describe('the receiver', () => {
  it('takes an empty object with its head', () => {
    const receiver = get(0);
    receiver.open();
    expect(receiver.on(head(0)).outcome).toEqual({ ok: true, value: new Uint8Array() });
  });

  it('acks when half the credit has been consumed, and the last bytes not at all', () => {
    const receiver = get(100, { credit: 40 });
    receiver.open();
    receiver.on(head(100));
    expect(receiver.on(chunk(0, pattern(19))).send).toEqual([]);
    expect(receiver.on(chunk(19, pattern(1))).send).toEqual([{ type: 'object-ack', id, bytes: 20 }]);
    expect(receiver.on(chunk(20, pattern(40))).send).toEqual([{ type: 'object-ack', id, bytes: 60 }]);
    expect(receiver.on(chunk(60, pattern(40)))).toMatchObject({ send: [], outcome: { ok: true } });
  });

  it('asks for nothing that is larger than it takes', () => {
    expect(get(1001, { limit: 1000 }).open()).toMatchObject({
      send: [],
      outcome: { ok: false, error: { code: 'full' } },
    });
  });

  it('allocates no more than has been earned, whatever size is claimed', () => {
    const before = process.memoryUsage().arrayBuffers;
    const receiver = get(2 ** 40, { limit: 2 ** 41, first: 1024 });
    receiver.open();
    receiver.on(head(2 ** 40));
    receiver.on(chunk(0, pattern(1025)));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });

  it('refuses an object of another size than its key says, and tells the holding side', () => {
    const receiver = get(100);
    receiver.open();
    expect(receiver.on(head(101))).toMatchObject({
      send: [{ type: 'object-end', id, code: 'cancelled' }],
      outcome: { ok: false, error: { code: 'bad_key', key: 'k', store: 'n' } },
    });
  });

  it.each(['missing', 'evicted', 'lost'] as const)('fails with `%s` when the holding side says so', (code) => {
    const receiver = get(100);
    receiver.open();
    expect(receiver.on({ type: 'object-end', id, code }).outcome).toMatchObject({
      error: { code, key: 'k', store: 'n' },
    });
  });

  it('takes a code that it does not know for `lost`', () => {
    const receiver = get(100);
    expect(receiver.on({ type: 'object-end', id, code: 'moved\n' }).outcome).toMatchObject({ error: { code: 'lost' } });
  });

  it.each([
    ['timeout', 1],
    ['cancelled', 1],
    ['closed', 1],
    ['lost', 0],
  ] as const)('gives up with `%s`, and tells whoever is left to be told', (code, told) => {
    const receiver = get(100);
    receiver.open();
    receiver.on(head(100));
    const { send, outcome } = receiver.on({ type: 'give-up', code });
    expect(send).toEqual([{ type: 'object-end', id, code: 'cancelled' }].slice(0, told));
    expect(outcome).toMatchObject({ ok: false, error: { code } });
  });

  it('ends once: nothing that comes later says anything', () => {
    const receiver = get(10);
    receiver.on(head(10));
    expect(receiver.on(chunk(0, pattern(10))).outcome?.ok).toBe(true);
    expect(receiver.on(chunk(0, pattern(10)))).toEqual({ send: [] });
    expect(receiver.on({ type: 'give-up', code: 'timeout' })).toEqual({ send: [] });
  });

  it.each<[string, ObjectAnswer[]]>([
    ['a chunk before the head', [chunk(0, pattern(1))]],
    ['a second head', [head(100), head(100)]],
    ['a gap', [head(100), chunk(1, pattern(10))]],
    ['a repeated chunk', [head(100), chunk(0, pattern(10)), chunk(0, pattern(10))]],
    ['an empty chunk', [head(100), chunk(0, pattern(0))]],
    ['more bytes than announced', [head(100), chunk(0, pattern(101))]],
    ['more than the credit', [head(100), chunk(0, pattern(51))]],
  ])('takes %s for a broken protocol', (_, messages) => {
    const receiver = get(100, { credit: 50 });
    receiver.open();
    const steps = messages.map((message) => receiver.on(message));
    expect(steps.at(-1)?.outcome).toMatchObject({
      ok: false,
      error: { code: 'corrupt' },
      violation: { closeCode: 4005 },
    });
  });
});

const transfers = fc.record({
  size: fc.nat(3_000),
  credit: fc.integer({ min: 1, max: 400 }),
  chunk: fc.integer({ min: 1, max: 300 }),
  first: fc.integer({ min: 1, max: 500 }),
  /** Which side's oldest message arrives next, again and again. */
  order: fc.array(fc.boolean(), { minLength: 1, maxLength: 50 }),
  /** The link is lost after so many messages. */
  lostAfter: fc.option(fc.nat(60), { nil: undefined }),
});

describe('a transfer, however its messages are timed and wherever its link is lost,', () => {
  it('brings the bytes or a typed error, and never has more than the credit under way', () => {
    fc.assert(
      fc.property(transfers, ({ size, credit, chunk: largest, first, order, lostAfter }) => {
        const bytes = pattern(size);
        const link = new Conversation(bytes, credit, largest, first);
        for (let moved = 0; link.outcome === undefined; moved += 1) {
          expect(moved).toBeLessThan(10_000);
          if (moved === lostAfter) link.lose();
          else link.step(order[moved % order.length] ?? true);
          expect(link.ahead).toBeLessThanOrEqual(credit);
        }
        if (link.outcome.ok) expect(same(link.outcome.value, bytes)).toBe(true);
        else expect(link.outcome.error.code).toBe('lost');
        expect(link.outcome.ok || lostAfter !== undefined).toBe(true);
      }),
      { numRuns: 1_000 },
    );
  });

  it('brings 100 MiB whole, copied once but for an eighth', () => {
    const bytes = pattern(100 * 2 ** 20);
    const link = new Conversation(bytes, defaultCredit, chunkBytes, 16 * 2 ** 20);
    while (link.outcome === undefined) link.step(true);
    expect(link.outcome.ok && same(link.outcome.value, bytes)).toBe(true);
  });
});

/** Both machines with a queue in each direction. */
class Conversation {
  outcome: Outcome<Uint8Array> | undefined;
  readonly #receiver: ObjectReceiver;
  readonly #bytes: Uint8Array;
  readonly #chunk: number;
  #sender: ObjectSender | undefined;
  #asks: ObjectAsk[] = [];
  #answers: ObjectAnswer[] = [];
  #sent = 0;
  #acked = 0;

  constructor(bytes: Uint8Array, credit: number, largest: number, first: number) {
    this.#bytes = bytes;
    this.#chunk = largest;
    this.#receiver = new ObjectReceiver({ id, object: 'an.object', size: bytes.length, credit, first });
    this.#asks.push(...this.#receiver.open().send);
  }

  /** Bytes that the sender is ahead of what has been acked to it. */
  get ahead(): number {
    return this.#sent - this.#acked;
  }

  /** One message arrives, at the asking side if `answers` and there is one. */
  step(answers: boolean): void {
    const answer = answers || this.#asks.length === 0 ? this.#answers.shift() : undefined;
    if (answer) return this.#atReceiver(this.#receiver.on(answer));
    const ask = this.#asks.shift();
    if (ask === undefined) throw new Error('Nothing is under way and nothing has ended: the transfer is stuck.');
    this.#atSender(ask);
  }

  lose(): void {
    this.#atReceiver(this.#receiver.on({ type: 'give-up', code: 'lost' }));
  }

  #atReceiver({ send, outcome }: { send: readonly ObjectAsk[]; outcome?: Outcome<Uint8Array> }): void {
    this.#asks.push(...send);
    this.outcome = outcome;
  }

  #atSender(ask: ObjectAsk): void {
    if (ask.type === 'object-get') return this.#opened(ask);
    if (ask.type !== 'object-ack' || this.#sender === undefined) throw new Error(`unexpected ${ask.type}`);
    this.#acked = ask.bytes;
    this.#note(this.#sender.ack(ask.bytes));
  }

  #opened({ credit }: ObjectGet): void {
    this.#sender = new ObjectSender({ id, bytes: this.#bytes, credit, chunk: this.#chunk });
    this.#note(this.#sender.open());
  }

  #note(messages: readonly ObjectAnswer[]): void {
    this.#answers.push(...messages);
    this.#sent += total(messages);
  }
}

function total(messages: readonly ObjectAnswer[]): number {
  return messages.reduce((sum, message) => sum + (message.type === 'object-chunk' ? message.bytes.length : 0), 0);
}
