/** Processes as the kernel tells of them. Synchronous on purpose: /proc never waits, and a promise costs more than it. */
import { readdirSync, readFileSync } from 'node:fs';

/** One line of /proc/pid/stat, as far as a hunt needs it. */
export interface ProcessStat {
  readonly pid: number;
  /** One letter: Z and X are dead. */
  readonly state: string;
  readonly group: number;
  /** When it was started, in clock ticks since boot: with the pid it names a process for good, where the pid alone does not. */
  readonly start: number;
}

/** Undefined for a process that is not there (any more). */
export function statOf(pid: number): ProcessStat | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The name is in parentheses and may hold any, so fields count from the last one.
  const [state = '', , group, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { pid, state, group: Number(group), start: Number(rest[16]) };
}

export function isAlive({ state }: ProcessStat): boolean {
  return state !== 'Z' && state !== 'X';
}

/** What the process was started with, each `NAME=value` between two NULs; nothing where it may not be read. */
export function environmentOf(pid: number): string {
  return `\0${read(`/proc/${pid}/environ`) ?? ''}`;
}

/** All processes there are. */
export function allPids(): number[] {
  return readdirSync('/proc').flatMap((name) => (/^[1-9]/.test(name) ? [Number(name)] : []));
}

/** Everything below a process, while parents still tell of their children. */
export function descendantsOf(pid: number): number[] {
  const found: number[] = [];
  for (let next: number[] = [pid]; next.length > 0;) {
    next = next.flatMap(childrenOf).filter((child) => !found.includes(child));
    found.push(...next);
  }
  return found;
}

/** Each thread tells of the children that it has started itself. */
function childrenOf(pid: number): number[] {
  try {
    const threads = readdirSync(`/proc/${pid}/task`);
    return threads.flatMap((thread) => numbers(read(`/proc/${pid}/task/${thread}/children`) ?? ''));
  } catch {
    return [];
  }
}

function numbers(text: string): number[] {
  return text.split(' ').filter(Boolean).map(Number);
}

/** Undefined where there is no such process, or it is none of ours to read. */
function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
