import type { Message } from '@muster/rexi';
import { CloseCode, ClusterError, constants, ValueCodec } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import type { ClusterNode } from './node.ts';
import { Source } from './source.ts';

const codec = new ValueCodec();
const table = constants();

function bench(): {
  source: Source;
  said: Message[];
  heard: string[];
  time: { now: number };
  rows(first: number, ...values: unknown[]): number;
} {
  const said: Message[] = [];
  const heard: string[] = [];
  const time = { now: 0 };
  const node = { name: 'w1', send: (message: Message) => void said.push(message) } as unknown as ClusterNode;
  const note = (what: string) => (): void => void heard.push(what);
  const source = new Source({
    node,
    copy: 0,
    job: 'j',
    shard: 's',
    codec,
    constants: table,
    now: () => time.now,
    trace: () => undefined,
    ref: (counter) => `ref-${counter}`,
    events: {
      ready: note('ready'),
      changed: note('changed'),
      failed: (_source, error) => void heard.push(`failed ${error.code}`),
      progress: note('progress'),
      log: note('log'),
    },
  });
  source.counter = 5;
  const rows = (first: number, ...values: unknown[]): number => {
    const batch = codec.packRows(values.map((value) => codec.snapshot(value)));
    source.rows({ type: 'rows', counter: 5, first, count: values.length, batch });
    return batch.length;
  };
  return { source, said, heard, time, rows };
}

const violation = expect.objectContaining({ closeCode: CloseCode.badState }) as Error;

describe('the end of a stream at its coordinator', () => {
  it('rule 5: takes rows in order, and decodes them when they are read', () => {
    const { source, rows, heard } = bench();
    source.init();
    source.start({ rows: 10, bytes: 1_000 });
    rows(0, 'a', 'b');
    rows(2, 'c');
    source.last(3);
    expect([source.read(), source.exhausted, source.read(), source.exhausted, source.read()]).toEqual([
      ['a', 'b'],
      false,
      ['c'],
      true,
      undefined,
    ]);
    expect(heard).toEqual(['ready', 'changed', 'changed', 'changed']);
  });

  it.each([
    ['a gap', 1],
    ['a repetition', -1],
  ])('rule 5: takes %s for a violation', (_name, off) => {
    const { source, rows } = bench();
    source.start({ rows: 10, bytes: 1_000 });
    rows(0, 1, 2);
    expect(() => rows(2 + off, 3)).toThrow(violation);
  });

  it('rule 5: takes an end that does not count its rows for a violation', () => {
    const { source, rows } = bench();
    source.start({ rows: 10, bytes: 1_000 });
    rows(0, 1, 2);
    expect(() => source.last(3)).toThrow(violation);
  });

  it('takes rows before its start for a violation', () => {
    const { source, rows } = bench();
    source.init();
    expect(() => rows(0, 1)).toThrow(violation);
  });

  it('rule 4: takes rows or bytes beyond its window for a violation, but one row may exceed the bytes', () => {
    const one = bench();
    one.source.start({ rows: 2, bytes: 1_000 });
    one.rows(0, 1, 2);
    expect(() => one.rows(2, 3)).toThrow(violation);
    const two = bench();
    two.source.start({ rows: 9, bytes: 10 });
    two.rows(0, 'x'.repeat(50));
    expect(() => two.rows(1, 1)).toThrow(violation);
  });

  it('rule 4: acks in quarters of the window what was consumed, and not what is still held', () => {
    const { source, rows, said } = bench();
    source.start({ rows: 8, bytes: 10_000 });
    const size = rows(0, 1);
    rows(1, 2);
    rows(2, 3);
    source.read();
    source.consumed(false);
    expect(said.slice(1)).toEqual([]);
    source.read();
    source.consumed(true);
    expect(said.slice(1)).toEqual([]);
    source.consumed(false);
    expect(said.slice(1)).toEqual([{ type: 'ack', counter: 5, rows: 2, bytes: 2 * size }]);
  });

  it('rule 6: says every twenty seconds that it is still wanted, with totals unchanged', () => {
    const { source, rows, said, time } = bench();
    source.start({ rows: 8, bytes: 10_000 });
    rows(0, 1);
    source.read();
    time.now = table.stillWanted - 1;
    source.stillWanted();
    expect(said).toHaveLength(1);
    time.now = table.stillWanted;
    source.stillWanted();
    source.stillWanted();
    expect(said.slice(1)).toEqual([{ type: 'ack', counter: 5, rows: 0, bytes: 0 }]);
  });

  it('drops what has arrived when it is down, and says where and what it was', () => {
    const { source, rows, heard } = bench();
    source.start({ rows: 8, bytes: 10_000 });
    rows(0, 1);
    source.down(new ClusterError('down', 'gone'));
    expect([source.hasRows, source.state, heard.at(-1)]).toEqual([false, 'over', 'failed down']);
  });

  it('takes an exit whose error cannot be decoded for a violation', () => {
    const { source } = bench();
    const exit = {
      type: 'exit',
      counter: 5,
      code: 'job_failed',
      detail: '',
      message: 'x',
      error: Buffer.from([0xc1, 0xc1]),
    } as const;
    expect(() => source.exit(exit)).toThrow(expect.objectContaining({ code: 'protocol_error' }) as Error);
  });

  it('rule 6: is heard of by rows, pings and progress', () => {
    const { source, rows, time } = bench();
    source.start({ rows: 8, bytes: 10_000 });
    const heardAt = [() => rows(0, 1), () => source.ping(), () => source.progress(codec.pack(1))].map((say, i) => {
      time.now = 100 * (i + 1);
      say();
      return source.heard;
    });
    expect(heardAt).toEqual([100, 200, 300]);
  });
});
