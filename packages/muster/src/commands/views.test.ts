import type { Answers } from '@muster/coordinator';
import type { FailureFacts, JobFacts, OperationAnswers } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import { duration, printable, shortened, table } from './table.ts';
import { configLines, errorLines, jobLines } from './views.ts';

const job = (ref: string, age: number): JobFacts => ({
  ref,
  job: 'count',
  coordinator: '0123456789abcdef',
  name: undefined,
  state: 'running',
  age,
  rows: 12_345,
  queue: 'default',
});

function answers<T>(...values: T[]): Answers<T> {
  return { answers: values.map((value, i) => ({ node: `n${i}`, address: `ws://n${i}:1`, value })), failures: [] };
}

describe('jobs', () => {
  const found: Answers<OperationAnswers['node-jobs']> = answers(
    { jobs: [job('r1', 500), job('r2', 90_000)], more: 7 },
    { jobs: [job('r3', 7_000)], more: 0 },
  );

  it('of all nodes are shown together, the oldest first, and how many more there are', () => {
    const [head, ...lines] = jobLines(found, Infinity);
    expect(head).toMatch(/^REF +JOB +NODE +COORDINATOR/);
    expect(lines).toEqual([
      'r2   count  n0    0123456789abcdef  running  1m30s  12,345  default',
      'r3   count  n1    0123456789abcdef  running     7s  12,345  default',
      'r1   count  n0    0123456789abcdef  running  500ms  12,345  default',
      'and 7 more jobs',
    ]);
  });

  it('beyond those that are wanted are counted, too', () => {
    expect(jobLines(found, 1).slice(1)).toEqual([expect.stringMatching(/^r2 /), 'and 9 more jobs']);
    expect(jobLines(answers({ jobs: [], more: 0 }), 10)).toEqual(['No jobs.']);
  });
});

describe('what jobs have said', () => {
  it('moves no cursor and breaks no line: control characters are dots, and it is cut short', () => {
    const message = `\u001b[2J\r\nall\tgone\u202e${'x'.repeat(300)}`;
    const failure: FailureFacts = { ref: 'r', job: 'j', code: 'job_failed', detail: '', message, age: 1 };
    const [, line = '', ...rest] = errorLines(answers([failure]));
    expect(rest).toEqual([]);
    expect(line).toContain('job_failed  ·[2J··all·gone·xxx');
    expect(line.endsWith('…')).toBe(true);
    expect(printable('Zürich, 東京')).toBe('Zürich, 東京');
  });
});

it('the configuration is a line for each value', () => {
  const config = { id: 'a', advertise: ['h:1'], constants: { lease: 5 }, lanes: { default: { queue: 1 } } };
  expect(configLines(config, 'a: ')).toEqual([
    'a: id = "a"',
    'a: advertise = ["h:1"]',
    'a: constants.lease = 5',
    'a: lanes.default.queue = 1',
  ]);
});

it('columns are as wide as they need to be, and numbers end together', () => {
  const columns = [
    { head: 'N', of: ({ n }: { n: number }) => n, right: true },
    { head: 'NAME', of: ({ name }: { name: string }) => name },
  ];
  expect(
    table(columns, [
      { n: 1, name: 'one' },
      { n: 100, name: '' },
    ]),
  ).toEqual(['  N  NAME', '  1  one', '100']);
});

it.each([
  [0, '0ms'],
  [999, '999ms'],
  [59_900, '59s'],
  [185_000, '3m05s'],
  [7_500_000, '2h05m'],
  [273_600_000, '3d04h'],
])('%i ms is read as %s', (ms, said) => {
  expect(duration(ms)).toBe(said);
});

it('a text is shortened to its most, with a mark', () => {
  expect([shortened('abc', 3), shortened('abcd', 3)]).toEqual(['abc', 'ab…']);
});
