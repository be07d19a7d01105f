/**
 * What a node can be asked in a `request`, by name: who may ask it, and what the values look like. One table owns the
 * words, as layouts.ts does for messages; the values are packed as those of users are.
 */
import type { Role } from '../seams.ts';

/** One thing that a node can be asked. */
export interface Operation {
  /** Roles that may ask it; anybody else is refused, and nothing happens. */
  readonly from: readonly Role[];
  /** Whether it changes anything at the node. */
  readonly changes: boolean;
  readonly says: string;
  /** What goes with the question, in words. */
  readonly takes: string;
  readonly answers: string;
}

const coordinators: readonly Role[] = ['coordinator', 'peer'];
const people: readonly Role[] = ['operator', 'observer'];
const operator: readonly Role[] = ['operator'];

/** A closed list: a name that is not here is answered with those that the asker may use. */
export const operations: Readonly<Record<OperationName, Operation>> = {
  ping: {
    from: [...coordinators, ...people],
    changes: false,
    says: 'Whether the node answers.',
    takes: 'nothing',
    answers: '`"pong"`',
  },
  stats: {
    from: coordinators,
    changes: false,
    says: 'How much there is at the node, whoever it belongs to.',
    takes: 'nothing',
    answers: '`{node, jobs, rows, tombstones, links, lanes, objects}`',
  },
  jobs: {
    from: coordinators,
    changes: false,
    says: "The asker's own jobs.",
    takes: 'nothing',
    answers: 'a list of `{ref, job, state, rows, since}`',
  },
  errors: {
    from: coordinators,
    changes: false,
    says: "The asker's own failures among the last 100.",
    takes: 'nothing',
    answers: 'a list of `{ref, job, code, detail, message, at}`',
  },
  'node-info': {
    from: people,
    changes: false,
    says: 'The node itself, and how much there is at it.',
    takes: 'nothing',
    answers:
      '`{node, incarnation, uptime, draining, logLevel, jobs, sessions, rows, tombstones, links, lanes, objects}`',
  },
  'node-sessions': {
    from: people,
    changes: false,
    says: 'Whose jobs the node may run.',
    takes: '`{limit?}`: at most so many, 1 to 4096, else 1000',
    answers:
      '`{sessions, more}`: a list of `{coordinator, name, session, state, linked, guarded, lease, jobs}`, and how many more there are',
  },
  'node-jobs': {
    from: people,
    changes: false,
    says: 'What is in the job table, the oldest first.',
    takes: '`{limit?, coordinator?, job?}`: at most so many, of that incarnation, of that name',
    answers:
      '`{jobs, more}`: a list of `{ref, job, coordinator, name, state, age, rows, queue}`, and how many more there are',
  },
  'node-errors': {
    from: people,
    changes: false,
    says: 'The last 100 ends without a value, newest first.',
    takes: 'nothing',
    answers: 'a list of `{ref, job, code, detail, message, age}`',
  },
  'node-config': {
    from: people,
    changes: false,
    says: 'What the node was started with, defaults included and secrets not.',
    takes: 'nothing',
    answers: 'a record by option',
  },
  kill: {
    from: operator,
    changes: true,
    says: 'Kills jobs by their references, or all that the node has of a coordinator. Their coordinators hear `exit` with `killed`, who it was, and why.',
    takes: '`{refs, why?}` (at most 4096), or `{coordinator, why?}`',
    answers:
      '`{killed, unknown, left}`: how many are gone; of `refs`, those that the node does not have; and those that live `killGrace` + `kill` ms later, as many as a list has room for',
  },
  drain: {
    from: operator,
    changes: true,
    says: 'Lets what runs end, takes nothing new, and then ends the node, as SIGTERM does.',
    takes: '`{ms?}`: how long jobs may go on, else `drain`',
    answers: '`{jobs, ms}`: how many it waits for, and how long',
  },
  'log-level': {
    from: operator,
    changes: true,
    says: 'How much the node says in its log, until it ends or is told otherwise.',
    takes: '`{level}`',
    answers: '`{before, level}`',
  },
};

/** What a coordinator may ask about itself. */
type OwnQuestion = 'stats' | 'jobs' | 'errors';
export type OperationName = OwnQuestion | keyof OperationTakes;

