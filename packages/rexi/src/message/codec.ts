import { CloseCode } from '../close-code.ts';
import { ProtocolError } from '../errors.ts';
import type { Role } from '../seams.ts';
import type { Field, Fields } from './layout.ts';
import { malformed, Reader, u8, Writer } from './layout.ts';
import type { Lane, Layout } from './layouts.ts';
import { layouts } from './layouts.ts';
import type { Message, MessageType } from './message.ts';

interface Entry {
  readonly type: MessageType;
  readonly layout: Layout;
  readonly fields: readonly (readonly [string, Field<unknown>])[];
}

const entries = (Object.entries(layouts) as unknown as [MessageType, Layout][]).map(([type, layout]): Entry => ({
  type,
  layout,
  fields: Object.entries(layout.fields as Fields<Record<string, unknown>>),
}));
const byType: ReadonlyMap<MessageType, Entry> = new Map(entries.map((entry) => [entry.type, entry]));
const byTag: readonly (Entry | undefined)[] = entries.reduce<(Entry | undefined)[]>((table, entry) => {
  table[entry.layout.tag] = entry;
  return table;
}, []);
const writer = new Writer();

/** A message as bytes: its tag and fields, then the payload uncopied where it has one. */
export function encodeMessage(message: Message): Uint8Array[] {
  const { layout, fields } = entryOf(message.type);
  writer.reset();
  u8.write(writer, layout.tag);
  for (const [name, field] of fields) field.write(writer, message[name as keyof Message]);
  return writer.finish();
}

/** @throws ProtocolError `badMessage` for an unknown tag, a field that does not fit, or bytes left over. */
export function decodeMessage(bytes: Uint8Array): Message {
  const reader = new Reader(bytes);
  const tag = u8.read(reader);
  const entry = byTag[tag];
  if (entry === undefined) throw malformed(`has the unknown tag ${tag}`);
  const message: Record<string, unknown> = { type: entry.type };
  for (const [name, field] of entry.fields) message[name] = field.read(reader);
  if (reader.at !== reader.bytes.length) throw malformed(`has ${reader.bytes.length - reader.at} bytes too many`);
  return message as unknown as Message;
}

export function laneOf(type: MessageType): Lane {
  return entryOf(type).layout.lane;
}

/** @throws ProtocolError `forbidden` when a peer of this role may not send this message. */
export function checkRole(role: Role, type: MessageType): void {
  if (!entryOf(type).layout.from.includes(role)) {
    throw new ProtocolError(CloseCode.forbidden, `A ${role} may not send "${type}".`);
  }
}

function entryOf(type: MessageType): Entry {
  const entry = byType.get(type);
  if (entry === undefined) throw new TypeError(`There is no message "${type}".`);
  return entry;
}
