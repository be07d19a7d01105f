import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { mkdir, readdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { ClusterError } from '@muster/rexi';
import type { Hunter, Prey } from '../reaper/hunter.ts';
import { allPids, environmentOf, isAlive, startOf, statOf } from '../reaper/processes.ts';
import { markerName, reaperMarkerName } from './spawn.ts';

interface Around {
  readonly hunter: Hunter;
  /** Takes a line about what went wrong. */
  readonly warn: (line: string) => void;
}

export interface LifeOptions extends Around {
  readonly node: string;
  readonly dataDir: string;
}

/**
 * One life of a node in its data directory. While its scratch directory is there, and the process that the directory
 * names is alive, nobody else may have a life in the same place. A life that was cut short leaves the directory behind,
 * and with it the name by which the next one knows what else was left.
 */
export interface Life {
  /** In the environment of all that belongs to this life: `<node>/<64 random bits>`, which no other life has. */
  readonly mark: string;
  /** Where its executors work. */
  readonly scratch: string;
}

/** What the name of a scratch directory tells. */
interface Trace {
  readonly dir: string;
  /** The agent's process: number and start name it for good, in one boot of the machine. */
  readonly pid: number;
  readonly start: number;
  readonly boot: string;
  readonly name: string;
}

/** Milliseconds in which a process must have ended that was killed: one that hangs in the kernel does not keep a node from starting. */
const patience = 5_000;

/**
 * Begins a life: refused while another one goes on in the directory; what earlier ones have left running dies, and their
 * scratch directories go.
 * @throws ClusterError `bad_options` when the directory belongs to a node that is running.
 */
export async function beginLife({ node, dataDir, ...around }: LifeOptions): Promise<Life> {
  const home = resolve(dataDir);
  const name = randomBytes(8).toString('hex');
  const { pid } = process;
  const scratch = join(home, `executors-${pid}-${startOf(pid)}-${boot()}-${name}`);
  // First one's own name, then a look at the others': of two that start together, one sees the other at the least.
  await mkdir(scratch, { recursive: true, mode: 0o700 });
  try {
    const others = (await readdir(home)).flatMap(traceOf).filter((trace) => trace.name !== name);
    const owner = others.find(isGoingOn);
    if (owner !== undefined) throw taken(dataDir, owner.pid);
    await Promise.all(others.map((trace) => bury(join(home, trace.dir), trace, around)));
  } catch (error) {
    await rm(scratch, { recursive: true, force: true });
    throw error;
  }
  return { mark: `${node}/${name}`, scratch };
}

function taken(dataDir: string, pid: number): ClusterError {
  return new ClusterError(
    'bad_options',
    `The data directory ${dataDir} belongs to the node that runs as process ${pid}; give each node one of its own.`,
    { detail: 'dataDir' },
  );
}

function traceOf(dir: string): Trace[] {
  const match = /^executors-(\d+)-(\d+)-([0-9a-f]{8})-([0-9a-f]{16})$/.exec(dir);
  if (match === null) return [];
  const [, pid = '', start = '', of = '', name = ''] = match;
  return [{ dir, pid: Number(pid), start: Number(start), boot: of, name }];
}

function isGoingOn(trace: Trace): boolean {
  const stat = trace.boot === boot() ? statOf(trace.pid) : undefined;
  return stat !== undefined && isAlive(stat) && stat.start === trace.start;
}

/** Ends what is left of a life, and removes what it worked in. */
async function bury(scratch: string, { name }: Trace, { hunter, warn }: Around): Promise<void> {
  const over = new AbortController();
  // The system's own timer: the clock's would not keep a process alive that has nothing else to wait for yet.
  const tooLong = pause(patience, 'too long', { signal: over.signal }).catch(() => undefined);
  const end = await Promise.race([killAll(name, hunter), tooLong]);
  over.abort();
  if (end === 'too long')
    return warn(`What an earlier node has left in ${scratch} does not end; the next start looks for it again.`);
  await rm(scratch, { recursive: true, force: true });
}

/** The reaper last: it may be at the same work. */
async function killAll(life: string, hunter: Hunter): Promise<void> {
  for (const variable of [markerName, reaperMarkerName]) {
    for (let left = marked(variable, life); left.length > 0; left = marked(variable, life))
      await Promise.all(left.map((prey) => hunter.kill(prey)));
  }
}

/** Processes that carry the mark of a life. */
function marked(variable: string, life: string): Prey[] {
  const pattern = new RegExp(`\0(${variable}=[^\0]*/${life}(?:-\\d+)?)\0`);
  return allPids().flatMap((pid) => {
    const [, marker] = pattern.exec(environmentOf(pid)) ?? [];
    const stat = marker === undefined ? undefined : statOf(pid);
    return marker !== undefined && stat !== undefined && isAlive(stat) ? [{ pid, start: stat.start, marker }] : [];
  });
}

/** A start counts from the boot of the machine. */
function boot(): string {
  try {
    return readFileSync('/proc/sys/kernel/random/boot_id', 'latin1').slice(0, 8);
  } catch {
    return '00000000';
  }
}
