import { describe, expect, it } from 'vitest';
import { CloseCode } from '../close-code.ts';
import type { Role } from '../seams.ts';
import { checkRole, laneOf } from './codec.ts';
import { layouts } from './layouts.ts';
import type { MessageType } from './message.ts';
import { mayAsk, operations, operationsOf } from './operations.ts';
import type { OperationName } from './operations.ts';

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
  'session-resume': 'c.....',
  'session-resumed': '...w..',
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

/** Who may ask a node what, as above. */
const askable: Readonly<Record<OperationName, string>> = {
  ping: 'c.p.ob',
  stats: 'c.p...',
  jobs: 'c.p...',
  errors: 'c.p...',
  'node-info': '....ob',
  'node-sessions': '....ob',
  'node-jobs': '....ob',
  'node-errors': '....ob',
  'node-config': '....ob',
  kill: '....o.',
  drain: '....o.',
  'log-level': '....o.',
};

describe('a request', () => {
  it('is in the table, whatever it asks', () => {
    expect(Object.keys(askable).toSorted()).toEqual(Object.keys(operations).toSorted());
  });

  const cases = Object.entries(askable).flatMap(([name, who]) =>
    roles.map((role, index) => [name, role, who[index] !== '.'] as const),
  );
  it.each(cases)('for %s from a %s: %s', (name, role, may) => {
    expect(mayAsk(role, name)).toBe(may);
    expect(operationsOf(role).includes(name as OperationName)).toBe(may);
  });

  it('of an observer changes nothing, and only an operator may ask for what does', () => {
    for (const { changes, from } of Object.values(operations)) {
      if (changes) expect(from).toEqual(['operator']);
    }
    expect(operationsOf('observer').some((name) => operations[name].changes)).toBe(false);
  });

  it.each(['constructor', '__proto__', 'toString', ''])('for "%s" may be asked by nobody', (name) => {
    for (const role of roles) expect(mayAsk(role, name)).toBe(false);
  });
});

describe('an observer', () => {
  it('has no message but those that keep its link, and the question', () => {
    expect(types.filter((type) => allowed[type][roles.indexOf('observer')] !== '.')).toEqual([
      'heartbeat',
      'session-ack',
      'request',
    ]);
  });
});

it('there is no role and no message that the codec makes up', () => {
  expect(() => checkRole('admin' as Role, 'kill')).toThrow(expect.objectContaining({ closeCode: CloseCode.forbidden }));
  for (const type of ['constructor', '__proto__', 'toString']) {
    expect(() => laneOf(type as MessageType)).toThrow(TypeError);
  }
});
