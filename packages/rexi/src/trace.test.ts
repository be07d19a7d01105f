import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { castTrace, isCorrelationId, isTraceparent, isTracestate, traceOf } from './trace.ts';
import { seededEntropy } from './testing/seeded-entropy.ts';

const id = '4bf92f3577b34da6a3ce929d0e0e4736';
const span = '00f067aa0ba902b7';
const parent = `00-${id}-${span}-01`;
const entropy = seededEntropy('traces');
const random = (bytes: number[]) => ({ bytes: () => Uint8Array.from(bytes) });

describe('a traceparent', () => {
  it.each([parent, `00-${id}-${span}-00`, `01-${id}-${span}-01`, `cc-${id}-${span}-01-what-the-future-brings`])(
    'is %s',
    (text) => expect(isTraceparent(text)).toBe(true),
  );

  it.each([
    ['nothing', undefined],
    ['empty', ''],
    ['of the version that there will never be', `ff-${id}-${span}-01`],
    ['of version 00 with more behind it', `${parent}-more`],
    ['of a later version that goes on without a dash', `01-${id}-${span}-01more`],
    ['of a trace of zeros', `00-${'0'.repeat(32)}-${span}-01`],
    ['of a span of zeros', `00-${id}-${'0'.repeat(16)}-01`],
    ['in capitals', parent.toUpperCase()],
    ['too short', parent.slice(0, -1)],
    ['two lines', `${parent}\n`],
    ['two of them, as headers may come', [parent, parent]],
  ])('is not %s', (_what, value) => expect(isTraceparent(value)).toBe(false));
});

describe('a tracestate', () => {
  it.each(['', 'rojo=00f067aa0ba902b7', 'fw529a3039@dt=FfD , congo=t61rcWkgMzE', 'a=b,,c=d', '0a/b-c_d*e= x'])(
    'is %j',
    (text) => expect(isTracestate(text)).toBe(true),
  );

  it.each([
    ['a key without a value', 'rojo'],
    ['a key twice', 'a=1,a=2'],
    ['a key in capitals', 'A=1'],
    ['a value with a comma or an equals sign', 'a=b=c'],
    ['another line', 'a=b\nc'],
    ['more than 32 members', Array.from({ length: 33 }, (_, i) => `k${i}=v`).join(',')],
    ['longer than 512 characters', `a=${'x'.repeat(511)}`],
    ['no text', 3],
  ])('is not %s', (_what, value) => expect(isTracestate(value)).toBe(false));
});

it('a correlation id is a text of 1 to 128 characters that no line breaks at', () => {
  expect(['order 4711', 'ü'.repeat(128)].map(isCorrelationId)).toEqual([true, true]);
  for (const value of ['', 'x'.repeat(129), 'a\nb', 'a\u2028b', 'a\u202eb', '\ud800', 7]) {
    expect(isCorrelationId(value)).toBe(false);
  }
});

describe('the trace of a cast', () => {
  it('is none where the caller has given none', () => {
    expect(castTrace(undefined, entropy)).toBeUndefined();
    expect(castTrace({}, entropy)).toBeUndefined();
  });

  it('keeps the trace id, the state and the correlation id, and has a span of its own', () => {
    const cast = castTrace(
      { traceparent: parent, tracestate: 'a=b', correlationId: 'order 1' },
      random([1, 2, 3, 4, 5, 6, 7, 8]),
    );
    expect(traceOf(cast!, 0x2f)).toEqual({
      traceparent: `00-${id}-0102030405060727-01`,
      tracestate: 'a=b',
      correlationId: 'order 1',
    });
  });

  it('is of version 00, with the flags that this has, whatever version it came in', () => {
    const cast = castTrace({ traceparent: `cc-${id}-${span}-ff-more` }, entropy);
    expect(traceOf(cast!, 1).traceparent).toMatch(new RegExp(`^00-${id}-[0-9a-f]{16}-03$`));
  });

  it('may be a correlation id alone', () => {
    expect(traceOf(castTrace({ correlationId: 'x' }, entropy)!, 1)).toEqual({ correlationId: 'x' });
  });

  it('has another span than every other cast, and never one of zeros', () => {
    const counters = fc.uniqueArray(fc.integer({ min: 1, max: 2 ** 48 - 1 }), { minLength: 2, maxLength: 20 });
    const bytes = fc.array(fc.constantFrom(0, 1, 255), { minLength: 8, maxLength: 8 });
    fc.assert(
      fc.property(counters, bytes, (all, from) => {
        const cast = castTrace({ traceparent: parent }, random(from))!;
        const spans = all.map((counter) => traceOf(cast, counter).traceparent!);
        expect(new Set(spans).size).toBe(all.length);
        expect(spans.every(isTraceparent)).toBe(true);
      }),
    );
  });
});
