import type { ProcessFacts } from '../process/machine.ts';
import { childrenOf, processesWith, variableOf } from '../process/machine.ts';
import { isExecutor, markerName, type NodeProcess } from './node-process.ts';

/** A process of a job that nobody is there for any more. */
export interface Orphan {
  readonly pid: number;
  readonly command: string;
  /** The node whose marker it carries. */
  readonly node: string;
  /** Why it should not be there. */
  readonly why: 'its agent is gone' | 'its coordinator is gone' | 'its job is gone';
}

/** Where to look, and who is alive. */
export interface Scene {
  /** `NAME=value` that every process of the lab carries. */
  readonly mark: string;
  /** Every node that was started, also one that has ended. */
  readonly nodes: readonly NodeProcess[];
  /** Incarnations under which coordinators that live have requests that have not ended. */
  readonly incarnations: ReadonlySet<string>;
}

interface Marked extends ProcessFacts {
  /** `<node>/<life>-<number>` */
  readonly marker: string;
}

/**
 * Everything with the marker of a job, in its environment as the kernel tells it, that runs for nobody: what the agent of
 * its life has left behind, what runs for a coordinator that is gone, what a job has started that is over itself.
 * Executors that wait for their next job belong to their agents.
 */
export function orphansIn({ mark, nodes, incarnations }: Scene): Orphan[] {
  const marked = processesWith(`${markerName}=`, mark).flatMap((facts) => {
    const marker = variableOf(facts.pid, markerName);
    return marker === undefined ? [] : [{ ...facts, marker }]; // Without one it has ended in between.
  });
  const lives = new Set(nodes.filter(({ ending }) => ending === undefined).flatMap(livesOf));
  const running = nodes.flatMap((node) => node.running);
  const wanted = new Set(running.filter(({ ref }) => incarnations.has(incarnationOf(ref))).map(({ pid }) => pid));
  const unwanted = new Set(running.filter(({ ref }) => !incarnations.has(incarnationOf(ref))).map(({ pid }) => pid));
  const busy = new Set(marked.filter(({ pid }) => wanted.has(pid)).map(({ marker }) => marker));
  return marked.flatMap((each) => {
    const why = lives.has(lifeOf(each.marker)) ? reasonOf(each, unwanted, busy) : 'its agent is gone';
    const { pid, command, marker } = each;
    return why === undefined ? [] : [{ pid, command, why, node: marker.split('/')[0] ?? '' }];
  });
}

function reasonOf(
  { pid, command, marker }: Marked,
  unwanted: ReadonlySet<unknown>,
  busy: ReadonlySet<string>,
): Orphan['why'] | undefined {
  if (isExecutor(command)) return unwanted.has(pid) && !busy.has(marker) ? 'its coordinator is gone' : undefined;
  return busy.has(marker) ? undefined : 'its job is gone';
}

/** An agent's life is in the markers of its executors, and it has spares as long as it lives. */
function livesOf({ pid }: NodeProcess): string[] {
  return childrenOf(pid).flatMap((child) => {
    const marker = variableOf(child.pid, markerName);
    return marker === undefined ? [] : [lifeOf(marker)];
  });
}

function lifeOf(marker: string): string {
  return marker.slice(0, marker.lastIndexOf('-'));
}

function incarnationOf(ref: unknown): string {
  return String(ref).slice(0, 16);
}
