import type { CastTrace } from './message/message.ts';
import type { Entropy } from './seams.ts';

/** Where somebody's work belongs: what W3C Trace Context says of it, and a name that a service has for it. */
export interface Trace {
  /** A `traceparent` as W3C Trace Context writes it: `00-<trace id>-<span id>-<flags>`. */
  readonly traceparent?: string | undefined;
  /** The `tracestate` beside it. */
  readonly tracestate?: string | undefined;
  /** Anything that finds it again in logs: 1 to 128 characters, none of them a control character. */
  readonly correlationId?: string | undefined;
}

const traceparent =
  /^(?:00-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}|(?!00|ff)[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-[\x21-\x7e]{0,456})?)$/;
const member = /^[a-z\d][a-z\d_\-*/@]{0,255}=[\x20-\x2b\x2d-\x3c\x3e-\x7e]{0,255}[\x21-\x2b\x2d-\x3c\x3e-\x7e]$/;
const correlation = /^[^\p{C}\u2028\u2029]{1,128}$/u;

/** Members of one `tracestate`, and its characters. */
const mostMembers = 32;
const longestState = 512;

/** Whether it is a `traceparent` by the grammar of W3C Trace Context: of version 00, or of a later one that begins so. */
export function isTraceparent(value: unknown): value is string {
  return typeof value === 'string' && traceparent.test(value);
}

/** Whether it is a `tracestate`: at most 32 members `key=value`, no key twice, 512 characters in all. */
export function isTracestate(value: unknown): value is string {
  if (typeof value !== 'string' || value.length > longestState) return false;
  const members = value.split(',').flatMap((text) => text.replace(/^[ \t]+|[ \t]+$/g, '') || []);
  const keys = new Set(members.map((text) => text.slice(0, text.indexOf('='))));
  return members.length <= mostMembers && keys.size === members.length && members.every((text) => member.test(text));
}

export function isCorrelationId(value: unknown): value is string {
  return typeof value === 'string' && correlation.test(value);
}

/** Of the flags those that version 00 has a meaning for: sampled, and that the trace id is random. */
const knownFlags = 0b11;

/**
 * What casts say of a trace that was looked at; undefined where it says nothing. Their spans are new: see `traceOf`.
 */
export function castTrace(trace: Trace | undefined, entropy: Entropy): CastTrace | undefined {
  if (trace?.traceparent === undefined && trace?.correlationId === undefined) return undefined;
  const [, id = '', , flags = ''] = trace.traceparent?.split('-') ?? [];
  const span = Buffer.from(entropy.bytes(8));
  // Counters have 48 bits: with these two no part's span id is all zero, which none may be.
  if (span.readUInt16BE(0) === 0) span.writeUInt16BE(1, 0);
  return {
    id: id === '' ? Buffer.alloc(16) : Buffer.from(id, 'hex'),
    span,
    flags: Number.parseInt(flags || '0', 16) & knownFlags,
    state: trace.tracestate ?? '',
    correlation: trace.correlationId ?? '',
  };
}

/** The trace of one cast: the same trace id, with a span of its own, which is a child of the caller's. */
export function traceOf({ id, span, flags, state, correlation }: CastTrace, counter: number): Trace {
  const parent = id.some((byte) => byte !== 0);
  return {
    ...(parent && { traceparent: `00-${hex(id)}-${spanOf(span, counter)}-${hex(Buffer.of(flags))}` }),
    ...(parent && state !== '' && { tracestate: state }),
    ...(correlation !== '' && { correlationId: correlation }),
  };
}

function spanOf(span: Uint8Array, counter: number): string {
  const bytes = Buffer.from(span);
  const low = Buffer.alloc(8);
  low.writeUIntBE(counter, 2, 6);
  return hex(bytes.map((byte, i) => byte ^ (low[i] ?? 0)));
}

function hex(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('hex');
}
