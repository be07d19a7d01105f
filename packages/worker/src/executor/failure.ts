import type { ValueCodec } from '@muster/rexi';
import { ClusterError } from '@muster/rexi';
import type { Failure } from './executor.ts';

/** Characters of a message that crosses; the whole one is in the packed error. */
const longest = 1_000;

/** Characters of the stack where the error itself cannot cross. */
const longestStack = 16_384;

/** Most bytes of a packed error: 1 MiB. A larger one crosses with its name, message and stack, cut. */
const largest = 2 ** 20;

const nothing = new Uint8Array(0);

/** An end without a value. */
export function failure(code: Failure['code'], message: string, detail = ''): Failure {
  return { code, detail: detail.slice(0, longest), message: message.slice(0, longest), error: nothing };
}

/** What the codec refuses: a value that cannot travel, with its path. */
export function refused(error: unknown): Failure {
  const known = error instanceof ClusterError ? error : undefined;
  return failure('not_serializable', known?.message ?? textOf(asError(error), 'message', ''), known?.detail ?? '');
}

/** What the user's code has thrown, which need not be an error, nor let itself be looked at. */
export function thrown(value: unknown, codec: ValueCodec): Failure {
  const error = asError(value);
  const message = textOf(error, 'message', '');
  return { ...failure('job_failed', message, textOf(error, 'name', 'Error')), error: packError(error, codec) };
}

/** An error whose message can be read, as it is; anything else as an error that says what was thrown. */
export function asError(value: unknown): Error {
  if (isError(value) && read(value, 'message') !== undefined) return value;
  return new Error(`The job threw ${kindOf(value)} instead of an error: ${printed(value)}`);
}

/** Message and stack of whatever was thrown, as text of bounded length. */
export function described(value: unknown): { readonly message: string; readonly stack: string } {
  const { message, stack } = plainly(asError(value));
  return { message, stack: stack === undefined || stack === '' ? message : stack };
}

function isError(value: unknown): value is Error {
  try {
    return value instanceof Error || Object.prototype.toString.call(value) === '[object Error]';
  } catch {
    return false; // a Proxy
  }
}

function packError(error: Error, codec: ValueCodec): Uint8Array {
  for (const attempt of [() => error, () => plainly(error)]) {
    try {
      const packed = codec.pack(attempt(), 'error');
      if (packed.length <= largest) return packed;
    } catch {
      // Its cause, or a getter of its class, cannot travel: the rest of it is still worth having.
    }
  }
  return nothing;
}

/** Name, message and stack alone, as far as they are text and not too long. */
function plainly(error: Error): Error {
  const copy = new Error(textOf(error, 'message', '').slice(0, longest));
  copy.name = textOf(error, 'name', 'Error').slice(0, longest);
  copy.stack = textOf(error, 'stack', '').slice(0, longestStack);
  return copy;
}

/** A field of an error as text, which it need not be. */
function textOf(error: Error, field: 'name' | 'message' | 'stack', fallback: string): string {
  const value = read(error, field);
  if (value === undefined) return fallback;
  return typeof value === 'string' ? value : printed(value);
}

/** Undefined where it cannot be read. */
function read(error: Error, field: 'name' | 'message' | 'stack'): unknown {
  try {
    return error[field];
  } catch {
    return undefined;
  }
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  return typeof value === 'object' ? 'an object' : `a ${typeof value}`;
}

/** Always a text, and no longer than what is said of it. */
function printed(value: unknown): string {
  try {
    const text: unknown = typeof value === 'object' ? JSON.stringify(value) : String(value);
    return typeof text === 'string' ? text.slice(0, longest) : 'it cannot be printed';
  } catch {
    return 'it cannot be printed';
  }
}
