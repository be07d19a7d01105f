/** Processes as the kernel tells of them: nobody's word is taken for whether something still runs. */
import { readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

interface ProcessStat {
  readonly pid: number;
  readonly parent: number;
  /** With the pid it names a process for good: pids are used again. */
  readonly started: string;
  readonly dead: boolean;
}

/** Names a process for good. */
export interface ProcessName {
  readonly pid: number;
  readonly started: string;
}

/** Undefined when there is none. A process that is dead and was not yet buried by its parent counts as dead. */
export function statOf(pid: number): ProcessStat | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'latin1');
    // The name is in parentheses and may hold any, so fields count from the last one.
    const [state = '', parent, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { pid, parent: Number(parent), started: rest[17] ?? '', dead: state === 'Z' || state === 'X' };
  } catch {
    return undefined;
  }
}

export function isAlive({ pid, started }: ProcessName): boolean {
  const stat = statOf(pid);
  return stat !== undefined && !stat.dead && stat.started === started;
}

/** Waits until none of them is alive, for so many milliseconds at most; resolves with whether that is so. */
export async function areGone(processes: readonly ProcessName[], ms: number): Promise<boolean> {
  const until = performance.now() + ms;
  while (processes.some(isAlive)) {
    if (performance.now() > until) return false;
    await sleep(10);
  }
  return true;
}

/** What names a process that is alive now. */
export function nameOf(pid: number): ProcessName | undefined {
  const stat = statOf(pid);
  return stat === undefined || stat.dead ? undefined : { pid, started: stat.started };
}

/** Everything that a process has started, and what that has started. */
export function descendantsOf(pid: number): ProcessName[] {
  const all = allPids().flatMap((one) => statOf(one) ?? []);
  const found: ProcessStat[] = [];
  for (let parents = [pid]; parents.length > 0;) {
    const children = all.filter(({ parent }) => parents.includes(parent));
    found.push(...children);
    parents = children.map((child) => child.pid);
  }
  return found.filter(({ dead }) => !dead).map(({ pid: child, started }) => ({ pid: child, started }));
}

/** Processes that were started with this variable in their environment, e.g. the executors of a node. */
export function pidsWith(variable: string): number[] {
  return allPids().filter((pid) => {
    try {
      return `\0${readFileSync(`/proc/${pid}/environ`, 'latin1')}`.includes(`\0${variable}`);
    } catch {
      return false; // It is gone, or somebody else's.
    }
  });
}

function allPids(): number[] {
  return readdirSync('/proc').flatMap((name) => (/^[1-9]/.test(name) ? [Number(name)] : []));
}
