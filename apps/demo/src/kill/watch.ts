import { setTimeout as sleep } from 'node:timers/promises';
import type { ProcessName } from '../stage/processes.ts';
import { isAlive } from '../stage/processes.ts';
import type { Beat } from './beat.ts';
import type { Sample } from './timeline.ts';

/** Jobs of a node, and the processes they run in. */
export interface Watched {
  readonly node: string;
  readonly jobs: readonly (Beat & { readonly process: ProcessName })[];
}

/** What was seen of a node since the kill. */
export interface Seen {
  readonly node: string;
  readonly samples: readonly Sample[];
  /** When the last process was found dead, in milliseconds since the kill; undefined: it was not. */
  readonly goneAfter: number | undefined;
}

/** Milliseconds between two looks. */
const every = 4;

/**
 * Looks at the processes of all jobs until none is alive, or the time has passed. Here a job ends with its process: a
 * stream that has ended in a process that still lives counts as running.
 */
export async function watchEnd(watched: readonly Watched[], since: number, ms: number): Promise<Seen[]> {
  const all = watched.map(({ node, jobs }) => ({
    node,
    jobs: [...jobs],
    samples: [{ ms: 0, running: jobs.length }],
    goneAfter: undefined as number | undefined,
  }));
  while (all.some(({ jobs }) => jobs.length > 0) && performance.now() - since < ms) {
    for (const one of all) look(one, since);
    await sleep(every);
  }
  return all;
}

function look(
  one: { jobs: Watched['jobs'][number][]; samples: Sample[]; goneAfter: number | undefined },
  since: number,
): void {
  const living = one.jobs.filter(({ process }) => isAlive(process));
  if (living.length === one.jobs.length) return;
  one.jobs = living;
  const ms = performance.now() - since;
  one.samples.push({ ms, running: living.length });
  if (living.length === 0) one.goneAfter = ms;
}
