import type { Isolation } from './executor.ts';
import type { Verdict } from './words.ts';

/**
 * What an executor is doing:
 *
 *     starting ──loaded──> spare ──> exclusive ──released──> settling ──clean──> spare
 *                            └────> shared (one incarnation, many tasks)            └──else──> ending
 */
export type SlotState =
  | { readonly is: 'starting' }
  | { readonly is: 'spare' }
  | { readonly is: 'exclusive' }
  /** Its job has ended; whether it can be used again is not known yet. */
  | { readonly is: 'settling' }
  | { readonly is: 'shared'; readonly incarnation: string; readonly tasks: number; readonly retired: boolean }
  | { readonly is: 'ending' };

/** One place for an executor. */
export interface Slot {
  state: SlotState;
  /** It takes no job any more. */
  spoiled: boolean;
  /** Jobs in it that were asked to end and have not: should one not, all of it is killed. */
  readonly condemned: number;
  /** What is known of its fitness since it was last acquired. */
  verdict: Verdict | undefined;
}

/** What somebody wants. */
export interface Wish {
  readonly isolation: Isolation;
  readonly incarnation: string;
}

export interface Limits {
  /** Processes in all. */
  readonly executors: number;
  /** Shared executors of one incarnation. */
  readonly shared: number;
}

/** What to do for a wish; `evict` ends an idle shared executor first, to wait for the one in its place. */
export type Choice<S extends Slot> =
  | { readonly do: 'take'; readonly slot: S }
  | { readonly do: 'wait' }
  | { readonly do: 'evict'; readonly slot: S }
  | { readonly do: 'refuse' };

/**
 * How a wish is met. A shared executor of the same incarnation is used at once, the least loaded first. A warm spare
 * joins them while all have tasks and there may be more; but nobody waits for a process to start while one of them is
 * there, since one more task in it costs less than the start. Waiting is only for what will surely come. One with a job
 * that was asked to end is taken last: if that job does not, its neighbours go with it.
 */
export function choose<S extends Slot>(
  slots: Iterable<S>,
  waiting: readonly Wish[],
  wish: Wish,
  limits: Limits,
): Choice<S> {
  const all = [...slots];
  const slot = nextOf(all, wish, limits);
  if (slot !== undefined) return { do: 'take', slot };
  if (all.filter(isTaken).length + demand([...waiting, wish]) <= limits.executors) return { do: 'wait' };
  const idle = all.find((candidate) => candidate.state.is === 'shared' && candidate.state.tasks === 0);
  return idle === undefined ? { do: 'refuse' } : { do: 'evict', slot: idle };
}

/** The slot that a wish gets now, if there is one. */
export function nextOf<S extends Slot>(
  all: readonly S[],
  { isolation, incarnation }: Wish,
  limits: Limits,
): S | undefined {
  const spare = all.find((slot) => slot.state.is === 'spare' && !slot.spoiled);
  if (isolation === 'exclusive') return spare;
  const own = all
    .filter((slot) => slot.state.is === 'shared' && serves(slot, incarnation))
    .toSorted((a, b) => Number(a.condemned > 0) - Number(b.condemned > 0) || tasksOf(a) - tasksOf(b));
  const [least] = own;
  if (least !== undefined && least.condemned > 0) return spare ?? least;
  if (least !== undefined && (tasksOf(least) === 0 || own.length >= limits.shared || spare === undefined)) return least;
  return spare;
}

/** Executors that so many wishes wait for: those of one incarnation that can share one do. */
export function demand(wishes: readonly Wish[]): number {
  const exclusive = wishes.filter(({ isolation }) => isolation === 'exclusive').length;
  const shared = wishes.filter(({ isolation }) => isolation === 'shared');
  return exclusive + new Set(shared.map(({ incarnation }) => incarnation)).size;
}

/** Whether it is in use, and will be for as long as its user likes. */
function isTaken({ state }: Slot): boolean {
  return state.is === 'exclusive' || state.is === 'shared';
}

export function tasksOf({ state }: Slot): number {
  return state.is === 'shared' ? state.tasks : 0;
}

function serves({ state, spoiled }: Slot, incarnation: string): boolean {
  return state.is === 'shared' && state.incarnation === incarnation && !state.retired && !spoiled;
}
