import type { Clock } from '@muster/rexi';
import { allPids, descendantsOf, environmentOf, isAlive, statOf } from './processes.ts';
import type { ProcessStat } from './processes.ts';

/** A process that leads its own group, and how to tell what it has started. */
export interface Prey {
  readonly pid: number;
  /** Its start time, from /proc; see `ProcessStat`. */
  readonly start: number;
  /** `NAME=value`, in the environment of it and of what it has started. */
  readonly marker: string;
}

interface Chase {
  readonly prey: Prey;
  /** Its descendants when the hunt began: pid and start. */
  readonly known: Map<number, number>;
  readonly done: () => void;
}

/** Between two looks, in milliseconds: doubled from the first to the last. */
const firstPause = 1;
const lastPause = 50;

/**
 * Kills process groups and everything else that their leaders have started: by a walk of the descendants before the
 * kill, by group, and by the marker in their environment, which finds those that have left group and parent
 * (`setsid`, double fork). It looks again until nothing is left. What clears its environment *and* reparents itself is
 * found by none of these: only a cgroup would hold it, and none is made here.
 *
 * In a container the first process has to reap orphans (`docker run --init`): the dead that nobody waits for count as
 * gone here, but keep their places in the process table.
 */
export class Hunter {
  readonly #clock: Clock;
  readonly #chases: Set<Chase> = new Set();
  #pause: number = firstPause;
  #waiting = false;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Kills; resolves when nothing of it is alive. */
  kill(prey: Prey): Promise<void> {
    return new Promise((done) => {
      const chase: Chase = { prey, known: new Map(), done };
      for (const pid of descendantsOf(prey.pid)) note(chase.known, pid);
      strike(chase);
      this.#chases.add(chase);
      this.#pause = firstPause;
      this.#wait();
    });
  }

  #wait(): void {
    if (this.#waiting) return;
    this.#waiting = true;
    this.#clock.after(this.#pause, () => {
      this.#waiting = false;
      this.#look();
    });
    this.#pause = Math.min(2 * this.#pause, lastPause);
  }

  /** One walk over all processes, for all that are hunted. */
  #look(): void {
    const left = new Set<Chase>();
    for (const found of suspects(this.#chases)) {
      const environment = once(() => environmentOf(found.pid));
      for (const chase of this.#chases) {
        if (!belongs(found, chase, environment)) continue;
        left.add(chase);
        kill(found.pid);
      }
    }
    for (const chase of this.#chases) {
      if (left.has(chase)) continue;
      this.#chases.delete(chase);
      chase.done();
    }
    if (this.#chases.size > 0) this.#wait();
  }
}

/** What a process has started that is alive, itself not counted. Kills nothing. */
export function companyOf(prey: Prey): number[] {
  const known = new Map<number, number>();
  for (const pid of descendantsOf(prey.pid)) note(known, pid);
  const chase: Chase = { prey, known, done: () => undefined };
  return suspects([chase]).flatMap((found) => {
    const own = found.pid !== prey.pid && belongs(found, chase, () => environmentOf(found.pid));
    return own ? [found.pid] : [];
  });
}

/** Looks at what is left before the last blow. */
const lastLooks = 10;

/**
 * For a process that ends itself, which can wait for nothing: kills what it has started, wherever that has gone, and then
 * its group, itself included.
 */
export function endWithCompany(prey: Prey): void {
  try {
    for (let look = 0; look < lastLooks; look += 1) {
      const company = companyOf(prey);
      if (company.length === 0) return;
      for (const pid of company) kill(pid);
    }
  } finally {
    kill(-prey.pid);
  }
}

/** Everything alive that is not older than the oldest of those hunted. */
function suspects(chases: Iterable<Chase>): ProcessStat[] {
  const oldest = Math.min(...Array.from(chases, ({ prey }) => prey.start));
  return allPids().flatMap((pid) => {
    const stat = statOf(pid);
    return stat !== undefined && isAlive(stat) && stat.start >= oldest ? [stat] : [];
  });
}

/** `environment` is asked last, and of each process once for all that are hunted: it is the dearest thing to read. */
function belongs({ pid, group, start }: ProcessStat, { prey, known }: Chase, environment: () => string): boolean {
  if (start < prey.start) return false;
  if (pid === prey.pid) return start === prey.start;
  return (
    known.get(pid) === start || (group === prey.pid && leads(prey)) || environment().includes(`\0${prey.marker}\0`)
  );
}

function once<T>(make: () => T): () => T {
  let made: { readonly value: T } | undefined;
  return () => (made ??= { value: make() }).value;
}

/** Whether the group is still the one of the prey: its number is given to nobody else while the group has a member. */
function leads({ pid, start }: Prey): boolean {
  const leader = statOf(pid);
  return leader === undefined || leader.start === start;
}

function strike({ prey, known }: Chase): void {
  if (leads(prey)) kill(-prey.pid);
  for (const [pid, start] of known) if (statOf(pid)?.start === start) kill(pid);
}

function note(known: Map<number, number>, pid: number): void {
  const stat = statOf(pid);
  if (stat !== undefined) known.set(pid, stat.start);
}

function kill(pid: number): void {
  try {
    process.kill(pid, 'SIGKILL');
  } catch {
    // It is gone already; what is not ours is left to the marker, which cannot be read then either.
  }
}
