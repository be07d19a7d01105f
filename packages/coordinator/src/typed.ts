import type { ReservedName } from '@muster/rexi';
import type { ObjectRef } from '@muster/store';
import type { RowStream } from './row-stream.ts';
import type { CallOptions, InlineUpTo, ReduceOptions, ScatterOptions, StreamOptions } from './request.ts';

/** Bytes that travel: a `DataView` and a `SharedArrayBuffer` do not. */
type Bytes =
  | ArrayBuffer
  | Int8Array
  | Uint8Array
  | Uint8ClampedArray
  | Int16Array
  | Uint16Array
  | Int32Array
  | Uint32Array
  | Float32Array
  | Float64Array
  | BigInt64Array
  | BigUint64Array;

/** Values that travel as they are. */
type Atom = string | number | bigint | boolean | null | undefined | Date | Error | Bytes;

/** Travels as its key and is one again at the other end. */
type Ref = ObjectRef<unknown>;

/**
 * `T` as it arrives at the other end of a wire. What cannot travel (functions, symbols, promises, class instances with
 * methods) becomes `never`, so that using it does not compile.
 */
export type Wire<T> = unknown extends T
  ? T
  : T extends Atom | Ref
    ? T
    : T extends void
      ? undefined
      : T extends (...args: never[]) => unknown
        ? never
        : T extends
              symbol | Promise<unknown> | WeakMap<object, unknown> | WeakSet<object> | DataView | SharedArrayBuffer
          ? never
          : T extends ReadonlyMap<infer K, infer V>
            ? Map<Wire<K>, Wire<V>>
            : T extends ReadonlySet<infer I>
              ? Set<Wire<I>>
              : T extends object
                ? { [K in keyof T]: Wire<T[K]> }
                : never;

/** What can be sent: itself where everything in it travels, otherwise a type that nothing fits. */
export type Sendable<T> = [T] extends [Wire<T>] ? T : Wire<T>;

/** A job as its module exports it: a bare function, or what `job()` makes. */
type Run = (args: never, context: never) => unknown;
type RunOf<J> = J extends { readonly run: infer R extends Run } ? R : J extends Run ? J : never;

/** What callers pass: what `job()` says, a schema's input where there is one, else what the function takes. */
type ArgsOf<J> = J extends { readonly run: Run; readonly '~types'?: { readonly input: infer Input } }
  ? Input
  : J extends { readonly args: { readonly '~standard': { readonly types?: infer Types } } }
    ? NonNullable<Types> extends { readonly input: infer Input }
      ? Input
      : unknown
    : RunOf<J> extends (...all: infer All) => unknown
      ? FirstOf<All>
      : never;

/** The first parameter; with undefined where it may be left out. */
type FirstOf<All extends readonly unknown[]> = All extends []
  ? undefined
  : All extends [infer First, ...unknown[]]
    ? First
    : All extends [(infer First)?, ...unknown[]]
      ? First | undefined
      : undefined;

/** The library's ReturnType says `any` of a function whose arguments are `never`, as those of `job()` are. */
type ReturnOf<J> = RunOf<J> extends (args: never, context: never) => infer Result ? Result : never;
type RowsOf<J> = ReturnOf<J> extends AsyncGenerator<infer Row, unknown, unknown> ? Row : never;
type ValueOf<J> = Awaited<ReturnOf<J>>;

/** Where a job needs no arguments they may be left out. */
type Call<Args, Options, Result> = [undefined] extends [Args]
  ? (args?: Sendable<Args>, options?: Options) => Result
  : (args: Sendable<Args>, options?: Options) => Result;

/** What comes back by key: a reference to the value, or the one that the job has returned. */
type Kept<Value> = Value extends ObjectRef ? Value : ObjectRef<Value>;

/** With `result: 'key'` the value stays at its node, and a reference to it comes back. */
type CallForKey<Args, Value> = (
  args: Sendable<Args>,
  options: CallOptions & { readonly result: 'key' },
) => Promise<Kept<Value>>;

/** With `result: { inlineUpTo }` its size decides. */
type CallForEither<Args, Value> = (
  args: Sendable<Args>,
  options: CallOptions & { readonly result: InlineUpTo },
) => Promise<Value | Kept<Value>>;

/** A function job: called for one value, or scattered for one of each part. */
export interface FunctionVerbs<Args, Value> {
  /** One value of each part, as they come. */
  readonly scatter: Call<Args, ScatterOptions<Value>, RowStream<Value>>;
  /** The values of all parts, folded into one. */
  reduce<Result>(args: Sendable<Args>, options: ReduceOptions<Value, Result>): Promise<Result>;
}

/** A generator job: its rows are streamed from one part, or gathered from all. */
export interface GeneratorVerbs<Args, Row> {
  readonly stream: Call<Args, StreamOptions, RowStream<Row>>;
  readonly scatter: Call<Args, ScatterOptions<Row>, RowStream<Row>>;
  reduce<Result>(args: Sendable<Args>, options: ReduceOptions<Row, Result>): Promise<Result>;
}

/** The verbs of one job, by what it is. */
export type JobVerbs<J> = [RunOf<J>] extends [never]
  ? never
  : [RowsOf<J>] extends [never]
    ? CallForKey<ArgsOf<J>, Wire<ValueOf<J>>> &
        CallForEither<ArgsOf<J>, Wire<ValueOf<J>>> &
        Call<ArgsOf<J>, CallOptions, Promise<Wire<ValueOf<J>>>> &
        FunctionVerbs<ArgsOf<J>, Wire<ValueOf<J>>>
    : GeneratorVerbs<ArgsOf<J>, Wire<RowsOf<J>>>;

/** All jobs of a module, by name, but for names that every value has: no node loads those as jobs. */
export type ClusterJobs<Jobs> = {
  readonly [Name in Exclude<keyof Jobs, ReservedName> as JobVerbs<Jobs[Name]> extends never ? never : Name]: JobVerbs<
    Jobs[Name]
  >;
};
