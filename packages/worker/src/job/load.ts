import { ClusterError } from '@muster/rexi';
import type { Isolation, JobEntry } from '../executor/executor.ts';
import type { JobContext } from './context.ts';
import type { Job } from './job.ts';
import { jobMark } from './job.ts';
import type { StandardSchema } from './standard-schema.ts';

/** A job that can be run: its entry in the table, and the code. */
export interface LoadedJob extends JobEntry {
  readonly schema: StandardSchema | undefined;
  readonly run: (args: unknown, ctx: JobContext) => unknown;
}

/** Names that would shadow what every object, or every promise, has: a typed proxy of jobs could not offer them. */
const reserved = new Set(['__proto__', 'constructor', 'prototype', 'then']);

/** Bytes of a name: what a cast can say. */
const longestName = 128;

/**
 * The jobs that a module exports, by name. Own exports only: bare async functions and async generators, and what `job()`
 * has made. Classes and plain values are left alone.
 * @throws ClusterError `bad_options` for a default export, a name that cannot be one, or a plain generator.
 */
export function loadJobs(namespace: object): ReadonlyMap<string, LoadedJob> {
  const table = new Map<string, LoadedJob>();
  for (const [name, exported] of exportsOf(namespace)) {
    const described = describe(name, exported);
    if (described !== undefined) table.set(name, described);
  }
  return table;
}

function exportsOf(namespace: object): [string, unknown][] {
  const entries = Object.entries(namespace);
  const { default: fallback } = namespace as { readonly default?: unknown };
  // A CommonJS module arrives as its default export, and its names beside it only as far as a scan could find them.
  if (typeof fallback !== 'object' || fallback === null || jobMark in fallback) return entries;
  const found = new Map([...Object.entries(fallback), ...entries]);
  for (const interop of ['default', 'module.exports', '__esModule']) found.delete(interop);
  return [...found];
}

function describe(name: string, exported: unknown): LoadedJob | undefined {
  if (isJob(exported)) return entry(name, exported);
  if (typeof exported !== 'function' || isClass(exported)) return undefined;
  return entry(name, { run: exported as Job['run'] });
}

function entry(name: string, { run, args, isolation, lane }: Partial<Job> & Pick<Job, 'run'>): LoadedJob {
  checkName(name);
  if (typeof run !== 'function') throw new ClusterError('bad_options', `The job "${name}" has no function "run".`);
  if (isolation !== undefined && isolation !== 'shared' && isolation !== 'exclusive') {
    throw new ClusterError(
      'bad_options',
      `The job "${name}" is "${String(isolation)}"; there are "shared" and "exclusive".`,
    );
  }
  const stream = isStream(name, run);
  return {
    name,
    stream,
    isolation: isolation ?? usual(stream),
    lane: lane ?? 'default',
    schema: args,
    run: run as LoadedJob['run'],
  };
}

function usual(stream: boolean): Isolation {
  return stream ? 'shared' : 'exclusive';
}

function checkName(name: string): void {
  if (name === 'default') {
    throw new ClusterError('bad_options', 'The jobs module has a default export; jobs are exported by name.');
  }
  if (reserved.has(name) || name === '' || Buffer.byteLength(name) > longestName) {
    throw new ClusterError('bad_options', `"${name.slice(0, longestName)}" cannot be the name of a job.`);
  }
}

function isStream(name: string, run: object): boolean {
  const kind = Object.prototype.toString.call(run);
  if (kind === '[object GeneratorFunction]') {
    throw new ClusterError('bad_options', `The job "${name}" is a plain generator; write "async function*".`);
  }
  return kind === '[object AsyncGeneratorFunction]';
}

function isJob(value: unknown): value is Job {
  return typeof value === 'object' && value !== null && jobMark in value;
}

function isClass(value: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}
