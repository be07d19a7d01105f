import { defaults } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import type { HistoryEvent } from '../history/history.ts';
import { invariants } from './check.ts';
import { Chronicle } from './chronicle.ts';

type Line = readonly [ms: number, on: string, event: string, facts?: Readonly<Record<string, unknown>>];

/** A history, written by hand. */
function history(...lines: readonly Line[]): HistoryEvent[] {
  return lines.map(([ms, on, event, facts], seq) => ({ ...facts, seq, at: ms * 1e6, on, event }));
}

const ref = 'c-1';
const cast: Line = [
  1_000,
  'c1',
  'cast',
  { life: 1, incarnation: 'c', node: 'w1', session: 1, job: 'hang', refs: [ref] },
];
const begun: Line = [1_001, 'w1', 'job-begun', { ref, job: 'hang', life: 'w' }];
const over = (ms: number, how = 'stopped'): Line => [ms, 'w1', 'job-over', { ref, how }];
const guardian: Line = [500, 'c1', 'guardian-up', { incarnation: 'c', number: 1 }];
const guardianGone = (ms: number): Line => [ms, 'c1', 'guardian-gone', { incarnation: 'c', number: 1, exit: 0 }];
const died = (ms: number): Line => [ms, 'c1', 'coordinator-gone', { life: 1 }];
const fault = (ms: number, kind: string, hits: readonly string[], lasts = 0): Line => [
  ms,
  'faults',
  'fault',
  { kind, hits, ms: lasts },
];
const end: Line = [120_000, 'world', 'over', { peak: 0 }];
const asked = (facts: Readonly<Record<string, unknown>> = {}): Line => [
  1_000,
  'caller',
  'asked',
  { life: 1, request: 1, kind: 'rows', job: 'rows', parts: 1, count: 3, expected: ['complete'], ...facts },
];
const row = (ms: number, n: number, of = ref): Line => [ms, 'caller', 'row', { request: 1, ref: of, n }];
const answered = (ms: number, facts: Readonly<Record<string, unknown>> = { how: 'complete' }): Line => [
  ms,
  'caller',
  'answered',
  { request: 1, ...facts },
];
const left = (facts: Readonly<Record<string, unknown>> = {}): Line => [
  119_000,
  'world',
  'left',
  { node: 'w1', alive: [], jobs: [], tombstones: 0, ...facts },
];
const start = (rows: number, bytes: number): Line => [1_002, 'w1', 'job-start', { ref, rows, bytes }];
const made = (ms: number, count: number, bytes: number): Line => [ms, 'w1', 'job-rows', { ref, count, bytes }];
const credit = (ms: number, rows: number, bytes: number): Line => [ms, 'w1', 'job-credit', { ref, rows, bytes }];
const ended = (ms: number, how: string): Line => [
  ms,
  'c1',
  'ended',
  { life: 1, incarnation: 'c', node: 'w1', ref, how },
];
const killed = (ms: number): Line => [
  ms,
  'c1',
  'kill',
  { life: 1, incarnation: 'c', node: 'w1', refs: [ref], grace: 250 },
];
const renewed = (ms: number, left: number): Line => [
  ms,
  'w1',
  'renewed',
  { life: 'w', incarnation: 'c', session: 1, left },
];
const objectMade = (): Line => [1_300, 'caller', 'object-made', { key: 'k', ref, size: 900, kept: true }];
const told = (ms: number, facts: Readonly<Record<string, unknown>>): Line => [
  ms,
  'caller',
  'object-told',
  { key: 'k', kind: 'fetch', ...facts },
];
const storeTold = (ms: number, facts: Readonly<Record<string, unknown>>): Line => [ms, 'caller', 'stored-told', facts];
const sessionGone: Line = [5_000, 'w1', 'session-ended', { incarnation: 'c', session: 1, by: 'lease' }];
const kill = fault(5_000, 'kill-coordinator', ['c']);

