import type { Trace } from '@muster/rexi';
import { ClusterError, isCorrelationId, isTraceparent, isTracestate, valueLimits } from '@muster/rexi';
import type { MergeBy } from './row-order.ts';
import type {
  CallOptions,
  InlineUpTo,
  ReduceOptions,
  RequestOptions,
  ScatterOptions,
  StreamOptions,
} from './request.ts';
import type { Rule, Rules } from './rules.ts';
import { aFunction, anObject, anything, aSwitch, aText, checkOptions, isObject, oneOf, shown } from './rules.ts';

/** Bytes of the name of a job or a question: what a message can say. */
const longestName = 128;

const isId = (value: unknown): boolean => typeof value === 'string' || typeof value === 'number';
const isList = (value: unknown): boolean => Array.isArray(value) && value.every(isId);
const milliseconds: Rule = {
  holds: (value) => typeof value === 'number' && value > 0,
  is: 'a number of milliseconds above 0',
};
const limit: Rule = {
  holds: (value) => value === Infinity || (Number.isInteger(value) && (value as number) >= 0),
  is: 'a whole number of rows, 0 or more',
};
const shard: Rule = { holds: isId, is: "a shard's id, a number or a text" };

const request: Rules<RequestOptions> = {
  signal: {
    holds: (value) => isObject(value) && 'aborted' in value && 'addEventListener' in value,
    is: 'an AbortSignal',
  },
  timeout: milliseconds,
  messageTimeout: milliseconds,
  priority: {
    holds: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 255,
    is: '0 to 255',
  },
  trace: anObject,
  onProgress: aFunction,
  onLog: aFunction,
};
const key: Rule = {
  holds: (value) => typeof value === 'string' || value instanceof Uint8Array,
  is: 'a text or bytes',
};
const trace: Rules<Trace> = {
  traceparent: {
    holds: isTraceparent,
    is: 'a traceparent of W3C Trace Context, like "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"',
  },
  tracestate: {
    holds: isTracestate,
    is: 'a tracestate of W3C Trace Context: "key=value,key=value", 512 characters at most',
  },
  correlationId: { holds: isCorrelationId, is: 'a text of 1 to 128 characters without control characters' },
};
const result: Rule = {
  holds: (value) => value === 'value' || value === 'key' || isObject(value),
  is: "'value', 'key' or { inlineUpTo: bytes }",
};
const inline: Rules<InlineUpTo> = {
  inlineUpTo: {
    holds: (value) => Number.isInteger(value) && (value as number) >= 0 && (value as number) <= valueLimits.bytes,
    is: `a whole number of bytes, 0 to ${valueLimits.bytes}`,
  },
};
const one = { ...request, shard, node: aText, key };
const call: Rules<CallOptions> = { ...one, result };
const stream: Rules<StreamOptions> = { ...one, limit };
const parts: Rules<Omit<ScatterOptions<unknown>, 'merge' | 'limit'>> = {
  ...request,
  over: {
    holds: (value) => value === 'shards' || value === 'nodes' || isList(value),
    is: "'shards', 'nodes' or a list of ids of shards",
  },
  race: aSwitch,
  partial: aSwitch,
};
const scatter: Rules<ScatterOptions<unknown>> = {
  ...parts,
  merge: { holds: isObject, is: "an object like { by: 'n' } or { compare: (a, b) => a.n - b.n }" },
  limit,
};
const reduce: Rules<ReduceOptions<unknown, unknown>> = { ...parts, initial: anything, reduce: aFunction };
const merge: Rules<MergeBy<unknown>> = {
  by: {
    holds: aText.holds,
    is: 'the name of a field that rows are ordered by; an order of your own is merge.compare, and rows that are keys themselves need neither',
  },
  compare: aFunction,
  direction: oneOf('asc', 'desc'),
};

/** @throws ClusterError `bad_options` with the option's name, like the others here. */
export function checkCall(job: string, options: CallOptions): void {
  checkRequest(job, options, 'call', call);
  checkPlace(job, options);
  if (!isObject(options.result)) return;
  checkOptions(options.result, inline, { of: 'call', within: 'result.', context: { job } });
  if (options.result.inlineUpTo === undefined)
    throw new ClusterError('bad_options', 'result.inlineUpTo is missing: the bytes up to which a value comes.', {
      job,
    });
}

export function checkStream(job: string, options: StreamOptions): void {
  checkRequest(job, options, 'stream', stream);
  checkPlace(job, options);
}

export function checkScatter<Row>(job: string, options: ScatterOptions<Row>): void {
  checkRequest(job, options, 'scatter', scatter);
  if (options.merge === undefined) return;
  checkOptions(options.merge, merge, { of: 'scatter', within: 'merge.', context: { job } });
  if (options.merge.by !== undefined && options.merge.compare !== undefined)
    throw new ClusterError('bad_options', 'merge.by and merge.compare are two orders; give one of them.', { job });
}

export function checkReduce<Row, Result>(job: string, options: ReduceOptions<Row, Result>): void {
  checkRequest(job, options ?? {}, 'reduce', reduce);
  if (options?.reduce === undefined)
    throw new ClusterError('bad_options', 'reduce is a function (result, row) => result; give it one.', { job });
  if (!('initial' in options))
    throw new ClusterError(
      'bad_options',
      'initial is missing: what reduce begins with, and ends with if no row comes.',
      {
        job,
      },
    );
}

/** @throws ClusterError `bad_options` for what no message can say. */
export function checkName(what: string, name: unknown): void {
  if (typeof name !== 'string') throw new ClusterError('bad_options', `${what} is a text, not ${shown(name)}.`);
  const size = Buffer.byteLength(name);
  if (size >= 1 && size <= longestName) return;
  throw new ClusterError('bad_options', `${what} has 1 to ${longestName} bytes, not ${size}.`);
}

function checkRequest(job: string, options: unknown, of: string, rules: Readonly<Record<string, Rule>>): void {
  checkName("A job's name", job);
  checkOptions(options, rules, { of, context: { job } });
  const said = (options as RequestOptions).trace;
  if (said === undefined) return;
  checkOptions(said, trace, { of, within: 'trace.', context: { job } });
  if (said.tracestate !== undefined && said.traceparent === undefined)
    throw new ClusterError('bad_options', 'trace.tracestate means nothing without a trace.traceparent; give both.', {
      job,
    });
}

function checkPlace(job: string, { shard, node, key }: Pick<CallOptions, 'shard' | 'node' | 'key'>): void {
  if ([shard, node, key].filter((place) => place !== undefined).length > 1)
    throw new ClusterError(
      'bad_options',
      'Name the shard, the node or the key that it goes to, and only one of them.',
      {
        job,
      },
    );
}
