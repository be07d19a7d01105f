import { isReservedName } from '@muster/rexi';
import type { CallOptions, ReduceOptions, ScatterOptions, StreamOptions } from './request.ts';
import type { RowStream } from './row-stream.ts';

/** What can be done with a job by its name. */
export interface Caller {
  call(job: string, args?: unknown, options?: CallOptions): Promise<unknown>;
  stream(job: string, args?: unknown, options?: StreamOptions): RowStream<unknown>;
  scatter(job: string, args?: unknown, options?: ScatterOptions<unknown>): RowStream<unknown>;
  reduce<R>(job: string, args: unknown, options: ReduceOptions<unknown, R>): Promise<R>;
}

/** One job: called as a function, with three more on it. */
interface Verbs {
  (args?: unknown, options?: CallOptions): Promise<unknown>;
  stream(args?: unknown, options?: StreamOptions): RowStream<unknown>;
  scatter(args?: unknown, options?: ScatterOptions<unknown>): RowStream<unknown>;
  reduce<R>(args: unknown, options: ReduceOptions<unknown, R>): Promise<R>;
}

/**
 * Any name that is asked for is a job, but for those that are asked of every value: looking at a handle must not run one.
 * A job that no node knows is refused there.
 */
export function verbsOf(caller: Caller): unknown {
  const made = new Map<string, Verbs>();
  const plain = Object.freeze({});
  return new Proxy(plain, {
    get: (_target, job) => {
      const known = made.get(job as string);
      if (known !== undefined) return known;
      if (typeof job !== 'string' || isReservedName(job)) return Reflect.get(plain, job) as unknown;
      const verbs = verbsOfJob(caller, job);
      made.set(job, verbs);
      return verbs;
    },
  });
}

function verbsOfJob(caller: Caller, job: string): Verbs {
  return Object.assign((args?: unknown, options?: CallOptions) => caller.call(job, args, options), {
    stream: (args?: unknown, options?: StreamOptions) => caller.stream(job, args, options),
    scatter: (args?: unknown, options?: ScatterOptions<unknown>) => caller.scatter(job, args, options),
    reduce: <R>(args: unknown, options: ReduceOptions<unknown, R>) => caller.reduce(job, args, options),
  });
}