/** For each invariant, what it says about a history that satisfies it and one that breaks it. */
const cases: Readonly<Record<string, { readonly holds: HistoryEvent[]; readonly breaks: HistoryEvent[] }>> = {
  noOrphans: {
    holds: history(guardian, cast, begun, died(5_000), guardianGone(5_010), over(10_900), end),
    breaks: history(guardian, cast, begun, died(5_000), guardianGone(5_010), over(11_500), end),
  },
  orphansEndAtOnce: {
    holds: history(guardian, cast, begun, kill, died(5_000), over(5_900), end),
    breaks: history(guardian, cast, begun, kill, died(5_000), over(6_100), end),
  },
  downEnds: {
    holds: history(
      guardian,
      cast,
      begun,
      ended(5_000, 'down'),
      [5_001, 'c1', 'guardian-ended', { incarnation: 'c', address: 'ws://w1:7101' }],
      over(11_500),
      end,
    ),
    breaks: history(
      guardian,
      cast,
      begun,
      ended(5_000, 'down'),
      [5_001, 'c1', 'guardian-ended', { incarnation: 'c', address: 'ws://w1:7101' }],
      over(12_000),
      end,
    ),
  },
  killedEnds: {
    holds: history(cast, begun, killed(5_000), over(6_200), end),
    breaks: history(cast, begun, killed(5_000), over(6_500), end),
  },
  hungLosesJobs: {
    holds: history(cast, begun, fault(20_000, 'stall-coordinator', ['c'], 40_000), over(55_000), end),
    breaks: history(cast, begun, fault(20_000, 'stall-coordinator', ['c'], 40_000), over(60_000), end),
  },
  guardiansLeave: {
    holds: history(guardian, cast, died(5_000), guardianGone(16_000), end),
    breaks: history(guardian, cast, died(5_000), guardianGone(17_000), end),
  },
  nothingLeft: {
    holds: history(guardian, guardianGone(5_000), left(), end),
    breaks: history(guardian, guardianGone(5_000), left({ tombstones: 1 }), end),
  },
  noRenewalAfterExpiry: {
    holds: history(renewed(1_000, 4_990), renewed(6_000, 4_990), end),
    breaks: history(renewed(1_000, 4_990), renewed(6_100, 4_990), end),
  },
  objectsAreAsPut: {
    holds: history(objectMade(), told(2_000, { size: 900, whole: ref }), told(3_000, { refused: 'evicted' }), end),
    breaks: history(objectMade(), told(2_000, { size: 899, whole: ref }), end),
  },
  objectsGoWithOwners: {
    holds: history(begun, over(1_200), objectMade(), sessionGone, told(7_000, { there: false, began: 6_990 }), end),
    breaks: history(begun, over(1_200), objectMade(), sessionGone, told(7_000, { there: true, began: 6_990 }), end),
  },
  objectsStay: {
    holds: history(begun, over(1_200), objectMade(), sessionGone, told(7_000, { refused: 'evicted' }), end),
    breaks: history(begun, over(1_200), objectMade(), told(4_000, { refused: 'evicted' }), sessionGone, end),
  },
  storedIsAsPut: {
    holds: history(
      storeTold(1_000, { what: 'put', key: 'k', size: 3 }),
      storeTold(1_100, { what: 'get', key: 'k', size: 3, whole: true }),
      fault(2_000, 'store-full', ['s'], 1_000),
      storeTold(2_100, { what: 'put', refused: 'full' }),
      [4_000, 'caller', 'stored-drop', { key: 'k' }],
      storeTold(4_100, { what: 'get', key: 'k', refused: 'missing' }),
    ),
    breaks: history(
      storeTold(1_000, { what: 'put', key: 'k', size: 3 }),
      storeTold(1_100, { what: 'get', key: 'k', refused: 'missing' }),
    ),
  },
  startsOnce: {
    holds: history(cast, begun, end),
    breaks: history(cast, begun, [2_000, 'w2', 'job-begun', { ref, job: 'hang' }], end),
  },
  noStartAfterFence: {
    holds: history(begun, [2_000, 'w1', 'fence', { life: 'w', incarnation: 'c' }]),
    breaks: history([900, 'w1', 'fence', { life: 'w', incarnation: 'c' }], begun),
  },
  noStartAfterSession: {
    holds: history(
      [800, 'w1', 'session-ended', { life: 'w', incarnation: 'c', session: 1, by: 'newer session' }],
      [900, 'w1', 'session-opened', { life: 'w', incarnation: 'c', session: 2 }],
      begun,
    ),
    breaks: history([900, 'w1', 'session-ended', { life: 'w', incarnation: 'c', session: 1, by: 'lease' }], begun),
  },
  registeredBeforeCast: {
    holds: history([600, 'c1', 'guardian-registered', { incarnation: 'c', to: 1 }], cast),
    breaks: history([600, 'c1', 'guardian-registered', { incarnation: 'c', to: 0 }], cast),
  },
  oneEnd: {
    holds: history(cast, ended(2_000, 'exit'), left(), end),
    breaks: history(cast, ended(2_000, 'exit'), ended(2_001, 'down'), left(), end),
  },
  rowsArePrefix: {
    holds: history(asked(), row(1_100, 0), row(1_101, 1), row(1_102, 2), answered(1_103)),
    breaks: history(asked(), row(1_100, 0), row(1_101, 2), row(1_102, 1), answered(1_103)),
  },
  nothingAfterTheEnd: {
    holds: history(asked(), row(1_100, 0), answered(1_103)),
    breaks: history(asked(), row(1_100, 0), answered(1_103), row(1_104, 1)),
  },
  windowHeld: {
    holds: history(start(2, 100), made(1_100, 2, 40), credit(1_200, 1, 20), made(1_300, 1, 20)),
    breaks: history(start(2, 100), made(1_100, 2, 40), credit(1_200, 1, 20), made(1_300, 2, 40)),
  },
  windowGranted: {
    holds: history(start(defaults.windowRows, defaults.windowBytes)),
    breaks: history(start(defaults.windowRows + 1, defaults.windowBytes)),
  },
  ackedWasDelivered: {
    holds: history(row(1_100, 0), row(1_101, 1), credit(1_200, 2, 40)),
    breaks: history(row(1_100, 0), credit(1_200, 2, 40)),
  },
  declaredErrors: {
    holds: history(asked(), answered(1_100, { how: 'error', code: 'job_failed', node: 'w1', ref, message: '' })),
    breaks: history(asked(), answered(1_100, { how: 'error', code: 'job_failed', message: '' })),
  },
  nothingUncaught: {
    holds: history(asked()),
    breaks: history([1, 'process', 'uncaught', { what: 'Error' }]),
  },
  noNeedlessKill: {
    holds: history(cast, begun, killed(2_000), over(2_001)),
    breaks: history(cast, begun, over(2_001)),
  },
  noNeedlessEnd: {
    holds: history(fault(9_000, 'partition', ['net w1'], 7_000), [
      15_000,
      'w1',
      'session-ended',
      { incarnation: 'c', session: 1, by: 'lease' },
    ]),
    breaks: history(fault(9_000, 'stall-coordinator', ['c'], 7_000), [
      15_000,
      'w1',
      'session-ended',
      { incarnation: 'c', session: 1, by: 'lease' },
    ]),
  },
  expectedOutcome: {
    holds: history(asked(), answered(1_100)),
    breaks: history(asked(), answered(1_100, { how: 'error', code: 'down', message: '' })),
  },
  everyRequestEnds: {
    holds: history([0, 'c1', 'coordinator-up', { life: 1 }], asked(), answered(1_100), [
      2_000,
      'world',
      'closed',
      { life: 1, done: true },
    ]),
    breaks: history([0, 'c1', 'coordinator-up', { life: 1 }], asked(), [
      2_000,
      'world',
      'closed',
      { life: 1, done: true },
    ]),
  },
  answeredInTime: {
    holds: history(asked(), answered(40_000), end),
    breaks: history(asked(), answered(50_000), end),
  },
  closes: {
    holds: history([2_000, 'world', 'closed', { life: 1, done: true }]),
    breaks: history([2_000, 'world', 'closed', { life: 1, done: false }]),
  },
  queuesBounded: {
    holds: history([2_000, 'world', 'over', { peak: 65_536 }]),
    breaks: history([2_000, 'world', 'over', { peak: 2 ** 26 }]),
  },
  coreLives: {
    holds: history([2_000, 'world', 'canary', { node: 'w1', how: 'complete' }]),
    breaks: history([2_000, 'world', 'canary', { node: 'w1', how: 'no answer within 1000 ms' }]),
  },
};

