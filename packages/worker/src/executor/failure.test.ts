import { ValueCodec } from '@muster/rexi';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { described, failure, thrown } from './failure.ts';

const codec = new ValueCodec();

function boom(): never {
  throw new Error('from inside');
}

/** An error with these properties, getters that throw among them. */
function oddError(fields: Readonly<Record<string, unknown>>, throwing: readonly string[]): Error {
  const error = new Error('odd');
  void error.stack; // It is made when it is first asked for, with a look at the name and message of then.
  for (const [name, value] of Object.entries(fields)) {
    Object.defineProperty(error, name, { value, configurable: true, writable: true });
  }
  for (const name of throwing) Object.defineProperty(error, name, { get: boom, configurable: true });
  return error;
}

function circular(): Error {
  const error = new Error('round');
  return Object.assign(error, { cause: new Error('and round', { cause: error }) });
}

function deep(levels: number): Error {
  let error = new Error('bottom');
  for (let i = 0; i < levels; i += 1) error = new Error(`level ${i}`, { cause: error });
  return error;
}

const traps = ['get', 'has', 'getPrototypeOf', 'ownKeys', 'getOwnPropertyDescriptor'] as const;
const proxies = traps.map((trap) => new Proxy(new Error('behind a proxy'), { [trap]: boom }));
const revoked = Proxy.revocable(new Error('revoked'), {});
revoked.revoke();

const named = fc.constantFrom('name', 'message', 'stack', 'cause', 'code');
/** As functions: fast-check looks at what it makes, which not all of these would bear. */
const hostile: readonly (() => unknown)[] = [
  ...proxies.map((proxy) => () => proxy),
  () => new Proxy({}, { get: boom, getPrototypeOf: boom }),
  () => new Proxy(() => 1, { get: boom }),
  () => revoked.proxy,
  circular,
  () => deep(100),
  () => Symbol('thrown'),
  () => () => 1,
  () => ({ toString: boom, toJSON: boom }),
  () => Object.defineProperty({}, Symbol.toStringTag, { get: boom }),
  () => Object.assign(new Error('with a function'), { cause: () => 1 }),
  () => oddError({ stack: 'x'.repeat(20_000_000) }, []),
  () => oddError({ message: 'x'.repeat(20_000_000), name: 'y'.repeat(2_000_000) }, []),
  () => oddError({ name: { toString: boom }, message: Symbol('m') }, []),
];
const throwing = fc.subarray(['name', 'message', 'stack', 'cause']);
const anything: fc.Arbitrary<() => unknown> = fc.oneof(
  fc.anything({ withBigInt: true, withDate: true, withMap: true, withSet: true }).map((value) => () => value),
  fc.record({ fields: fc.dictionary(named, fc.anything()), throwing }).map(
    ({ fields, throwing: names }) =>
      () =>
        oddError(fields, names),
  ),
  fc.constantFrom(...hostile),
);

describe('Whatever a job throws', () => {
  it('becomes a failure of bounded size whose error can be read', () => {
    fc.assert(
      fc.property(anything, (make) => {
        const value = make();
        const { code, detail, message, error } = thrown(value, codec);
        expect(code).toBe('job_failed');
        expect(detail.length).toBeLessThanOrEqual(1_000);
        expect(message.length).toBeLessThanOrEqual(1_000);
        expect(error.length).toBeGreaterThan(0);
        expect(error.length).toBeLessThanOrEqual(1_048_576);
        expect(codec.unpack(error)).toBeInstanceOf(Error);
        expect(described(value).message.length).toBeLessThanOrEqual(1_000);
        expect(described(value).stack.length).toBeLessThanOrEqual(16_384);
      }),
      { numRuns: 1_000 },
    );
  });

  it('keeps name, message and the beginning of the stack where the rest cannot travel', () => {
    const error = Object.assign(new TypeError('told so'), { cause: { call: () => 1 } });
    const packed = thrown(error, codec);
    expect(packed).toMatchObject({ message: 'told so', detail: 'TypeError' });
    const rebuilt = codec.unpack(packed.error) as Error;
    expect(rebuilt).toMatchObject({ name: 'TypeError', message: 'told so' });
    expect(rebuilt.stack).toContain('told so');
  });

  it('travels as it is where it can, its cause with it', () => {
    const rebuilt = codec.unpack(thrown(new RangeError('a', { cause: new Error('b') }), codec).error) as Error;
    expect(rebuilt).toBeInstanceOf(RangeError);
    expect(rebuilt.cause).toMatchObject({ message: 'b' });
  });

  it('is cut where it is said in words', () => {
    expect(failure('limit', 'x'.repeat(5_000), 'y'.repeat(5_000))).toMatchObject({
      message: 'x'.repeat(1_000),
      detail: 'y'.repeat(1_000),
    });
  });
});
