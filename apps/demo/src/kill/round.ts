import { setTimeout as sleep } from 'node:timers/promises';
import type { Scene } from '../queries/scene.ts';
import { rowsSent } from '../queries/scene.ts';
import { nameOf, pidsWith } from '../stage/processes.ts';
import type { Stage, StageNode } from '../stage/stage.ts';
import type { Beat } from './beat.ts';
import { readBeats } from './beat.ts';
import type { Victims } from './victims.ts';
import type { Seen, Watched } from './watch.ts';
import { watchEnd } from './watch.ts';

/** One way to lose a coordinator. */
export interface Round {
  readonly title: string;
  readonly kills: 'coordinator' | 'coordinator and guardian';
  /** Its links stay open: nobody hears that it has gone. */
  readonly held: boolean;
}

/** What became of the jobs on one node. */
export interface NodeResult extends Seen {
  readonly loops: number;
  readonly streams: number;
  /** The last sign that any of them gave, in milliseconds since the kill. */
  readonly lastBeat: number;
  /** When the node ended the session, who made it do so, and how many jobs went with it: by its own account. */
  readonly endedAfter: number;
  readonly by: string;
  readonly killed: number;
}

export interface RoundResult {
  readonly nodes: readonly NodeResult[];
  /** Milliseconds until all jobs ran. */
  readonly startup: number;
  /** Rows that the second coordinator had read. */
  readonly rows: number;
  /** The guardian has gone by itself when its work was done; false where it was killed. */
  readonly guardianLeft: boolean;
}

/** Loops, and as many streams. */
const loops = 32;
/** Milliseconds: for the jobs to start, for them to run, and beyond the lease for the last of them to end. */
const startTime = 30_000;
const runTime = 300;
const margin = 5_000;

/** Scatters endless jobs from a second coordinator, kills it, and watches them end. @throws when one of them goes on. */
export async function playRound(stage: Stage, scene: Scene, round: Round): Promise<RoundResult> {
  const began = performance.now();
  const victims = stage.addCoordinator({
    nodes: round.held ? stage.proxied : stage.addresses,
    names: scene.nodes,
    secretFile: stage.secretFile,
    lease: stage.lease,
    loops,
  });
  const incarnation = await victims.incarnation;
  const watched = await running(stage, incarnation);
  const startup = performance.now() - began;
  await sleep(runTime);
  victims.findGuardian();
  hold(stage, round.held);
  const nodes = await killAndWatch(stage, victims, round, watched, incarnation);
  hold(stage, false);
  await checkSilence(stage, scene, incarnation);
  const guardianLeft = round.kills === 'coordinator' && (await victims.guardianLeft());
  return { nodes, startup, rows: victims.rows, guardianLeft };
}

function hold(stage: Stage, holds: boolean): void {
  for (const { proxy } of stage.nodes) proxy.holds = holds;
}

async function killAndWatch(
  stage: Stage,
  victims: Victims,
  { kills }: Round,
  watched: readonly Watched[],
  incarnation: string,
): Promise<NodeResult[]> {
  const since = performance.now();
  const at = Date.now();
  if (kills === 'coordinator') victims.killCoordinator();
  else victims.killBoth();
  const seen = await watchEnd(watched, since, stage.lease + margin);
  return Promise.all(stage.nodes.map((node, i) => resultOf(node, incarnation, at, watched[i], seen[i])));
}

/** Waits until every job has given a sign of itself; each names the process that it runs in. */
async function running(stage: Stage, incarnation: string): Promise<Watched[]> {
  const until = performance.now() + startTime;
  for (;;) {
    const found = stage.nodes.map(({ process: { dataDir } }) => readBeats(dataDir, incarnation));
    const total = found.reduce((sum, beats) => sum + beats.length, 0);
    if (total === 2 * loops) return stage.nodes.map((node, i) => watchedOf(node, found[i] ?? []));
    if (performance.now() > until) throw new Error(`Only ${total} of ${2 * loops} jobs run after ${startTime} ms.`);
    await sleep(50);
  }
}

/** @throws when a job runs in a process that is none of its node's executors. */
function watchedOf({ process: { id } }: StageNode, beats: readonly Beat[]): Watched {
  const executors = pidsWith(`MUSTER_EXECUTOR=${id}/`);
  const jobs = beats.map((beat) => {
    const process = nameOf(beat.pid);
    if (process === undefined || !executors.includes(beat.pid))
      throw new Error(`The job ${beat.ref} does not run in an executor of ${id}.`);
    return { ...beat, process };
  });
  return { node: id, jobs };
}

async function resultOf(
  { process }: StageNode,
  incarnation: string,
  at: number,
  watched?: Watched,
  seen?: Seen,
): Promise<NodeResult> {
  const { id, dataDir } = process;
  const tells = (what: string) =>
    process.line(({ event, incarnation: whose }) => event === what && whose === incarnation, 2_000);
  const ended = await tells('session-ended');
  const gone = await tells('session-gone');
  if (watched === undefined || seen?.goneAfter === undefined || ended === undefined || gone === undefined) {
    throw new Error(`Jobs of a dead coordinator still run on ${id}.`);
  }
  const streams = watched.jobs.filter(({ job }) => job === 'tick').length;
  const lastBeat = Math.max(...readBeats(dataDir, incarnation).map((beat) => beat.at)) - at;
  const told = { endedAfter: ended.at - at, by: ended.by ?? '?', killed: gone.killed ?? 0 };
  return { ...seen, ...told, loops: watched.jobs.length - streams, streams, lastBeat };
}

/** No node has a job any more by its own account, and no job gives a sign any more. @throws otherwise. */
async function checkSilence(stage: Stage, scene: Scene, incarnation: string): Promise<void> {
  await rowsSent(scene);
  const signs = (): string =>
    JSON.stringify(stage.nodes.map(({ process: { dataDir } }) => readBeats(dataDir, incarnation)));
  const before = signs();
  await sleep(100);
  if (signs() !== before) throw new Error('A job of a dead coordinator still gives signs of itself.');
}
