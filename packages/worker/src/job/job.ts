import type { Isolation } from '../executor/executor.ts';
import type { JobContext } from './context.ts';
import type { StandardSchema } from './standard-schema.ts';

/** Marks what `job()` has made; the registry's symbol, so that two copies of this package understand each other. */
export const jobMark: unique symbol = Symbol.for('muster.job');

/**
 * A job with something to say about itself. `Input` is what a caller passes, which differs from what `run` gets where a
 * schema transforms. `Result` is what `run` returns: a promise of a value, or an async generator of rows.
 */
export interface Job<Input = unknown, Result = unknown> {
  readonly [jobMark]: true;
  /** For inference only: never there at run time. */
  readonly '~types'?: { readonly input: Input; readonly result: Result };
  readonly args: StandardSchema | undefined;
  readonly isolation: Isolation | undefined;
  readonly lane: string | undefined;
  readonly run: (args: never, ctx: JobContext) => Result;
}

interface Manner {
  /** `shared` is the default for generators, `exclusive` for functions. */
  readonly isolation?: Isolation;
  /** The queue in which it waits for a slot; 'default' when absent. */
  readonly lane?: string;
}

/** What `job` takes where arguments are checked. */
export interface CheckedJobOptions<Input, Args, Result> extends Manner {
  /** Any Standard Schema (Zod, Valibot, ArkType, …). What does not fit ends in `invalid_args`, before anything runs. */
  readonly args: StandardSchema<Input, Args>;
  readonly run: (args: Args, ctx: JobContext) => Result;
}

/** What `job` takes where arguments are not checked. */
export interface JobOptions<Args, Result> extends Manner {
  readonly args?: undefined;
  readonly run: (args: Args, ctx: JobContext) => Result;
}

/**
 * Describes a job, for a module whose exports are jobs. A bare async function or async generator is a job as well;
 * this is for those that have more to say.
 *
 *     export const countCities = job({ args: z.object({ land: z.string() }), run: async ({ land }, ctx) => 42 });
 */
export function job<Input, Args, Result>(options: CheckedJobOptions<Input, Args, Result>): Job<Input, Result>;
export function job<Args, Result>(options: JobOptions<Args, Result>): Job<Args, Result>;
export function job<Args, Result>(
  options: CheckedJobOptions<unknown, Args, Result> | JobOptions<Args, Result>,
): Job<unknown, Result> {
  const { args, isolation, lane, run } = options;
  return Object.freeze({ [jobMark]: true as const, args, isolation, lane, run });
}

/** What a caller passes to a job, whether bare or made by `job()`. */
export type InputOf<J> = J extends { readonly '~types'?: { readonly input: infer Input; readonly result: unknown } }
  ? Input
  : J extends (args: infer Args, ctx: JobContext) => unknown
    ? Args
    : never;

type Returned<J> = J extends { readonly '~types'?: { readonly input: unknown; readonly result: infer Result } }
  ? Result
  : J extends (args: never, ctx: JobContext) => infer Result
    ? Result
    : never;

/** A row of a streaming job; `never` for a function. */
export type RowOf<J> = Returned<J> extends AsyncGenerator<infer Row, unknown, unknown> ? Row : never;

/** The value at the end: what a function resolves with, what a generator returns. */
export type ResultOf<J> =
  Returned<J> extends AsyncGenerator<unknown, infer Last, unknown> ? Last : Awaited<Returned<J>>;
