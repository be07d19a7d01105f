import type { Trace } from '@muster/rexi';
import type { Fields } from './inbox.ts';
import { BadFrame } from './inbox.ts';
import { mostLines } from './notice.ts';
import type { Outbox } from './outbox.ts';
import type { FromExecutor, ToExecutor } from './words.ts';

/** One field: how it is written and how it is read. */
interface Field<T> {
  write(outbox: Outbox, value: T): void;
  read(fields: Fields): T;
}

const u32: Field<number> = { write: (outbox, value) => outbox.u32(value), read: (fields) => fields.u32() };
const u48: Field<number> = { write: (outbox, value) => outbox.u48(value), read: (fields) => fields.u48() };
const f64: Field<number> = { write: (outbox, value) => outbox.f64(value), read: (fields) => fields.f64() };
const flag: Field<boolean> = {
  write: (outbox, value) => outbox.u8(value ? 1 : 0),
  read: (fields) => fields.u8() !== 0,
};
const text: Field<string> = { write: (outbox, value) => outbox.text(value), read: (fields) => fields.text() };

const bytes: Field<Uint8Array> = {
  write(outbox, value) {
    outbox.u32(value.length);
    outbox.bytes(value);
  },
  read: (fields) => fields.bytes(),
};

/** Byte strings, as many as there can be lines of one notice: all that are held, and one for those that were dropped. */
const lines: Field<readonly Uint8Array[]> = {
  write(outbox, values) {
    outbox.u32(values.length);
    for (const value of values) bytes.write(outbox, value);
  },
  read(fields) {
    const count = fields.u32();
    if (count > mostLines + 1) throw new BadFrame(`a notice of ${count} lines; the limit is ${mostLines + 1}`);
    return Array.from({ length: count }, () => fields.bytes());
  },
};

/** More references than this no value has room for. */
const mostTexts = 2 ** 17;

const texts: Field<readonly string[]> = {
  write(outbox, values) {
    outbox.u32(values.length);
    for (const value of values) outbox.text(value);
  },
  read(fields) {
    const values: string[] = [];
    const count = fields.u32();
    if (count > mostTexts) throw new BadFrame(`a list of ${count} texts; the limit is ${mostTexts}`);
    while (values.length < count) values.push(fields.text());
    return values;
  },
};

function oneOf<const T extends string>(...values: readonly T[]): Field<T> {
  return {
    write: (outbox, value) => outbox.u8(values.indexOf(value)),
    read(fields) {
      const value = values[fields.u8()];
      if (value === undefined) throw new BadFrame('a field with none of its values');
      return value;
    },
  };
}

function optional<T>(field: Field<T>): Field<T | undefined> {
  return {
    write(outbox, value) {
      outbox.u8(value === undefined ? 0 : 1);
      if (value !== undefined) field.write(outbox, value);
    },
    read: (fields) => (fields.u8() === 0 ? undefined : field.read(fields)),
  };
}

/** None of its texts is ever empty. */
const trace: Field<Trace> = {
  write(outbox, { traceparent = '', tracestate = '', correlationId = '' }) {
    for (const part of [traceparent, tracestate, correlationId]) outbox.text(part);
  },
  read(fields) {
    const [traceparent, tracestate, correlationId] = [fields.text(), fields.text(), fields.text()];
    return {
      ...(traceparent !== '' && { traceparent }),
      ...(tracestate !== '' && { tracestate }),
      ...(correlationId !== '' && { correlationId }),
    };
  },
};

/** Fields in their order, and the payload that takes the rest of the frame, if there is one. */
interface Layout<W> {
  readonly fields: { readonly [Name in Exclude<keyof W, 'type' | Payload>]-?: Field<W[Name]> };
  readonly payload?: Payload & keyof W;
}

type Payload = 'args' | 'payload' | 'batch' | 'value' | 'error';
type Layouts<W extends { readonly type: string }> = {
  readonly [T in W['type']]: Layout<Extract<W, { readonly type: T }>>;
};

