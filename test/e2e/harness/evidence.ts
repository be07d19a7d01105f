import type { Cluster } from '@muster/coordinator';
import { now } from './child.ts';
import { strays } from './leftovers.ts';
import type { Lab } from './lab.ts';
import { changedAt, filesBelow, isAlive } from './machine.ts';
import { until } from './wait.ts';
import type { Line, Worker } from './worker.ts';

/** Jobs beat every few milliseconds; one that is silent for so long on a busy machine is dead. */
const beatLateness = 150;

/** Looking at all processes takes its time on a busy machine; when jobs died is told by their files and their nodes. */
const lateLook = 1_000;

/** When the last job was alive by each of three sources, in milliseconds after a moment. */
export interface Deaths {
  /** Processes that had begun a job of the incarnation, and what they had started: when they were seen to be gone. */
  readonly processes: number;
  /** When the nodes said that the last job of the session was dead; absent where nobody asks them. */
  readonly nodes?: number;
  /** When a job last touched its file; below 0: before the death. */
  readonly beats: number;
}

/** Where to look. */
export interface Scene {
  readonly observer?: Cluster;
  readonly workers: readonly Worker[];
  readonly incarnation: string;
  readonly beat: string;
}

/** Jobs of an incarnation that are alive: processes that have begun one, and what any job has started. */
export function runners(workers: readonly Worker[], incarnation: string): number[] {
  return workers.flatMap((worker) => [...worker.startedFor(incarnation), ...worker.company]).filter(isAlive);
}

/** Jobs in the tables of the nodes, all incarnations together. */
export async function jobsAt(observer: Cluster, workers: readonly Worker[]): Promise<number> {
  const stats = await Promise.all(workers.map(({ id }) => observer.request(id, 'stats') as Promise<{ jobs: number }>));
  return stats.reduce((sum, { jobs }) => sum + jobs, 0);
}

/** When something last beat in a directory. */
export function lastBeat(dir: string): number {
  return Math.max(0, ...filesBelow(dir).map((file) => changedAt(file) ?? 0));
}

/** Waits until `count` jobs have beaten in a directory. */
export async function beating(dir: string, count: number): Promise<void> {
  await until(`${count} jobs are alive in ${dir}`, () => filesBelow(dir).length >= count);
}

/**
 * Waits until nothing of an incarnation runs, by all three sources, and tells how long after `since` each has seen the
 * last of it. @throws when one of them says that something was alive after `bound` milliseconds.
 */
export async function deathsAfter(since: number, bound: number, scene: Scene): Promise<Deaths> {
  const { workers, incarnation, beat } = scene;
  const patience = since + bound + lateLook - now();
  const silent = (): boolean => runners(workers, incarnation).length === 0;
  const processes = await until(`no process of ${incarnation} is left`, () => silent() && now(), patience);
  const nodes = scene.observer && (await saidGone(scene.observer, scene));
  const beats = lastBeat(beat);
  await until('the files are silent', () => now() > Math.max(beats, processes) + beatLateness);
  // What the nodes tell of their starts has been read by now.
  if (!silent() || lastBeat(beat) > beats)
    throw new Error(`A job of ${incarnation} was alive after all was said to be dead.`);
  const deaths = {
    processes: round(processes - since),
    ...(nodes && { nodes: round(nodes - since) }),
    beats: round(beats - since),
  };
  const late = Math.max(deaths.beats, deaths.nodes ?? 0) > bound;
  if (late)
    throw new Error(`A job was alive after ${bound} ms: ${JSON.stringify(deaths)}, ${JSON.stringify(endsOf(scene))}.`);
  return deaths;
}

/** How the sessions of an incarnation have ended, for who wonders why it took so long. */
function endsOf({ workers, incarnation }: Scene): unknown[] {
  const events = ['fence', 'session-ended', 'session-gone', 'link-ended'];
  return workers.flatMap(({ history }) =>
    history.filter((line) => line['incarnation'] === incarnation && events.includes(line.event)),
  );
}

/** When the last of the nodes had buried the incarnation's session, which by then is in no table. */
async function saidGone(observer: Cluster, { workers, incarnation }: Scene): Promise<number> {
  const lines = (event: string): Line[] =>
    workers.flatMap((worker) => worker.lines(event)).filter((line) => line['incarnation'] === incarnation);
  await until('every session is over', () => lines('session-gone').length === lines('session-opened').length);
  await until('no job is in a table', async () => (await jobsAt(observer, workers)) === 0);
  return Math.max(...lines('session-gone').map(({ at }) => at));
}

/** Waits until a lab whose nodes are up is as it is while nothing runs. */
export async function quiet(lab: Lab, ms = 3_000): Promise<void> {
  let left: string[] = [];
  await until('no process or file is left', () => (left = strays(lab)).length === 0, ms).catch((error: Error) => {
    throw new Error(`${error.message} There are: ${left.join('; ')}`);
  });
}

/** A figure for the reader of the test's output. */
export function tell(what: string, figures: object): void {
  const text = Object.entries(figures).map(([name, value]) => `${name} ${String(value)}`);
  console.log(`    ${what}: ${text.join(', ')}`);
}

function round(ms: number): number {
  return Math.round(ms * 10) / 10;
}