describe('The checker', () => {
  it('has a history that satisfies and one that breaks each invariant', () => {
    expect(Object.keys(cases).sort()).toEqual(Object.keys(invariants).sort());
  });

  it.each(Object.keys(cases))('finds nothing where %s holds, and what breaks it', (name) => {
    const invariant = invariants[name];
    const { holds, breaks } = cases[name] ?? { holds: [], breaks: [] };
    expect(invariant?.(new Chronicle(holds, defaults))).toEqual([]);
    expect(invariant?.(new Chronicle(breaks, defaults))).toHaveLength(name === 'rowsArePrefix' ? 2 : 1);
  });
});

describe('Bounds', () => {
  const breaks = (name: string, ...lines: readonly Line[]): number =>
    invariants[name]?.(new Chronicle(history(...lines), defaults)).length ?? -1;

  it('wait for a guardian that lives as long as it may vouch', () => {
    expect(breaks('noOrphans', guardian, cast, begun, died(5_000), guardianGone(30_000), over(35_000), end)).toBe(0);
  });

  it('wait for the reaper where the agent is stopped', () => {
    const stop = fault(9_000, 'stop-agent', ['w1'], 9_000);
    expect(breaks('noOrphans', guardian, cast, begun, stop, died(5_000), guardianGone(5_010), over(16_500), end)).toBe(
      0,
    );
    expect(breaks('noOrphans', guardian, cast, begun, stop, died(5_000), guardianGone(5_010), over(17_500), end)).toBe(
      1,
    );
  });

  it('do not ask for the quick end where something else went wrong', () => {
    const cut = fault(4_000, 'partition', ['net w1'], 500);
    expect(breaks('orphansEndAtOnce', guardian, cast, begun, cut, kill, died(5_000), over(9_000), end)).toBe(0);
  });

  it('are not judged where the run ended before them', () => {
    expect(
      breaks('noOrphans', guardian, cast, begun, died(5_000), guardianGone(5_010), [7_000, 'world', 'over', {}]),
    ).toBe(0);
  });

  it('count a job that never ends', () => {
    expect(breaks('noOrphans', guardian, cast, begun, died(5_000), guardianGone(5_010), end)).toBe(1);
  });
});

