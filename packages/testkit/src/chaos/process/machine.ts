/** What the kernel tells of processes and sockets. */
import { readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';

export interface ProcessFacts {
  readonly pid: number;
  readonly parent: number;
  /** Z and X are dead. */
  readonly state: string;
  /** Clock ticks since boot: with the pid it names a process for good. */
  readonly start: number;
  /** User and system time, in clock ticks (100 a second). */
  readonly ticks: number;
  readonly command: string;
}

/** Undefined for a process that is not there, or only waits to be waited for. */
export function processOf(pid: number): ProcessFacts | undefined {
  const text = read(`/proc/${pid}/stat`);
  if (text === undefined) return undefined;
  const [state = '', parent, ...rest] = text.slice(text.lastIndexOf(')') + 2).split(' ');
  if (state === 'Z' || state === 'X') return undefined;
  const command = (read(`/proc/${pid}/cmdline`) ?? '').replaceAll('\0', ' ').trim();
  return {
    pid,
    parent: Number(parent),
    state,
    start: Number(rest[17]),
    ticks: Number(rest[9]) + Number(rest[10]),
    command,
  };
}

export function isAlive(pid: number): boolean {
  return processOf(pid) !== undefined;
}

/** Whether no thread of a process runs any more since it was sent SIGSTOP, which takes as long as it waits for a processor. */
export function isStopped(pid: number): boolean {
  const threads = readdirSync(`/proc/${pid}/task`).map((thread) => read(`/proc/${pid}/task/${thread}/stat`) ?? '');
  return threads.every((text) => text.slice(text.lastIndexOf(')') + 2).startsWith('T'));
}

/** Every process whose environment holds all of these texts. */
export function processesWith(...texts: string[]): ProcessFacts[] {
  return pids().flatMap((pid) => {
    const environment = read(`/proc/${pid}/environ`) ?? '';
    const found = texts.every((text) => environment.includes(text)) ? processOf(pid) : undefined;
    return found === undefined ? [] : [found];
  });
}

export function childrenOf(pid: number): ProcessFacts[] {
  return pids().flatMap((each) => {
    const found = processOf(each);
    return found?.parent === pid ? [found] : [];
  });
}

/** How many files, sockets and pipes a process has open; undefined where it is gone, or none of ours to look at. */
export function descriptorsOf(pid: number): number | undefined {
  try {
    return readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return undefined;
  }
}

/** A variable of a process's environment; undefined where it has none, or is gone. */
export function variableOf(pid: number, name: string): string | undefined {
  const lines = read(`/proc/${pid}/environ`)?.split('\0');
  return lines?.find((line) => line.startsWith(`${name}=`))?.slice(name.length + 1);
}

/** Whether the process carries the marker of an executor, or of what one has started. */
export function isExecutors(pid: number): boolean {
  return read(`/proc/${pid}/environ`)?.includes('MUSTER_EXECUTOR=') === true;
}

/** Resident bytes. */
export function residentOf(pid: number): number {
  const pages = read(`/proc/${pid}/statm`)?.split(' ')[1];
  return Number(pages ?? 0) * 4_096;
}

/** Sockets on this machine that listen on, or connect, one of these ports; those that only wait for their end do not count. */
export function socketsOn(ports: ReadonlySet<number>): string[] {
  const lines = ['/proc/net/tcp', '/proc/net/tcp6'].flatMap((file) => (read(file) ?? '').split('\n').slice(1));
  const timeWait = '06';
  return lines.flatMap((line) => {
    const [, local = '', remote = '', state = ''] = line.trim().split(/\s+/);
    const ours = [local, remote].some((address) => ports.has(Number.parseInt(address.slice(-4), 16)));
    return ours && state !== timeWait ? [`${local} ${remote} ${state}`] : [];
  });
}

/** All files below a directory. */
export function filesBelow(dir: string): string[] {
  try {
    return readdirSync(dir, { recursive: true, withFileTypes: true }).flatMap((entry) =>
      entry.isDirectory() ? [] : [join(entry.parentPath, entry.name)],
    );
  } catch {
    return [];
  }
}

/** When a file was last changed, in milliseconds since the epoch; undefined when there is none. */
export function changedAt(path: string): number | undefined {
  return statSync(path, { throwIfNoEntry: false })?.mtimeMs;
}

function pids(): number[] {
  return readdirSync('/proc').flatMap((name) => (/^[1-9]/.test(name) ? [Number(name)] : []));
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'latin1');
  } catch {
    return undefined;
  }
}
