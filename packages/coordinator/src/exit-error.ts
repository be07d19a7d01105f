import type { ErrorCode, ErrorContext, Exit, Trace, ValueCodec } from '@muster/rexi';
import { ClusterError, codes, JobError } from '@muster/rexi';

/**
 * A job's exit as the error that its caller gets. What a job threw is rebuilt and is the `cause`; where there is no such
 * job, `known` are those that there are.
 */
export function exitError(
  exit: Omit<Exit, 'type' | 'counter'>,
  context: ErrorContext,
  { codec, known: jobs }: { readonly codec: ValueCodec; readonly known: readonly string[] },
): ClusterError {
  const code: ErrorCode = Object.hasOwn(codes, exit.code) ? (exit.code as ErrorCode) : 'protocol_error';
  const known = { ...context, detail: exit.detail || undefined };
  if (code === 'unknown_job' && jobs.length > 0) {
    const text = `The node has no job "${context.job ?? '?'}"; it has ${listed(jobs, 20)}.`;
    return new ClusterError(code, text, known);
  }
  if (code !== 'job_failed') return new ClusterError(code, exit.message || codes[code].says, known);
  const cause = rebuild(exit.error, codec);
  return new JobError(cause instanceof Error ? cause.message : exit.message, { ...known, cause });
}

function rebuild(bytes: Uint8Array, codec: ValueCodec): unknown {
  return bytes.length === 0 ? undefined : codec.unpack(bytes);
}

/** One part of a request that has no answer. */
export interface MissingPart {
  readonly shard: number | string | undefined;
  readonly error: ClusterError;
}

/** The same error in other words, or with more that it is about. A job's own error stays one, with its cause. */
export function retold(error: ClusterError, text: string, context: ErrorContext = {}): ClusterError {
  const { job, node, shard, ref, detail, trace, cause } = error;
  const known = { job, node, shard, ref, detail, trace, cause, ...context };
  return error instanceof JobError ? new JobError(text, known) : new ClusterError(error.code, text, known);
}

/** Names in a sentence, not all of them where they are many. */
export function listed(names: readonly unknown[], most: number): string {
  const rest = names.length - most;
  return rest > 1 ? `${names.slice(0, most).join(', ')} and ${rest} more` : names.join(', ');
}

/** A scattered request that cannot be answered in full: `parts` names what is missing, and why. */
export class ScatterError extends ClusterError {
  override readonly name: string = 'ScatterError';
  readonly parts: readonly MissingPart[];
  /** Whether all that is missing may well be there the next time. */
  override readonly retryable: boolean;

  constructor(job: string, parts: readonly MissingPart[], trace?: Trace) {
    const [first] = parts;
    const { text = 'no reason is known', node, ref } = first?.error ?? {};
    const shards = listed(
      parts.map(({ shard }) => shard ?? '?'),
      10,
    );
    // Of one part it can be said in full where it was to be; of several, the first is an example.
    const one = parts.length === 1;
    const at = node === undefined ? '' : `, at node ${node}`;
    const missing = one ? `part ${shards}: ${text}` : `${parts.length} parts: ${shards}. The first${at}: ${text}`;
    super('incomplete', `No answer for ${missing}`, { job, trace, ...(one && { node, ref }), cause: first?.error });
    this.parts = parts;
    this.retryable = parts.every(({ error }) => error.retryable);
  }
}
