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

/** Any name that is asked for is a job; one that no node knows is refused there. */
export function verbsOf(caller: Caller): unknown {
  const made = new Map<string, Verbs>();
  return new Proxy(Object.create(null) as object, {
    get: (_target, job) => {
      // A handle that looks like a promise would be called by `await`.
      if (typeof job !== 'string' || job === 'then') return undefined;
      const verbs = made.get(job) ?? verbsOfJob(caller, job);
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
