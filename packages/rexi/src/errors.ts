import type { Trace } from './trace.ts';

/** How a job can end without a value, and how a call can fail before or without one. A closed list. */
export const codes = {
  job_failed: { retryable: false, says: 'the job threw' },
  invalid_args: { retryable: false, says: "the arguments do not fit the job's schema" },
  unknown_job: { retryable: false, says: 'the node has no job of this name' },
  not_serializable: { retryable: false, says: 'a value cannot travel' },
  killed: { retryable: false, says: 'the job was killed by somebody else' },
  cancelled: { retryable: false, says: 'the caller cancelled' },
  deadline: { retryable: false, says: 'the overall timeout has passed' },
  timeout: { retryable: false, says: 'nothing was heard for too long' },
  limit: { retryable: false, says: 'a limit was exceeded' },
  poisoned: { retryable: false, says: 'the job has killed too many executors' },
  overloaded: { retryable: true, says: 'the node has no room' },
  unavailable: { retryable: true, says: 'the node cannot run this job now' },
  maintenance: { retryable: true, says: 'the node is draining' },
  executor_lost: { retryable: true, says: 'the executor died under the job' },
  lease_lost: { retryable: true, says: "the session's lease has run out" },
  fenced: { retryable: false, says: 'the incarnation was declared dead' },
  down: { retryable: true, says: 'the session with the node is lost' },
  protocol_error: { retryable: false, says: 'a peer broke the protocol' },
  unreachable: { retryable: true, says: 'the node cannot be reached' },
  unauthorized: { retryable: false, says: 'the handshake was refused' },
  version_mismatch: { retryable: false, says: 'the peers speak different protocol versions' },
  incomplete: { retryable: false, says: 'parts of the answer are missing' },
  closed: { retryable: false, says: 'the cluster handle was closed' },
  bad_options: { retryable: false, says: 'an option is wrong' },
} as const;

export type ErrorCode = keyof typeof codes;

/** What an error is about, as far as it is known. */
export interface ErrorContext {
  job?: string | undefined;
  node?: string | undefined;
  shard?: number | string | undefined;
  ref?: string | undefined;
  /** Who killed it, which limit, which timeout: the detail of the code. */
  detail?: string | undefined;
  /** What the caller has said that the request belongs to; of a cast, with the span of that. */
  trace?: Trace | undefined;
  cause?: unknown;
}

/** Every failure that is Muster's own. `code` tells them apart; the text is for people. */
export class ClusterError extends Error {
  override readonly name: string = 'ClusterError';
  readonly code: ErrorCode;
  /** Whether another node, or the same one later, may well succeed. */
  readonly retryable: boolean;
  readonly job: string | undefined;
  readonly node: string | undefined;
  readonly shard: number | string | undefined;
  readonly ref: string | undefined;
  readonly detail: string | undefined;
  /** The caller's trace; where the error is about one cast, with that cast's span. */
  readonly trace: Trace | undefined;
  readonly #text: string;

  constructor(code: ErrorCode, message: string, context: ErrorContext = {}) {
    super(message + where(context), 'cause' in context ? { cause: context.cause } : undefined);
    this.code = code;
    this.retryable = codes[code].retryable;
    this.job = context.job;
    this.node = context.node;
    this.shard = context.shard;
    this.ref = context.ref;
    this.detail = context.detail;
    this.trace = context.trace;
    this.#text = message;
  }

  /** The message without what it is about: for an error that says so itself. */
  get text(): string {
    return this.#text;
  }
}

/** The user's own error, thrown by a job and rebuilt at the caller: name, message, code, stack and cause. */
export class JobError extends ClusterError {
  override readonly name: string = 'JobError';
  constructor(message: string, context: ErrorContext) {
    super('job_failed', message, context);
  }
}

function where({ job, node, shard, ref }: ErrorContext): string {
  const parts = [
    job && `job ${job}`,
    node && `node ${node}`,
    shard !== undefined && `shard ${shard}`,
    ref && `ref ${ref}`,
  ];
  const known = parts.filter(Boolean);
  return known.length === 0 ? '' : ` (${known.join(', ')})`;
}

/** A peer broke a rule: the link is closed with `closeCode`, and nobody else notices. */
export class ProtocolError extends ClusterError {
  override readonly name: string = 'ProtocolError';
  readonly closeCode: number;
  constructor(closeCode: number, message: string) {
    super('protocol_error', message);
    this.closeCode = closeCode;
  }
}