/** Whether there is such an operation, and the role may ask it. */
export function mayAsk(role: Role, name: string): name is OperationName {
  return Object.hasOwn(operations, name) && operations[name as OperationName].from.includes(role);
}

/** The operations that a role may ask. */
export function operationsOf(role: Role): OperationName[] {
  return (Object.keys(operations) as OperationName[]).filter((name) => operations[name].from.includes(role));
}

/** How much a node says, from most to least. */
export type LogLevel = 'debug' | 'info' | 'warn' | 'error' | 'silent';
export const logLevels: readonly LogLevel[] = ['debug', 'info', 'warn', 'error', 'silent'];

/** A node, as it describes itself. Times in milliseconds. */
export interface NodeFacts {
  readonly node: string;
  readonly incarnation: string;
  /** Since it began. */
  readonly uptime: number;
  /** It takes nothing new, and ends when what runs has ended. */
  readonly draining: boolean;
  readonly logLevel: LogLevel;
  /** Jobs that are not gone. */
  readonly jobs: number;
  /** Sessions that may run jobs. */
  readonly sessions: number;
  /** Rows sent since it began. */
  readonly rows: number;
  readonly tombstones: number;
  /** Links that are open, by role. */
  readonly links: Readonly<Record<string, number>>;
  /** Jobs that hold a place in a lane, and that wait for one. */
  readonly lanes: Readonly<Record<string, { readonly running: number; readonly waiting: number }>>;
  readonly objects: Readonly<Record<string, number>>;
}

/** A coordinator's session at a node. */
export interface SessionFacts {
  /** The coordinator's incarnation. */
  readonly coordinator: string;
  /** What it calls itself; undefined while none of its links is open. */
  readonly name: string | undefined;
  readonly session: number;
  /** `waiting`: for the end of what an older session has left. */
  readonly state: 'waiting' | 'open';
  /** Whether its own link is open. */
  readonly linked: boolean;
  /** Whether its guardian's link is open. */
  readonly guarded: boolean;
  /** Milliseconds until its lease runs out, unless it is renewed. */
  readonly lease: number;
  readonly jobs: number;
}

/** A job in a node's table. */
export interface JobFacts {
  readonly ref: string;
  /** Its name. */
  readonly job: string;
  /** The incarnation that has cast it. */
  readonly coordinator: string;
  /** What that calls itself; undefined while none of its links is open. */
  readonly name: string | undefined;
  /**
   * `queued` and `placing` wait for a place, `sent` for their executor; `running`, `streaming`; `waiting` for its start,
   * `parked` for credit, `resuming` for its place; `dying`.
   */
  readonly state: string;
  /** Milliseconds since it was cast. */
  readonly age: number;
  /** Rows sent. */
  readonly rows: number;
  /** The lane in which it runs or waits. */
  readonly queue: string;
}

/** An end without a value. */
export interface FailureFacts {
  readonly ref: string;
  readonly job: string;
  readonly code: string;
  readonly detail: string;
  readonly message: string;
  /** Milliseconds since. */
  readonly age: number;
}

/** What each question of operators and observers takes. */
export interface OperationTakes {
  ping: undefined;
  'node-info': undefined;
  'node-sessions': { readonly limit?: number } | undefined;
  'node-jobs': { readonly limit?: number; readonly coordinator?: string; readonly job?: string } | undefined;
  'node-errors': undefined;
  'node-config': undefined;
  kill: KillOrder;
  drain: { readonly ms?: number } | undefined;
  'log-level': { readonly level: LogLevel };
}

/** Which jobs are to be killed, and what their coordinators are told of the reason. */
export type KillOrder = { readonly why?: string } & (
  { readonly refs: readonly string[] } | { readonly coordinator: string }
);

/** What each of them is answered. */
export interface OperationAnswers {
  ping: 'pong';
  'node-info': NodeFacts;
  'node-sessions': { readonly sessions: readonly SessionFacts[]; readonly more: number };
  'node-jobs': { readonly jobs: readonly JobFacts[]; readonly more: number };
  'node-errors': readonly FailureFacts[];
  'node-config': Readonly<Record<string, unknown>>;
  kill: { readonly killed: number; readonly unknown: readonly string[]; readonly left: readonly string[] };
  drain: { readonly jobs: number; readonly ms: number };
  'log-level': { readonly before: LogLevel; readonly level: LogLevel };
}
