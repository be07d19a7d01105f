/**
 * Processes as the kernel tells of them. Synchronous on purpose: /proc never waits, and a promise costs more than it.
 *
 * Only what the kernel calls gone is gone. Where it cannot be asked, as there is no descriptor left to ask with, these throw
 * the system's error: who takes that for an answer counts the living among the dead.
 */
import { closeSync, openSync, readdirSync, readSync, writeFileSync } from 'node:fs';
import { setPriority } from 'node:os';

/** One line of /proc/pid/stat, as far as a hunt needs it. */
export interface ProcessStat {
  readonly pid: number;
  /** One letter: Z and X are dead. */
  readonly state: string;
  readonly group: number;
  /** When it was started, in clock ticks since boot: with the pid it names a process for good, where the pid alone does not. */
  readonly start: number;
}

/** Undefined for a process that is not there (any more). @throws the system's error where that cannot be told. */
export function statOf(pid: number): ProcessStat | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  // The name is in parentheses and may hold any, so fields count from the last one.
  const [state = '', , group, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  return { pid, state, group: Number(group), start: Number(rest[16]) };
}

/** When a process was started that is there: this one, or a child that nobody has waited for. @throws the system's error */
export function startOf(pid: number): number {
  const stat = statOf(pid);
  if (stat === undefined) throw new Error(`There is no process ${pid} in /proc.`);
  return stat.start;
}

export function isAlive({ state }: ProcessStat): boolean {
  return state !== 'Z' && state !== 'X';
}

/** What the process was started with, each `NAME=value` between two NULs; nothing where it may not be read. @throws like `statOf` */
export function environmentOf(pid: number): string {
  return `\0${read(`/proc/${pid}/environ`) ?? ''}`;
}

/** All processes there are. @throws like `statOf` */
export function allPids(): number[] {
  return readdirSync('/proc').flatMap((name) => (/^[1-9]/.test(name) ? [Number(name)] : []));
}

/**
 * Sets how much the leader of a session stands back, and what it starts from now on. Where Linux shares processors out
 * between sessions (autogroup), the niceness of a process counts among those of its session only: the session's own has
 * to be set as well.
 */
export function renice(pid: number, niceness: number): void {
  ifPossible(() => setPriority(pid, niceness));
  ifPossible(() => writeFileSync(`/proc/${pid}/autogroup`, String(niceness)));
}

/** Lets this thread, and the session of its process, stand back behind nobody; the other threads still do. */
export function hurry(): void {
  ifPossible(() => setPriority(0));
  ifPossible(() => writeFileSync('/proc/self/autogroup', '0'));
}

/** What has ended already, may not be changed, or has no such group, is as fast as it is. */
function ifPossible(set: () => void): void {
  try {
    set();
  } catch {
    // See above.
  }
}

/** Everything below a process, while parents still tell of their children. @throws like `statOf` */
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
  const threads = ifThere(() => readdirSync(`/proc/${pid}/task`)) ?? [];
  return threads.flatMap((thread) => numbers(read(`/proc/${pid}/task/${thread}/children`) ?? ''));
}

function numbers(text: string): number[] {
  return text.split(' ').filter(Boolean).map(Number);
}

/** What is read into; grows with what there is. */
let buffer = Buffer.allocUnsafeSlow(16_384);

/**
 * Undefined where there is no such process, or it is none of ours to read. In half the time of `readFileSync`: a hunt
 * reads hundreds of these while what is dying needs the processor.
 */
function read(path: string): string | undefined {
  return ifThere(() => {
    const file = openSync(path, 'r');
    try {
      let size = 0;
      for (let more = -1; more !== 0; size += more) {
        if (size === buffer.length) buffer = Buffer.concat([buffer], 2 * size);
        more = readSync(file, buffer, size, buffer.length - size, null);
      }
      return buffer.toString('latin1', 0, size);
    } finally {
      closeSync(file);
    }
  });
}

/** What the kernel says of a process that has gone, and of one that belongs to somebody else. */
const absent: ReadonlySet<unknown> = new Set(['ENOENT', 'ESRCH', 'EACCES', 'EPERM']);

function ifThere<Result>(look: () => Result): Result | undefined {
  try {
    return look();
  } catch (error) {
    if (absent.has((error as NodeJS.ErrnoException).code)) return undefined;
    throw error;
  }
}
