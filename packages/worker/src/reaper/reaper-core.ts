import type { Prey } from './hunter.ts';
import type { FromReaper, ToReaper } from './words.ts';

/** Something to kill, and the directory it worked in. */
export interface Charge {
  readonly prey: Prey;
  readonly dir: string;
}

/** What a reaper knows. Times are milliseconds of its own monotonic clock. */
export interface ReaperState extends Watch {
  /** L; unknown until the agent has said hello, and nothing is watched before that. */
  readonly lease: number;
  readonly scratch: string;
  readonly charges: ReadonlyMap<number, Charge>;
  readonly over: boolean;
}

export type ReaperEvent =
  | { readonly type: 'told'; readonly word: ToReaper; readonly now: number }
  /** Every `interval(lease)`. */
  | { readonly type: 'tick'; readonly now: number }
  /** The agent's pipe has ended: it is dead, or has closed. */
  | { readonly type: 'closed' };

export type ReaperEffect =
  | { readonly do: 'answer'; readonly word: FromReaper }
  /** Kill what is watched, remove these directories, and end. */
  | {
      readonly do: 'reap';
      readonly charges: readonly Charge[];
      readonly dirs: readonly string[];
      readonly why: string;
    };

/** Looks at the clock per lease. */
const looks = 10;

/** Milliseconds between two looks at the clock. */
export function interval(lease: number): number {
  return lease / looks;
}

export function newReaper(now: number): ReaperState {
  return { lease: Infinity, scratch: '', charges: new Map(), heard: now, ticked: now, over: false };
}

/** When the other side was last heard, and when this one last looked at its clock. */
export interface Watch {
  readonly heard: number;
  readonly ticked: number;
}

/**
 * Milliseconds for which the other side was silent, where they are more than `most`; else 0. Silence counts only while
 * this process itself was awake: a look that comes late judges nothing, and by the next one what waited in the pipe has
 * been read. `every`: between two looks.
 */
export function silence(
  { heard, ticked }: Watch,
  { most, every }: { most: number; every: number },
  now: number,
): number {
  const late = now - ticked > 2 * every;
  return !late && now - heard > most ? now - heard : 0;
}

/** What a reaper does about an event. It acts once, and then hears nothing any more. */
export function reap(state: ReaperState, event: ReaperEvent): [ReaperState, readonly ReaperEffect[]] {
  if (state.over) return [state, []];
  switch (event.type) {
    case 'told':
      return told({ ...state, heard: event.now }, event.word);
    case 'tick':
      return tick(state, event.now);
    case 'closed':
      // Nobody else uses the scratch directory any more, so all of it goes.
      return act(state, 'the agent has ended', [state.scratch]);
  }
}

function told(state: ReaperState, word: ToReaper): [ReaperState, readonly ReaperEffect[]] {
  const charges = new Map(state.charges);
  switch (word.type) {
    case 'hello':
      return [{ ...state, lease: word.lease, scratch: word.scratch }, []];
    case 'beat':
      return [state, [{ do: 'answer', word: { type: 'beat' } }]];
    case 'forget':
      charges.delete(word.pid);
      return [{ ...state, charges }, []];
    case 'watch':
      charges.set(word.prey.pid, { prey: word.prey, dir: word.dir });
      return [{ ...state, charges }, [{ do: 'answer', word: { type: 'watching', pid: word.prey.pid } }]];
  }
}

function tick(state: ReaperState, now: number): [ReaperState, readonly ReaperEffect[]] {
  const silent = silence(state, { most: state.lease, every: interval(state.lease) }, now);
  const next = { ...state, ticked: now };
  if (silent === 0) return [next, []];
  // A stopped agent may wake up and start new executors: what it has made meanwhile stays.
  const dirs = Array.from(state.charges.values(), ({ dir }) => dir);
  return act(next, `the agent was silent for ${Math.round(silent)} ms`, dirs);
}

function act(state: ReaperState, why: string, dirs: readonly string[]): [ReaperState, readonly ReaperEffect[]] {
  const charges = [...state.charges.values()];
  return [{ ...state, over: true }, [{ do: 'reap', charges, dirs: dirs.filter(Boolean), why }]];
}
