import type { Constants } from '@muster/rexi';
import { check } from '../../checker/check.ts';
import type { Violation } from '../../checker/violation.ts';
import type { Facts, HistoryEvent } from '../../history/history.ts';
import type { RequestState } from '../coordinator/words.ts';
import type { Line } from '../lab/node-process.ts';

/** What was seen of one run of real processes. Times are milliseconds since the epoch: all of it is on one machine. */
export interface Evidence {
  readonly agents: readonly { readonly id: string; readonly pid: number; readonly history: readonly Line[] }[];
  /** When executors were seen to be dead: by pid. */
  readonly deaths: ReadonlyMap<number, number>;
  readonly coordinators: readonly CoordinatorEvidence[];
  readonly guardians: readonly GuardianEvidence[];
  readonly faults: readonly FaultEvidence[];
  readonly requests: readonly RequestEvidence[];
  /** What was left when all was over; a sentence each, with the node's name. */
  readonly left: readonly { readonly node: string; readonly what: string }[];
  readonly end: number;
}

export interface CoordinatorEvidence {
  readonly pid: number;
  readonly incarnations: readonly { readonly incarnation: string; readonly at: number }[];
  /** When its process had ended, or its cluster was closed. */
  readonly gone: number | undefined;
  readonly closed: boolean;
  /** What it printed to stderr. */
  readonly errors: string;
}

export interface GuardianEvidence {
  readonly pid: number;
  /** Of its coordinator, when the guardian was first seen. */
  readonly incarnation: string;
  readonly up: number;
  readonly gone: number | undefined;
}

/** As the simulation names faults, and whom they hit: `c`, `g`, a node, `net <node>`, `x <node>`. */
export interface FaultEvidence {
  readonly kind: string;
  readonly hits: readonly string[];
  readonly at: number;
  readonly until: number;
}

export interface RequestEvidence {
  readonly name: string;
  /** The coordinator's process. */
  readonly life: number;
  readonly at: number;
  readonly state: RequestState;
  /** Codes that the scenario allows. */
  readonly expected: readonly string[];
}

/** The simulation's rules for which real processes give evidence; the others are about what only a simulation sees. */
export const rulesLookedAt = [
  'noOrphans',
  'orphansEndAtOnce',
  'hungLosesJobs',
  'guardiansLeave',
  'nothingLeft',
  'startsOnce',
  'noStartAfterFence',
  'noNeedlessEnd',
  'declaredErrors',
  'nothingUncaught',
  'everyRequestEnds',
] as const;

/** What a run of real processes has broken of the rules that the simulation is held against. */
export function checkEvidence(evidence: Evidence, constants: Constants): Violation[] {
  return check(historyOf(evidence), constants);
}

/** The evidence as the simulation writes its histories. */
export function historyOf(evidence: Evidence): HistoryEvent[] {
  const told = [
    ...evidence.agents.flatMap((agent) => ofAgent(agent, evidence.deaths)),
    ...evidence.coordinators.flatMap(ofCoordinator),
    ...evidence.guardians.flatMap(ofGuardian),
    ...evidence.faults.map(({ kind, hits, at, until }) => said(at, 'faults', 'fault', { kind, hits, ms: until - at })),
    ...evidence.requests.flatMap(ofRequest),
    ...leftAtTheEnd(evidence),
  ].sort((a, b) => a.at - b.at);
  const from = told[0]?.at ?? 0;
  return told.map((event, seq) => ({ ...event, seq, at: (event.at - from) * 1e6 }));
}

/** An event before it has its number; `at` is still in milliseconds. */
type Told = Facts & Pick<HistoryEvent, 'at' | 'on' | 'event'>;

function said(at: number, on: string, event: string, facts: Facts = {}): Told {
  return { ...facts, at, on, event };
}

function ofAgent({ id, pid: life, history }: Evidence['agents'][number], deaths: ReadonlyMap<number, number>): Told[] {
  const gone = new Map(history.flatMap(({ event, ref, at }) => (event === 'gone' ? [[ref, at]] : [])));
  return history.flatMap(({ event, at, ...facts }) => {
    if (event === 'fence' || event === 'session-opened' || event === 'session-ended')
      return [said(at, id, event, { ...facts, life })];
    if (event !== 'start') return [];
    const { ref, job, pid } = facts;
    const over = Math.min(gone.get(ref) ?? Infinity, deaths.get(Number(pid)) ?? Infinity);
    const begun = said(at, id, 'job-begun', { ref, job, life });
    return over === Infinity ? [begun] : [begun, said(Math.max(at, over), id, 'job-over', { ref, how: 'seen' })];
  });
}

function ofCoordinator({ pid: life, incarnations, gone, closed, errors }: CoordinatorEvidence): Told[] {
  const ups = incarnations.map(({ incarnation, at }) => said(at, 'c1', 'session-up', { incarnation, life }));
  const last = ups.at(-1)?.at ?? 0;
  const ends =
    gone === undefined ? [] : [said(gone, 'c1', closed ? 'closed' : 'coordinator-gone', { life, done: true })];
  const closing = closed && gone !== undefined ? [said(gone - 1, 'c1', 'ending')] : [];
  const uncaught = /unhandled|uncaught|MaxListeners|DeprecationWarning/i.test(errors)
    ? [said(gone ?? last, 'c1', 'uncaught', { what: errors.slice(0, 400) })]
    : [];
  return [...ups, ...closing, ...ends, ...uncaught];
}

function ofGuardian({ pid: number, incarnation, up, gone }: GuardianEvidence): Told[] {
  const told = { number, incarnation };
  const begins = said(up, 'c1', 'guardian-up', told);
  return gone === undefined ? [begins] : [begins, said(gone, 'c1', 'guardian-gone', told)];
}

/** An incomplete answer counts as what each of its parts says. */
function ofRequest({ name, life, at, state, expected }: RequestEvidence): Told[] {
  const { ended, endedAt = at, error } = state;
  const parts = error === undefined ? [{}] : (error.parts ?? [error]);
  return parts.flatMap((part, i) => {
    const request = parts.length > 1 ? `${name}, part ${i + 1}` : name;
    const asked = said(at, 'caller', 'asked', { request, kind: name, life, parts: 1, expected, limited: true });
    if (!ended) return [asked];
    const how = error === undefined ? 'complete' : 'error';
    return [asked, said(endedAt, 'caller', 'answered', { request, how, ...part })];
  });
}

function leftAtTheEnd({ agents, left, end }: Evidence): Told[] {
  return [...new Set(agents.map(({ id }) => id))].map((node) => {
    const alive = left.flatMap((one) => (one.node === node ? [one.what] : []));
    return said(end, node, 'left', { node, alive, jobs: [], tombstones: 0 });
  });
}
