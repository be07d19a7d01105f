import type { Clock } from '@muster/rexi';
import { allPids, descendantsOf, environmentOf, hurry, isAlive, renice, statOf } from './processes.ts';
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
  /** Its descendants are known. */
  sought: boolean;
  /** Its group has been killed. */
  struck: boolean;
  readonly done: () => void;
}

/** A chase that has only begun. */
function chaseOf(prey: Prey, done: () => void): Chase {
  return { prey, known: new Map(), sought: false, struck: false, done };
}

/** Between two looks, in milliseconds: doubled from the first to the last. */
const firstPause = 1;
const lastPause = 50;

/**
 * Kills process groups and everything else that their leaders have started: by a walk of the descendants, by group, and by
 * the marker in their environment, which finds those that have left group and parent (`setsid`, double fork). It looks
 * again until nothing is left. What clears its environment *and* reparents itself is found by none of these: only a cgroup
 * would hold it, and none is made here.
 *
 * Leaders go last. An executor has a watchdog, which does the same when agent and reaper die in the middle of a hunt; it
 * dies with its executor, and then there must be nothing left for it to do.
 *
 * Where /proc cannot be read, as there is no descriptor left for it, groups are killed and nothing counts as gone: it looks
 * again until it can.
 *
 * In a container the first process has to reap orphans (`docker run --init`): the dead that nobody waits for count as
 * gone here, but keep their places in the process table.
 */
export class Hunter {
  readonly #clock: Clock;
  readonly #chases: Set<Chase> = new Set();
  #pause: number = firstPause;
  #called = false;
  #waiting = false;
  /** When all processes were last looked through. */
  #walked = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Kills; resolves when nothing of it is alive. */
  kill(prey: Prey): Promise<void> {
    return new Promise((done) => {
      this.#chases.add(chaseOf(prey, done));
      this.#call();
    });
  }

  /** Those that are to die in one turn are looked for in one walk. */
  #call(): void {
    if (this.#called) return;
    this.#called = true;
    this.#clock.soon(() => {
      this.#called = false;
      this.#pause = firstPause;
      this.#look();
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

  #look(): void {
    if (!attempt(() => void (this.#canWait() || this.#walk()))) this.#strikeBlindly();
    if (this.#chases.size > 0) this.#wait();
  }

  /**
   * While leaders are dying nothing is over, and to look through all processes then would take the processor from their
   * dying: only what has escaped from them is hindered, and that can wait a little.
   */
  #canWait(): boolean {
    const chases = [...this.#chases];
    const soon = this.#clock.now() - this.#walked < lastPause;
    return soon && chases.every(({ struck }) => struck) && chases.some(isDying);
  }

  /** One walk over all processes, for all that are hunted. */
  #walk(): void {
    this.#walked = this.#clock.now();
    const found = new Map([...this.#chases].map((chase) => [chase, [] as ProcessStat[]]));
    const chases = [...found.keys()];
    for (const chase of chases) if (!chase.sought) seek(chase);
    for (const suspect of suspects(chases)) {
      const chase = ownerOf(suspect, chases);
      if (chase !== undefined) found.get(chase)?.push(suspect);
    }
    for (const [chase, left] of found) {
      if (left.length > 0) strike(chase, left);
      else this.#over(chase);
    }
  }

  /** Whom nobody can look at dies all the same, and what has escaped from it is looked for once that can be done. */
  #strikeBlindly(): void {
    for (const chase of this.#chases) {
      if (!chase.struck) kill(-chase.prey.pid);
      chase.struck = true;
    }
  }

  #over(chase: Chase): void {
    this.#chases.delete(chase);
    chase.done();
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
 * For a process that ends itself, which can wait for nothing: kills what it has started, wherever that has gone, until a
 * look finds nobody new, and then its group, itself included.
 */
export function endWithCompany(prey: Prey): void {
  hurry(); // Its main thread may spin, and others' do: nobody else is there to let it go first.
  try {
    const struck = new Set<number>();
    for (let look = 0; look < lastLooks; look += 1) {
      const company = companyOf(prey).filter((pid) => !struck.has(pid));
      if (company.length === 0) return;
      for (const pid of company) kill(pid);
      for (const pid of company) struck.add(pid);
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

/**
 * First what has left the group, then the group at one blow, its leader included. A job that sees its child die has failed
 * and says so, where its executor was killed: most children are in the group and cannot be seen to die, and for the others
 * nothing is looked at in between.
 */
function strike(chase: Chase, left: readonly ProcessStat[]): void {
  const { prey } = chase;
  const leading = leads(prey);
  for (const { pid, group } of left) if (pid !== prey.pid && !(leading && group === prey.pid)) kill(pid);
  if (leading) kill(-prey.pid);
  if (leading && !chase.struck) renice(prey.pid, 0); // Dying takes processor time as well, and it does not stand back in that.
  chase.struck = true;
}

/** Notes its descendants, while there are parents that tell of them. */
function seek(chase: Chase): void {
  for (const pid of descendantsOf(chase.prey.pid)) note(chase.known, pid);
  chase.sought = true;
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
