import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
// readme: begin
import { simulate } from './index.ts';

const ends: string[] = [];
const result = await simulate({
  seed: 7,
  nodes: 3,
  duration: 20_000,
  jobs: {
    resize: {
      steps: [
        { do: 'wait', ms: 300 },
        { do: 'end', value: 'smaller' },
      ],
    },
  },
  // What your service does, in each life of its process: the clock and the cluster are given, nothing else is touched.
  scenario: ({ coordinator, open }) => {
    const ask = (): void => {
      if (!open()) return;
      coordinator.cluster.call('resize').then(
        (value) => ends.push(String(value)),
        (error: { code: string }) => ends.push(error.code),
      );
      coordinator.process.clock.after(100, ask);
    };
    ask();
  },
  faults: [
    { at: 5_000, kind: 'kill-agent', node: 'w1', down: 2_000 },
    { at: 9_000, kind: 'kill-coordinator', down: 500 },
    { at: 12_000, kind: 'partition', node: 'w2', ms: 8_000 },
  ],
});
// readme: end

it('the example of the README does what it says', () => {
  expect(result.violations).toEqual([]);
  expect(result.fired.size).toBe(3);
  expect(ends.length).toBeGreaterThan(100);
  expect(new Set(ends)).toEqual(new Set(['smaller'])); // What was under way at a lost node was asked of another one.
});

it('and is the one that is printed there', () => {
  const read = (path: string): string => readFileSync(new URL(path, import.meta.url), 'utf8');
  const here = /\/\/ readme: begin\n([^]*?)\/\/ readme: end/.exec(read('readme.test.ts'))?.[1] ?? '';
  const printed = /```ts simulated.ts\n([^]*?)```/.exec(read('../README.md'))?.[1] ?? '';
  const tidy = (code: string): string => code.replaceAll(/\s+/g, ' ').trim();
  expect(tidy(printed.replaceAll("'@muster/testkit'", "'./index.ts'"))).toBe(tidy(here));
});
