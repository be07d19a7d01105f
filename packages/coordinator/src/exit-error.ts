import type { ErrorCode, ErrorContext, Exit, ValueCodec } from '@muster/rexi';
import { ClusterError, codes, JobError } from '@muster/rexi';

/** A job's exit as the error that its caller gets. What a job threw is rebuilt and is the `cause`. */
export function exitError(
  exit: Omit<Exit, 'type' | 'counter'>,
  context: ErrorContext,
  codec: ValueCodec,
): ClusterError {
  const code: ErrorCode = Object.hasOwn(codes, exit.code) ? (exit.code as ErrorCode) : 'protocol_error';
  const known = { ...context, detail: exit.detail || undefined };
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

/** A scattered request that cannot be answered in full: `parts` names what is missing, and why. */
export class ScatterError extends ClusterError {
  override readonly name: string = 'ScatterError';
  readonly parts: readonly MissingPart[];

  constructor(job: string, parts: readonly MissingPart[]) {
    const [first] = parts;
    const which = parts.map(({ shard }) => shard ?? '?').join(', ');
    super('incomplete', `No answer for part ${which}: ${first?.error.message ?? 'no reason is known'}`, {
      job,
      cause: first?.error,
    });
    this.parts = parts;
  }
}
