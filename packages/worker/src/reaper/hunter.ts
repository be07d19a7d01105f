import type { Clock } from '@muster/rexi';
import { allPids, descendantsOf, environmentOf, isAlive, renice, statOf } from './processes.ts';
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
  /** Its descendants are known, and have been struck with it. */
  struck: boolean;
  readonly done: () => void;
}

/** A chase that has only begun. */
function chaseOf(prey: Prey, done: () => void): Chase {
  return { prey, known: new Map(), struck: false, done };
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
 * Where /proc cannot be read, as there is no descriptor left for it, nothing counts as gone: it looks again until it can.
 *
 * In a container the first process has to reap orphans (`docker run --init`): the dead that nobody waits for count as
 * gone here, but keep their places in the process table.
 */
export class Hunter {
  readonly #clock: Clock;
  readonly #chases: Set<Chase> = new Set();
  #pause: number = firstPause;
  #waiting = false;
  /** When all processes were last looked through, or the hunt began. */
  #walked = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Kills; resolves when nothing of it is alive. */
  kill(prey: Prey): Promise<void> {
    return new Promise((done) => {
      const chase = chaseOf(prey, done);
      // Whom nobody can look at dies all the same, and what has escaped from it is looked for once that can be done.
      if (!attempt(() => strike(chase))) kill(-prey.pid);
      if (this.#chases.size === 0) this.#walked = this.#clock.now();
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
      if (!attempt(() => this.#look())) this.#wait();
    });
    this.#pause = Math.min(2 * this.#pause, lastPause);
  }

  /**
   * While leaders are dying nothing is over, and to look through all processes then would take the processor from their
   * dying: only what has escaped from them is hindered, and that can wait a little.
   */
  #look(): void {
    const now = this.#clock.now();
    if (now - this.#walked < lastPause && [...this.#chases].some(isDying)) return this.#wait();
    this.#walked = now;
    this.#walk();
  }

  /** One walk over all processes, for all that are hunted. */
  #walk(): void {
    const chases = [...this.#chases];
    for (const chase of chases) if (!chase.struck) strike(chase);
    const left = new Set<Chase>();
    for (const found of suspects(chases)) {
      const chase = ownerOf(found, chases);
      if (chase === undefined) continue;
      left.add(chase);
      kill(found.pid);
    }
    for (const chase of chases) {
      if (left.has(chase)) continue;
      this.#chases.delete(chase);
      chase.done();
    }
    if (this.#chases.size > 0) this.#wait();
  }
}

/**
 * What a process has started that is alive, itself not counted. Kills nothing.
 * @throws the system's error where /proc cannot be read.
 */
export function companyOf(prey: Prey): number[] {
  const chase = chaseOf(prey, () => undefined);
  seek(chase);
  return suspects([chase]).flatMap((found) => {
    const own = found.pid !== prey.pid && ownerOf(found, [chase]) !== undefined;
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
function suspects(chases: readonly Chase[]): ProcessStat[] {
  const oldest = Math.min(...chases.map(({ prey }) => prey.start));
  return allPids().flatMap((pid) => {
    const stat = statOf(pid);
    return stat !== undefined && isAlive(stat) && stat.start >= oldest ? [stat] : [];
  });
}

/** Whose process it is. Its environment is read last, and only if nothing else tells: it is the dearest thing to read. */
function ownerOf(found: ProcessStat, chases: readonly Chase[]): Chase | undefined {
  const older = chases.filter(({ prey }) => found.start >= prey.start);
  const known = older.find((chase) => isKnown(found, chase));
  if (known !== undefined || older.length === 0) return known;
  const environment = environmentOf(found.pid);
  return older.find(({ prey }) => environment.includes(`\0${prey.marker}\0`));
}

/** Whether it is the leader, was seen below it, or is in its group. */
function isKnown({ pid, group, start }: ProcessStat, { prey, known }: Chase): boolean {
  if (pid === prey.pid) return start === prey.start;
  return known.get(pid) === start || (group === prey.pid && leads(prey));
}

function isDying({ prey: { pid, start } }: Chase): boolean {
  const stat = statOf(pid);
  return stat?.start === start && isAlive(stat);
}

/** Whether the group is still the one of the prey: its number is given to nobody else while the group has a member. */
function leads({ pid, start }: Prey): boolean {
  const leader = statOf(pid);
  return leader === undefined || leader.start === start;
}

function strike(chase: Chase): void {
  const { prey, known } = chase;
  seek(chase);
  if (leads(prey)) {
    kill(-prey.pid);
    renice(prey.pid, 0); // Dying takes processor time as well, and it does not stand back in that.
  }
  for (const [pid, start] of known) if (statOf(pid)?.start === start) kill(pid);
  chase.struck = true;
}

/** Notes its descendants, while there are parents that tell of them. */
function seek({ prey, known }: Chase): void {
  for (const pid of descendantsOf(prey.pid)) note(known, pid);
}

/** Whether it could be done: what the kernel cannot say now, it may by the next look. */
function attempt(look: () => void): boolean {
  try {
    look();
    return true;
  } catch (error) {
    if (error instanceof Error && 'syscall' in error) return false;
    throw error;
  }
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
