import { ClusterError, isReservedName } from '@muster/rexi';
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

/** Bytes of a name: what a cast can say. */
const longestName = 128;

/**
 * The jobs that a module exports, by name. Own exports only: bare async functions and async generators, and what `job()`
 * has made. Classes and plain values are left alone.
 * @throws ClusterError `bad_options` for no job at all, a default export, a name that cannot be one, or a plain generator.
 */
export function loadJobs(namespace: object): ReadonlyMap<string, LoadedJob> {
  const table = new Map<string, LoadedJob>();
  for (const [name, exported] of exportsOf(namespace)) {
    const described = describe(name, exported);
    if (described !== undefined) table.set(name, described);
  }
  if (table.size === 0)
    throw bad('The jobs module exports no job; export async functions or async generators by name.');
  return table;
}

function exportsOf(namespace: object): [string, unknown][] {
  if (!('default' in namespace)) return Object.entries(namespace);
  // A CommonJS module arrives as its default export, and its names beside it only as far as a scan could find them.
  const { default: whole, 'module.exports': _, ...named } = namespace as Record<string, unknown>;
  const isModule = typeof whole === 'object' && whole !== null && !(jobMark in whole);
  // One that was compiled from an ES module has that one's default export under its name.
  if (!isModule || ('default' in whole && whole.default !== whole))
    throw bad('The jobs module has a default export; jobs are exported by name.');
  const { default: _itself, __esModule: _mark, ...all } = { ...whole, ...named } as Record<string, unknown>;
  return Object.entries(all);
}

function describe(name: string, exported: unknown): LoadedJob | undefined {
  if (isJob(exported)) return entry(name, exported);
  if (typeof exported !== 'function' || isClass(exported)) return undefined;
  return entry(name, { run: exported as Job['run'] });
}

function entry(name: string, { run, args, isolation, lane }: Partial<Job> & Pick<Job, 'run'>): LoadedJob {
  checkName(name);
  if (typeof run !== 'function') throw bad(`The job "${name}" has no function "run".`);
  if (isolation !== undefined && isolation !== 'shared' && isolation !== 'exclusive')
    throw bad(`The job "${name}" is "${String(isolation)}"; there are "shared" and "exclusive".`);
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
  if (isReservedName(name))
    throw bad(
      `"${name}" cannot be the name of a job: every value may be asked for it. Rename it, or do not export it.`,
    );
  if (name === '' || Buffer.byteLength(name) > longestName) {
    throw bad(`"${name.slice(0, longestName)}" cannot be the name of a job: one has 1 to ${longestName} bytes.`);
  }
}

function isStream(name: string, run: object): boolean {
  const kind = Object.prototype.toString.call(run);
  if (kind === '[object GeneratorFunction]') {
    throw bad(`The job "${name}" is a plain generator; write "async function*".`);
  }
  return kind === '[object AsyncGeneratorFunction]';
}

function isJob(value: unknown): value is Job {
  return typeof value === 'object' && value !== null && jobMark in value;
}

function isClass(value: object): boolean {
  return /^class\b/.test(Function.prototype.toString.call(value));
}

function bad(what: string): ClusterError {
  return new ClusterError('bad_options', what);
}
