import type { Prey } from './hunter.ts';
import type { ToReaper, Watching } from './words.ts';

/** Something to kill, and the directory it worked in. */
export interface Charge {
  readonly prey: Prey;
  readonly dir: string;
}

/** What a reaper knows. Times are milliseconds of its own monotonic clock. */
export interface ReaperState {
  /** L; unknown until the agent has said hello, and nothing is watched before that. */
  readonly lease: number;
  readonly scratch: string;
  readonly charges: ReadonlyMap<number, Charge>;
  /** When the agent was last heard, and when this process last looked at its clock. */
  readonly heard: number;
  readonly ticked: number;
  readonly over: boolean;
}

export type ReaperEvent =
  | { readonly type: 'told'; readonly word: ToReaper; readonly now: number }
  /** Every `interval(lease)`. */
  | { readonly type: 'tick'; readonly now: number }
  /** The agent's pipe has ended: it is dead, or has closed. */
  | { readonly type: 'closed' };

export type ReaperEffect =
  | { readonly do: 'answer'; readonly word: Watching }
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
      return [state, []];
    case 'forget':
      charges.delete(word.pid);
      return [{ ...state, charges }, []];
    case 'watch':
      charges.set(word.prey.pid, { prey: word.prey, dir: word.dir });
      return [{ ...state, charges }, [{ do: 'answer', word: { type: 'watching', pid: word.prey.pid } }]];
  }
}

/**
 * Silence counts only while this process itself was awake: a look that comes late judges nothing, and by the next one
 * what waited in the pipe has been read.
 */
function tick(state: ReaperState, now: number): [ReaperState, readonly ReaperEffect[]] {
  const late = now - state.ticked > 2 * interval(state.lease);
  const next = { ...state, ticked: now };
  if (late || now - state.heard <= state.lease) return [next, []];
  // A stopped agent may wake up and start new executors: what it has made meanwhile stays.
  const dirs = Array.from(state.charges.values(), ({ dir }) => dir);
  return act(next, `the agent was silent for ${Math.round(now - state.heard)} ms`, dirs);
}

function act(state: ReaperState, why: string, dirs: readonly string[]): [ReaperState, readonly ReaperEffect[]] {
  const charges = [...state.charges.values()];
  return [{ ...state, over: true }, [{ do: 'reap', charges, dirs: dirs.filter(Boolean), why }]];
}
