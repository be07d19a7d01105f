import type { NodeProcessOptions } from '@muster/testkit/chaos';
import { NodeProcess, workerCommand } from '@muster/testkit/chaos';
import { fileURLToPath } from 'node:url';

export type { Line } from '@muster/testkit/chaos';
export const command = workerCommand();
export const jobsFile = fileURLToPath(new URL('../cluster/jobs.mjs', import.meta.url));

/** Jobs that run until they are killed. The executor of one that has ended is used again, and tells nothing. */
const endless = new Set(['spin', 'block', 'fork', 'tick']);

export type WorkerOptions = Omit<NodeProcessOptions, 'jobs'> & { readonly jobs?: string };

/** A node of the tests, whose jobs are known. */
export class Worker extends NodeProcess {
  constructor({ jobs = jobsFile, ...options }: WorkerOptions) {
    super({ jobs, ...options });
  }

  /** Executors that have begun a job of this incarnation which does not end by itself: pids. */
  startedFor(incarnation: string): number[] {
    const lines = this.lines('start').filter(
      ({ ref, job }) => String(ref).startsWith(incarnation) && endless.has(String(job)),
    );
    return [...new Set(lines.map(({ pid }) => Number(pid)))];
  }
}
