import fc from 'fast-check';
import { layouts } from '../layouts.ts';
import type { Field, Fields } from '../layout.ts';
import type { Message, MessageType } from '../message.ts';

/**
 * The wire as somebody knows it who has read nothing but the specification: layouts are parsed from the words in which
 * it prints them, and messages are written in the most obvious way.
 */
export type Spoken =
  | { readonly is: 'uint'; readonly bytes: number }
  | { readonly is: 'flag' | 'bytes' | 'rest' }
  | { readonly is: 'text'; readonly most: number }
  | { readonly is: 'fixed'; readonly bytes: number }
  | { readonly is: 'optional'; readonly field: Spoken }
  | { readonly is: 'list'; readonly item: Spoken }
  | { readonly is: 'group'; readonly fields: readonly (readonly [string, Spoken])[] };

type Value = number | boolean | string | Uint8Array | readonly Value[] | { readonly [name: string]: Value };

const perhaps = 'u8, 0 or 1; behind 1: ';
const each = 'u32 count of at most 4096, then each: ';

/** What the words of one field mean. */
export function parse(says: string): Spoken {
  const bits = /^u(8|16|32|48)$/.exec(says)?.[1];
  const most = /^u16 length of at most (\d+), then UTF-8$/.exec(says)?.[1];
  const size = /^(\d+) bytes$/.exec(says)?.[1];
  if (size !== undefined) return { is: 'fixed', bytes: Number(size) };
  if (says.startsWith(perhaps)) return { is: 'optional', field: parse(says.slice(perhaps.length)) };
  if (bits !== undefined) return { is: 'uint', bytes: Number(bits) / 8 };
  if (most !== undefined) return { is: 'text', most: Number(most) };
  if (says === 'u8, 0 or 1') return { is: 'flag' };
  if (says === 'u32 length, then bytes') return { is: 'bytes' };
  if (says === 'bytes to the end') return { is: 'rest' };
  if (says.startsWith(each)) return { is: 'list', item: parse(says.slice(each.length)) };
  return { is: 'group', fields: parts(says).map(named) };
}

/** `name (words)` */
function named(part: string): [string, Spoken] {
  const [, name, words] = /^([a-zA-Z]+) \((.*)\)$/.exec(part) ?? [];
  if (name === undefined || words === undefined) throw new Error(`"${part}" is not in the language of layouts.`);
  return [name, parse(words)];
}

/** Splits at the commas that are in no parentheses. */
function parts(says: string): string[] {
  const found = [''];
  let depth = 0;
  for (const letter of says) {
    if (letter === '(') depth += 1;
    if (letter === ')') depth -= 1;
    if (letter === ',' && depth === 0) found.push('');
    else found.push(`${found.pop()}${letter}`);
  }
  return found.map((part) => part.trim());
}

/** Every message: its type, its tag and its fields, as the specification says them. */
export const spoken: readonly { type: MessageType; tag: number; fields: readonly (readonly [string, Spoken])[] }[] =
  Object.entries(layouts).map(([type, { tag, fields }]) => ({
    type: type as MessageType,
    tag,
    fields: Object.entries(fields as Fields<Record<string, unknown>>).map(([name, field]: [string, Field<unknown>]) => [
      name,
      parse(field.says),
    ]),
  }));

/** The bytes of a value. */
export function write(shape: Spoken, value: Value | undefined): Buffer {
  switch (shape.is) {
    case 'uint':
      return uint(value as number, shape.bytes);
    case 'flag':
      return uint(value === true ? 1 : 0, 1);
    case 'text':
      return Buffer.concat([uint(Buffer.byteLength(value as string), 2), Buffer.from(value as string)]);
    case 'bytes':
      return Buffer.concat([uint((value as Uint8Array).length, 4), value as Uint8Array]);
    case 'fixed':
    case 'rest':
      return Buffer.from(value as Uint8Array);
    case 'optional':
      return value === undefined ? uint(0, 1) : Buffer.concat([uint(1, 1), write(shape.field, value)]);
    case 'list':
      return list(shape.item, value as readonly Value[]);
    case 'group':
      return Buffer.concat(shape.fields.map(([name, field]) => write(field, (value as Record<string, Value>)[name])));
  }
}

function list(item: Spoken, values: readonly Value[]): Buffer {
  return Buffer.concat([uint(values.length, 4), ...values.map((value) => write(item, value))]);
}

function uint(value: number, size: number): Buffer {
  return Buffer.from(value.toString(16).padStart(2 * size, '0'), 'hex');
}

/** The bytes of a message. */
export function writeMessage(message: Message): Buffer {
  const { tag, fields } = spoken.find(({ type }) => type === message.type)!;
  const record = message as unknown as Record<string, Value>;
  return Buffer.concat([uint(tag, 1), ...fields.map(([name, shape]) => write(shape, record[name]))]);
}

/** Any value of a shape. */
export function arbitrary(shape: Spoken): fc.Arbitrary<unknown> {
  switch (shape.is) {
    case 'uint':
      return fc
        .oneof(fc.nat(300), fc.constantFrom(0, 1), fc.maxSafeNat())
        .map((value) => value % 2 ** (8 * shape.bytes));
    case 'flag':
      return fc.boolean();
    case 'text':
      return fc.oneof(
        fc.string({ unit: 'grapheme', maxLength: 12 }),
        fc.constantFrom('\ufeffmarked', '\0', 'x'.repeat(shape.most), 'é'.repeat(shape.most / 2)),
      );
    case 'bytes':
    case 'rest':
      return fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes));
    case 'fixed':
      return fc.uint8Array({ minLength: shape.bytes, maxLength: shape.bytes }).map((bytes) => Buffer.from(bytes));
    case 'optional':
      return fc.option(arbitrary(shape.field), { nil: undefined });
    case 'list':
      return fc.array(arbitrary(shape.item), { maxLength: 4 });
    case 'group':
      return fc.record(Object.fromEntries(shape.fields.map(([name, field]) => [name, arbitrary(field)])), {
        noNullPrototype: true,
      });
  }
}

/** Any message of one type. */
export function anyOf(type: MessageType): fc.Arbitrary<Message> {
  const { fields } = spoken.find((one) => one.type === type)!;
  return fc
    .record(Object.fromEntries(fields.map(([name, shape]) => [name, arbitrary(shape)])), { noNullPrototype: true })
    .map((record) => ({ type, ...record }) as unknown as Message);
}

/** Any message there is. */
export const anyMessage: fc.Arbitrary<Message> = fc.oneof(...spoken.map(({ type }) => anyOf(type)));
