import type { ValueCodec } from '@muster/rexi';
import { ClusterError } from '@muster/rexi';
import type { Failure } from './executor.ts';

/** Characters of a message that crosses; the whole one is in the packed error. */
const longest = 1_000;

const nothing = new Uint8Array(0);

/** An end without a value. */
export function failure(code: Failure['code'], message: string, detail = ''): Failure {
  return { code, detail: detail.slice(0, longest), message: message.slice(0, longest), error: nothing };
}

/** What the codec refuses: a value that cannot travel, with its path. */
export function refused(error: unknown): Failure {
  const known = error instanceof ClusterError ? error : undefined;
  return failure('not_serializable', known?.message ?? String(error), known?.detail ?? '');
}

/** What the user's code has thrown, which need not be an error. */
export function thrown(value: unknown, codec: ValueCodec): Failure {
  const error = asError(value);
  return { ...failure('job_failed', error.message, error.name), error: packError(error, codec) };
}

/** An error as it is; anything else as an error that says what was thrown. */
export function asError(value: unknown): Error {
  if (value instanceof Error) return value;
  if (typeof value === 'object' && value !== null && Object.prototype.toString.call(value) === '[object Error]')
    return value as Error;
  return new Error(`The job threw ${kindOf(value)} instead of an error: ${printed(value)}`);
}

function packError(error: Error, codec: ValueCodec): Uint8Array {
  for (const attempt of [() => error, () => plainly(error)]) {
    try {
      return codec.pack(attempt(), 'error');
    } catch {
      // Its cause, or a getter of its class, cannot travel: the rest of it is still worth having.
    }
  }
  return nothing;
}

/** Name, message and stack alone. */
function plainly(error: Error): Error {
  const copy = new Error(String(error.message).slice(0, longest));
  copy.name = String(error.name);
  copy.stack = String(error.stack);
  return copy;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

function printed(value: unknown): string {
  try {
    return typeof value === 'object' ? JSON.stringify(value) : String(value);
  } catch {
    return 'it cannot be printed';
  }
}
