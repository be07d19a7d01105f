import type { Script, ScriptCall, Step } from '@muster/worker/testing';

import { objectJobs } from './object-jobs.ts';

/** What the rows of a simulated stream are: whose they are, and which. */
export type SimRow = readonly [ref: string, n: number];

interface StreamArgs {
  /** Rows in all, so many to a batch, and milliseconds between batches. */
  readonly count: number;
  readonly batch: number;
  readonly gap: number;
}

function rowsOf({ ref, args }: ScriptCall): Step[] {
  const { count, batch, gap } = args as StreamArgs;
  const steps: Step[] = [];
  for (let at = 0; at < count; at += batch) {
    if (gap > 0) steps.push({ do: 'wait', ms: gap });
    const rows = Array.from({ length: Math.min(batch, count - at) }, (_, i): SimRow => [ref, at + i]);
    steps.push({ do: 'rows', rows, batch });
  }
  return steps;
}

function waits({ args }: ScriptCall): Step[] {
  return [{ do: 'wait', ms: Number(args) }];
}

/** The jobs of a simulated node, good and bad. Streams yield `[reference, number]`; functions give their reference. */
export const simJobs: Readonly<Record<string, Script>> = {
  answer: { steps: ({ ref }) => [{ do: 'end', value: ref }] },
  work: { steps: (call) => [...waits(call), { do: 'end', value: call.ref }] },
  narrow: { lane: 'narrow', steps: (call) => [...waits(call), { do: 'end', value: call.ref }] },
  hang: { steps: [{ do: 'hang' }] },
  deaf: { steps: [{ do: 'hang' }], stops: Infinity },
  slowToStop: { steps: [{ do: 'hang' }], stops: 200 },
  throws: { steps: (call) => [...waits(call), { do: 'fail', message: 'it throws' }] },
  dies: { steps: (call) => [...waits(call), { do: 'die' }] },
  rows: { stream: true, steps: rowsOf },
  narrowRows: { stream: true, lane: 'narrow', steps: rowsOf },
  rowsThenThrow: { stream: true, steps: (call) => [...rowsOf(call), { do: 'fail', message: 'it throws at the end' }] },
  endless: { stream: true, steps: (call) => [...rowsOf(call), { do: 'hang' }] },
  ...objectJobs,
  slowStart: { stream: true, takes: 400, steps: rowsOf },
};
