import type { Role } from '../seams.ts';
import type { Fields } from './layout.ts';
import { bytes, fixed, flag, group, list, optional, rest, text, u16, u32, u48, u8 } from './layout.ts';
import type { Message, MessageType } from './message.ts';

/** Control passes body: it is never behind more than one frame of it. */
export type Lane = 'control' | 'body';

/** One message's place on the wire: its number, its lane, who may send it, and its fields in order. */
export interface Layout<M extends Message = Message> {
  readonly tag: number;
  readonly lane: Lane;
  /** Roles that may send it. `worker` is the listening side of a node. */
  readonly from: readonly Role[];
  readonly fields: Fields<Omit<M, 'type'>>;
}

const name = text(128);
const sentence = text(4096);
const coordinator: readonly Role[] = ['coordinator'];
const guardian: readonly Role[] = ['guardian'];
const worker: readonly Role[] = ['worker'];
const askers: readonly Role[] = ['coordinator', 'peer'];
const everybody: readonly Role[] = ['coordinator', 'guardian', 'peer', 'worker', 'operator', 'observer'];

/** The whole wire in one table. Tags are for ever; new messages get new ones. */
export const layouts: { readonly [Type in MessageType]: Layout<Extract<Message, { type: Type }>> } = {
  'session-open': { tag: 1, lane: 'control', from: coordinator, fields: { session: u32 } },
  'session-accepted': {
    tag: 2,
    lane: 'control',
    from: worker,
    fields: { session: u32, stamp: u48, lease: u32, kill: u32, jobs: list(group({ name, stream: flag }), 3) },
  },
  'session-refused': { tag: 3, lane: 'control', from: worker, fields: { session: u32, code: name, reason: sentence } },
  cast: {
    tag: 4,
    lane: 'body',
    from: coordinator,
    fields: {
      job: name,
      timeLeft: u32,
      priority: u8,
      inlineUpTo: optional(u32),
      trace: optional(group({ id: fixed(16), span: fixed(8), flags: u8, state: text(512), correlation: text(512) })),
      args: bytes,
      parts: list(group({ counter: u48, shard: bytes }), 10),
    },
  },
  'stream-start': { tag: 5, lane: 'control', from: coordinator, fields: { counter: u48, rows: u32, bytes: u32 } },
  'stream-cancel': { tag: 6, lane: 'control', from: coordinator, fields: { counter: u48 } },
  ack: { tag: 7, lane: 'control', from: coordinator, fields: { counter: u48, rows: u48, bytes: u48 } },
  kill: {
    tag: 8,
    lane: 'control',
    from: ['coordinator', 'guardian'],
    fields: { confirm: u32, grace: u16, counters: list(u48, 6) },
  },
  killed: { tag: 9, lane: 'control', from: worker, fields: { confirm: u32 } },
  renew: { tag: 10, lane: 'control', from: ['coordinator', 'guardian'], fields: { session: u32, stamp: u48 } },
  guard: { tag: 11, lane: 'control', from: guardian, fields: { number: u32 } },
  fence: { tag: 12, lane: 'control', from: guardian, fields: {} },
  fenced: { tag: 13, lane: 'control', from: worker, fields: { killed: u32, left: list(u48, 6) } },
  end: { tag: 14, lane: 'control', from: guardian, fields: { session: u32 } },
  ended: { tag: 15, lane: 'control', from: worker, fields: { session: u32 } },
  reply: { tag: 16, lane: 'body', from: worker, fields: { counter: u48, value: rest } },
  last: { tag: 17, lane: 'body', from: worker, fields: { counter: u48, rows: u48, value: rest } },
  exit: {
    tag: 18,
    lane: 'body',
    from: worker,
    fields: { counter: u48, code: name, detail: sentence, message: sentence, error: rest },
  },
  'stream-init': { tag: 19, lane: 'control', from: worker, fields: { counter: u48 } },
  rows: { tag: 20, lane: 'body', from: worker, fields: { counter: u48, first: u48, count: u32, batch: rest } },
  ping: { tag: 21, lane: 'body', from: worker, fields: { counter: u48 } },
  progress: { tag: 22, lane: 'body', from: worker, fields: { counter: u48, value: rest } },
  log: { tag: 23, lane: 'body', from: worker, fields: { counter: u48, value: rest } },
  heartbeat: { tag: 24, lane: 'control', from: everybody, fields: { stamp: u48 } },
  'session-ack': { tag: 25, lane: 'control', from: everybody, fields: { frame: u48 } },
  'go-away': { tag: 26, lane: 'control', from: ['worker', 'peer'], fields: { reason: sentence } },
  request: {
    tag: 27,
    lane: 'body',
    from: ['coordinator', 'peer', 'operator', 'observer'],
    fields: { id: u32, name, value: rest },
  },
  response: { tag: 28, lane: 'body', from: worker, fields: { id: u32, ok: flag, value: rest } },
  'object-get': { tag: 29, lane: 'control', from: askers, fields: { id: u32, object: name, credit: u32 } },
  'object-head': { tag: 30, lane: 'body', from: worker, fields: { id: u32, size: u48 } },
  'object-chunk': { tag: 31, lane: 'body', from: worker, fields: { id: u32, offset: u48, bytes: rest } },
  'object-ack': { tag: 32, lane: 'control', from: askers, fields: { id: u32, bytes: u48 } },
  'object-end': { tag: 33, lane: 'body', from: ['worker', 'coordinator', 'peer'], fields: { id: u32, code: name } },
  'session-resume': { tag: 34, lane: 'control', from: coordinator, fields: { session: u32, read: u48 } },
  'session-resumed': { tag: 35, lane: 'control', from: worker, fields: { session: u32, read: u48 } },
};