const toExecutor: Layouts<ToExecutor> = {
  init: { fields: { jobs: text, node: text, dataDir: text } },
  run: {
    fields: {
      task: u48,
      alone: flag,
      inlineUpTo: optional(u32),
      trace: optional(trace),
      timeLeft: f64,
      job: text,
      ref: text,
      shard: bytes,
    },
    payload: 'args',
  },
  start: { fields: { task: u48, rows: u48, bytes: u48 } },
  credit: { fields: { task: u48, rows: u48, bytes: u48 } },
  abort: { fields: { task: u48, reason: text } },
  answer: { fields: { request: u32, ok: flag }, payload: 'payload' },
  noted: { fields: { task: u48, taken: flag } },
};

const fromExecutor: Layouts<FromExecutor> = {
  loaded: { fields: { jobs: text } },
  broken: { fields: { message: text, stack: text } },
  taken: { fields: { task: u48 } },
  rows: { fields: { task: u48, count: u32 }, payload: 'batch' },
  rowKeys: { fields: { task: u48, keys: texts } },
  parked: { fields: { task: u48, rows: u48, bytes: u48 } },
  reply: { fields: { task: u48, keys: texts }, payload: 'value' },
  last: { fields: { task: u48, keys: texts }, payload: 'value' },
  failed: { fields: { task: u48, code: text, detail: text, message: text }, payload: 'error' },
  stopped: { fields: { task: u48 } },
  notice: { fields: { task: u48, ping: flag, lines }, payload: 'value' },
  request: { fields: { task: u48, request: u32, operation: text }, payload: 'payload' },
  fit: { fields: { verdict: oneOf('clean', 'forked', 'spoiled'), why: text } },
};

/** Writes and reads the words of one direction. */
export interface Wording<W> {
  write(outbox: Outbox, word: W): void;
  /** @throws BadFrame for a type or a field that there is not. */
  read(type: number, fields: Fields): W;
}

interface Compiled {
  readonly type: string;
  readonly code: number;
  readonly names: readonly string[];
  readonly fields: readonly Field<unknown>[];
  readonly payload: string | undefined;
}

function wording<W extends { readonly type: string }>(layouts: Layouts<W>): Wording<W> {
  const entries = Object.entries(layouts) as [string, Layout<W>][];
  const compiled = entries.map(([type, { fields, payload }], code): Compiled => ({
    type,
    code,
    names: Object.keys(fields),
    fields: Object.values<Field<unknown>>(fields),
    payload,
  }));
  const byType = new Map(compiled.map((layout) => [layout.type, layout]));
  return {
    write: (outbox, word) => writeWord(outbox, byType.get(word.type) as Compiled, word),
    read(code, fields) {
      const layout = compiled[code];
      if (layout === undefined) throw new BadFrame(`a frame of type ${code}`);
      return readWord(layout, fields) as W;
    },
  };
}

function writeWord(outbox: Outbox, layout: Compiled, word: Readonly<Record<string, unknown>>): void {
  outbox.open(layout.code);
  for (let i = 0; i < layout.fields.length; i++) {
    (layout.fields[i] as Field<unknown>).write(outbox, word[layout.names[i] as string]);
  }
  outbox.close(layout.payload === undefined ? undefined : (word[layout.payload] as Uint8Array));
}

function readWord(layout: Compiled, fields: Fields): unknown {
  const word: Record<string, unknown> = { type: layout.type };
  for (let i = 0; i < layout.fields.length; i++) {
    word[layout.names[i] as string] = (layout.fields[i] as Field<unknown>).read(fields);
  }
  if (layout.payload !== undefined) word[layout.payload] = fields.rest();
  return word;
}

export const agentWording: Wording<ToExecutor> = wording<ToExecutor>(toExecutor);
export const executorWording: Wording<FromExecutor> = wording<FromExecutor>(fromExecutor);
