import { readdirSync, readFileSync } from 'node:fs';
import type { Clock } from '@muster/rexi';
import type { Turn } from './turn.ts';
import type { Verdict } from './words.ts';

/** A job's sockets and files take a moment to close: the executor is looked at again after so many milliseconds each. */
const patience = [1, 10, 50];

/** What an executor that nobody uses keeps open, and how many processes it has waited for. */
interface Base {
  readonly resources: ReadonlyMap<string, number>;
  readonly reaped: string;
  readonly threads: number;
}

/**
 * Whether a job has left something behind: timers, sockets, requests or processes. What is unreferenced is not seen, no
 * more than the event loop sees it.
 */
export class Quiet {
  readonly #clock: Clock;
  readonly #turn: Turn;
  #base: Base = { resources: new Map(), reaped: '', threads: 0 };

  constructor(clock: Clock, turn: Turn) {
    this.#clock = clock;
    this.#turn = turn;
  }

  /** Remembers what is open now: that of the jobs module itself. */
  settle(): void {
    this.#base = { resources: this.#open(), reaped: reaped(), threads: threads().length };
  }

  /** Tells the verdict once there is one. */
  look(tell: (verdict: Verdict, why: string) => void, tries: readonly number[] = patience): void {
    const left = this.#left();
    const [wait, ...rest] = tries;
    if (left === '') return this.#forked() ? tell('forked', '') : tell('clean', '');
    if (wait === undefined) return tell('spoiled', `a job left ${left} behind`);
    this.#clock.after(wait, () => this.look(tell, rest));
  }

  /** `2 Timeout, 1 TCPSocketWrap`: what is open beyond the base. */
  #left(): string {
    const { resources: base } = this.#base;
    const more = [...this.#open()].map(([kind, count]) => [kind, count - (base.get(kind) ?? 0)] as const);
    return more.flatMap(([kind, count]) => (count > 0 ? [`${count} ${kind}`] : [])).join(', ');
  }

  /** Whether there are children, or some have been: one that was waited for may have left others. */
  #forked(): boolean {
    const before = this.#base.reaped;
    const now = reaped();
    if (now === before && !this.#hasChildren()) return false;
    this.#base = { ...this.#base, reaped: now };
    return true;
  }

  /** Children are the main thread's, unless a job has made threads. */
  #hasChildren(): boolean {
    const all = threads();
    return all.length === this.#base.threads ? hasChildren(String(process.pid)) : all.some(hasChildren);
  }

  #open(): Map<string, number> {
    const counts = new Map<string, number>();
    for (const kind of process.getActiveResourcesInfo()) counts.set(kind, (counts.get(kind) ?? 0) + 1);
    // The end of the turn is our own.
    if (this.#turn.armed) counts.set('Immediate', (counts.get('Immediate') ?? 1) - 1);
    return counts;
  }
}

/** Page faults and CPU time of children that were waited for: they change with each. */
function reaped(): string {
  try {
    const stat = readFileSync('/proc/self/stat', 'latin1');
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
    return [fields[8], fields[10], fields[13], fields[14]].join(' ');
  } catch {
    return '';
  }
}

function threads(): string[] {
  try {
    return readdirSync('/proc/self/task');
  } catch {
    return [];
  }
}

/** Each thread tells of the children that it has started itself. */
function hasChildren(thread: string): boolean {
  try {
    return readFileSync(`/proc/self/task/${thread}/children`, 'latin1') !== '';
  } catch {
    return false;
  }
}
