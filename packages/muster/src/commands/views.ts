/** What commands show, as lines for people. */
import type { Answers, NodeFailure } from '@muster/coordinator';
import type { FailureFacts, JobFacts, NodeFacts, OperationAnswers, SessionFacts } from '@muster/rexi';
import type { Column } from './table.ts';
import { duration, many, shortened, table } from './table.ts';

/** Something at a node. */
type At<T> = T & { readonly node: string };

const jobColumns: readonly Column<At<JobFacts>>[] = [
  { head: 'REF', of: ({ ref }) => ref },
  { head: 'JOB', of: ({ job }) => job },
  { head: 'NODE', of: ({ node }) => node },
  { head: 'COORDINATOR', of: ({ name, coordinator }) => name ?? coordinator },
  { head: 'STATE', of: ({ state }) => state },
  { head: 'AGE', of: ({ age }) => duration(age), right: true },
  { head: 'ROWS', of: ({ rows }) => rows.toLocaleString('en'), right: true },
  { head: 'QUEUE', of: ({ queue }) => queue },
];

/** All jobs of all nodes, the oldest first. */
export function jobsOf({ answers }: Answers<OperationAnswers['node-jobs']>): At<JobFacts>[] {
  const all = answers.flatMap(({ node, value }) => value.jobs.map((job) => ({ node, ...job })));
  return all.sort((a, b) => b.age - a.age);
}

/** At most so many lines of jobs, and how many more there are. */
export function jobLines(found: Answers<OperationAnswers['node-jobs']>, most: number): string[] {
  const jobs = jobsOf(found);
  const unsaid = found.answers.reduce((sum, { value }) => sum + value.more, 0);
  const more = unsaid + Math.max(0, jobs.length - most);
  if (jobs.length === 0) return ['No jobs.'];
  return [...table(jobColumns, jobs.slice(0, most)), ...(more > 0 ? [`and ${many(more, 'more job')}`] : [])];
}

/** A node that has answered, or not. */
type NodeRow = { readonly node: string; readonly address: string } & (
  { readonly value: NodeFacts } | { readonly error: NodeFailure['error'] }
);

const nodeColumns: readonly Column<NodeRow>[] = [
  { head: 'NODE', of: ({ node }) => node },
  { head: 'ADDRESS', of: ({ address }) => address },
  { head: 'STATE', of: (row) => ('error' in row ? row.error.code : row.value.draining ? 'draining' : 'up') },
  { head: 'JOBS', of: fact(({ jobs }) => jobs), right: true },
  { head: 'WAITING', of: fact(({ lanes }) => sum(Object.values(lanes).map(({ waiting }) => waiting))), right: true },
  { head: 'SESSIONS', of: fact(({ sessions }) => sessions), right: true },
  { head: 'ROWS', of: fact(({ rows }) => rows), right: true },
  { head: 'OBJECTS', of: fact(({ objects }) => objects['objects'] ?? 0), right: true },
  { head: 'LOG', of: (row) => ('error' in row ? '' : row.value.logLevel) },
  { head: 'UP', of: (row) => ('error' in row ? '' : duration(row.value.uptime)), right: true },
];

function fact(of: (facts: NodeFacts) => number): (row: NodeRow) => string {
  return (row) => ('error' in row ? '' : of(row.value).toLocaleString('en'));
}

function sum(numbers: readonly number[]): number {
  return numbers.reduce((total, one) => total + one, 0);
}

export function nodeLines({ answers, failures }: Answers<NodeFacts>): string[] {
  const lost = failures.map(({ node = '?', address, error }) => ({ node, address, error }));
  return table(nodeColumns, [...answers, ...lost]);
}

const sessionColumns: readonly Column<At<SessionFacts>>[] = [
  { head: 'COORDINATOR', of: ({ coordinator }) => coordinator },
  { head: 'NAME', of: ({ name }) => name ?? '' },
  { head: 'NODE', of: ({ node }) => node },
  { head: 'SESSION', of: ({ session }) => session, right: true },
  { head: 'STATE', of: ({ state, linked }) => (linked ? state : `${state}, no link`) },
  { head: 'GUARDIAN', of: ({ guarded }) => (guarded ? 'yes' : 'no') },
  { head: 'LEASE', of: ({ lease }) => duration(lease), right: true },
  { head: 'JOBS', of: ({ jobs }) => jobs.toLocaleString('en'), right: true },
];

export function sessionLines({ answers }: Answers<OperationAnswers['node-sessions']>): string[] {
  const all = answers.flatMap(({ node, value }) => value.sessions.map((session) => ({ node, ...session })));
  const more = sum(answers.map(({ value }) => value.more));
  if (all.length === 0) return ['No sessions.'];
  return [...table(sessionColumns, all), ...(more > 0 ? [`and ${many(more, 'more session')}`] : [])];
}

const errorColumns: readonly Column<At<FailureFacts>>[] = [
  { head: 'AGO', of: ({ age }) => duration(age), right: true },
  { head: 'NODE', of: ({ node }) => node },
  { head: 'REF', of: ({ ref }) => ref },
  { head: 'JOB', of: ({ job }) => job },
  { head: 'CODE', of: ({ code, detail }) => shortened(detail === '' ? code : `${code} (${detail})`, 60) },
  { head: 'MESSAGE', of: ({ message }) => shortened(message, 100) },
];

export function errorsOf({ answers }: Answers<readonly FailureFacts[]>): At<FailureFacts>[] {
  const all = answers.flatMap(({ node, value }) => value.map((failure) => ({ node, ...failure })));
  return all.sort((a, b) => a.age - b.age);
}

export function errorLines(found: Answers<readonly FailureFacts[]>): string[] {
  const all = errorsOf(found);
  return all.length === 0 ? ['No job has failed.'] : table(errorColumns, all);
}

/** `constants.lease = 5000`, a line each. */
export function configLines(config: Readonly<Record<string, unknown>>, within = ''): string[] {
  return Object.entries(config).flatMap(([name, value]) => {
    if (typeof value !== 'object' || value === null || Array.isArray(value))
      return [`${within}${name} = ${JSON.stringify(value)}`];
    return configLines(value as Record<string, unknown>, `${within}${name}.`);
  });
}