describe('Stores', () => {
  const count = (...lines: readonly Line[]): number =>
    invariants['storedIsAsPut']?.(new Chronicle(history(...lines), defaults)).length ?? -1;
  const put = storeTold(1_000, { what: 'put', key: 'k', size: 3 });

  it('give nothing else than what was put', () => {
    expect(count(put, storeTold(1_100, { what: 'get', key: 'k', size: 2, whole: true }))).toBe(1);
    expect(count(put, storeTold(1_100, { what: 'get', key: 'k', size: 3, whole: false }))).toBe(1);
  });

  it('refuse only for what ails them', () => {
    const slow = fault(1_050, 'store-slow', ['s'], 500);
    expect(count(put, slow, storeTold(1_600, { what: 'get', key: 'k', refused: 'timeout', began: 1_100 }))).toBe(0);
    expect(count(put, slow, storeTold(1_600, { what: 'get', key: 'k', refused: 'lost' }))).toBe(1);
    expect(count(put, slow, storeTold(9_000, { what: 'get', key: 'k', refused: 'timeout' }))).toBe(1);
    const stopped = { what: 'get', key: 'k', refused: 'timeout', began: 1_500 };
    expect(count(put, slow, storeTold(9_000, stopped))).toBe(0);
  });

  it('do not give what was dropped', () => {
    const drop = storeTold(2_000, { what: 'drop', key: 'k', began: 1_999 });
    const get = (began: number): Line => storeTold(3_000, { what: 'get', key: 'k', size: 3, whole: true, began });
    expect(count(put, drop, get(2_500))).toBe(1);
    expect(count(put, drop, get(1_500))).toBe(0);
  });

  it('owe nobody what they have lost', () => {
    const gone = told(4_000, { refused: 'evicted' });
    const lost = (ms: number): Line => fault(ms, 'store-lost', ['s w1', 's']);
    const found = (lines: readonly Line[]): unknown =>
      invariants['objectsStay']?.(new Chronicle(history(...lines), defaults));
    expect(found([begun, over(1_200), objectMade(), lost(3_000), gone, end])).toEqual([]);
    // Between the end of the job and the moment at which its caller hears of it.
    expect(found([begun, over(1_200), lost(1_250), objectMade(), gone, end])).toEqual([]);
    expect(found([begun, lost(1_100), over(1_200), objectMade(), gone, end])).toHaveLength(1);
  });
});

describe('A coordinator that dies before its first session is accepted', () => {
  it('is known by its guardian', () => {
    const other: Line = [500, 'c2', 'guardian-up', { incarnation: 'r', number: 1 }];
    const fenced: Line = [2_500, 'w1', 'session-ended', { incarnation: 'r', session: 1, by: 'fence' }];
    const lines = [other, fault(2_000, 'kill-rival', ['c2'], 100), fenced];
    expect(invariants['noNeedlessEnd']?.(new Chronicle(history(...lines), defaults))).toEqual([]);
  });
});

describe('Rows', () => {
  const count = (...lines: readonly Line[]): number =>
    invariants['rowsArePrefix']?.(new Chronicle(history(...lines), defaults)).length ?? -1;

  it('must all be there when the request is complete', () => {
    expect(count(asked(), row(1_100, 0), row(1_101, 1), answered(1_102))).toBe(1);
    expect(count(asked(), row(1_100, 0), row(1_101, 1), answered(1_102, { how: 'left' }))).toBe(0);
  });

  it('come from one job for each part', () => {
    expect(count(asked({ parts: 2 }), row(1_100, 0), row(1_101, 0, 'c-2'))).toBe(0);
    expect(count(asked({ parts: 1 }), row(1_100, 0), row(1_101, 0, 'c-2'))).toBe(1);
  });

  it('come in order where they are merged', () => {
    expect(count(asked({ parts: 2, merged: true }), row(1_100, 0), row(1_101, 1), row(1_102, 0, 'c-2'))).toBe(1);
    expect(count(asked({ parts: 2 }), row(1_100, 0), row(1_101, 1), row(1_102, 0, 'c-2'))).toBe(0);
  });
});
