import { describe, expect, it } from 'vitest';
import { CloseCode } from '../close-code.ts';
import type { Role } from '../seams.ts';
import { checkRole, laneOf } from './codec.ts';
import { layouts } from './layouts.ts';
import type { MessageType } from './message.ts';

const roles: readonly Role[] = ['coordinator', 'guardian', 'peer', 'worker', 'operator', 'observer'];

/** Who may say what: c, g, p, w, o and b(observer), in the order of `roles`; a dot may not. */
const allowed: Readonly<Record<MessageType, string>> = {
  'session-open': 'c.....',
  'session-accepted': '...w..',
  'session-refused': '...w..',
  cast: 'c.....',
  'stream-start': 'c.....',
  'stream-cancel': 'c.....',
  ack: 'c.....',
  kill: 'cg....',
  killed: '...w..',
  renew: 'cg....',
  guard: '.g....',
  fence: '.g....',
  fenced: '...w..',
  end: '.g....',
  ended: '...w..',
  reply: '...w..',
  last: '...w..',
  exit: '...w..',
  'stream-init': '...w..',
  rows: '...w..',
  ping: '...w..',
  progress: '...w..',
  log: '...w..',
  heartbeat: 'cgpwob',
  'session-ack': 'cgpwob',
  'go-away': '..pw..',
  request: 'c.p.ob',
  response: '...w..',
  'object-get': 'c.p...',
  'object-head': '...w..',
  'object-chunk': '...w..',
  'object-ack': 'c.p...',
  'object-end': 'c.pw..',
};

/** Rows, casts and values, and whatever has to stay behind them. Everything else may overtake. */
const body: readonly MessageType[] = [
  'cast',
  'reply',
  'last',
  'exit',
  'rows',
  'ping',
  'progress',
  'log',
  'request',
  'response',
  'object-head',
  'object-chunk',
  'object-end',
];

const types = Object.keys(allowed) as MessageType[];

it('the table has every message', () => {
  expect(types.toSorted()).toEqual(Object.keys(layouts).toSorted());
});

describe.each(types)('%s', (type) => {
  it.each(roles.map((role, index) => [role, allowed[type][index] !== '.'] as const))('from a %s: %s', (role, may) => {
    const check = (): void => checkRole(role, type);
    if (may) expect(check).not.toThrow();
    else expect(check).toThrow(expect.objectContaining({ closeCode: CloseCode.forbidden }));
  });

  it(`travels in the lane for ${body.includes(type) ? 'body' : 'control'}`, () => {
    expect(laneOf(type)).toBe(body.includes(type) ? 'body' : 'control');
  });
});

it('tags are unique, and as many as there are messages', () => {
  const tags = Object.values(layouts).map(({ tag }) => tag);
  expect(new Set(tags).size).toBe(types.length);
  expect(Math.max(...tags)).toBe(types.length);
});

it('there is no role and no message that the codec makes up', () => {
  expect(() => checkRole('admin' as Role, 'kill')).toThrow(expect.objectContaining({ closeCode: CloseCode.forbidden }));
  for (const type of ['constructor', '__proto__', 'toString']) {
    expect(() => laneOf(type as MessageType)).toThrow(TypeError);
  }
});
