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
  | { readonly is: 'exclusive'; readonly parks: boolean }
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
  /** When it was last left without a task, on the pool's clock; says something only of one that has none. */
  idleSince: number;
}

/** What somebody wants. */
export interface Wish {
  readonly isolation: Isolation;
  readonly incarnation: string;
  /** The task may keep its executor for as long as others like: nobody can wait for its end. */
  readonly parks: boolean;
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
 * there, since one more task in it costs less than the start. Nothing is put beside a job that was asked to end: should
 * that not, its neighbours go with it. Waiting is only for what will surely come: a process that starts, the end of such
 * a job, or that of a task which never parks. Who waited for a parked one could wait for itself.
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
  if (wish.isolation === 'shared' && all.some((own) => serves(own, wish.incarnation))) return { do: 'wait' };
  const idle = all.find(isIdle);
  if (idle !== undefined) return { do: 'evict', slot: idle };
  return { do: all.some(comesBack) || waiting.some(givesBack) ? 'wait' : 'refuse' };
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
    .filter((slot) => serves(slot, incarnation) && slot.condemned === 0)
    .toSorted((a, b) => tasksOf(a) - tasksOf(b));
  const [least] = own;
  if (least !== undefined && (tasksOf(least) === 0 || own.length >= limits.shared || spare === undefined)) return least;
  return spare;
}

/**
 * Slots that nobody needs: spares beyond those that are to be kept warm, and idle shared executors beyond those that one
 * incarnation may have. Those first that have been idle for longest.
 */
export function surplus<S extends Slot>(slots: Iterable<S>, spares: number, limits: Limits): S[] {
  const all = [...slots].toSorted((a, b) => a.idleSince - b.idleSince);
  const spare = all.filter(({ state }) => state.is === 'spare');
  const shared = all.filter(({ state }) => state.is === 'shared');
  const beyond = shared.filter((slot, at) => {
    const others = shared.filter((other, where) => ownerOf(other) === ownerOf(slot) && (where > at || !isIdle(other)));
    return isIdle(slot) && others.length >= limits.shared;
  });
  return [...spare.slice(0, Math.max(0, spare.length - spares)), ...beyond];
}

/** Executors that so many wishes wait for: those of one incarnation that can share one do. */
export function demand(wishes: readonly Wish[]): number {
  const exclusive = wishes.filter(({ isolation }) => isolation === 'exclusive').length;
  const shared = wishes.filter(({ isolation }) => isolation === 'shared');
  return exclusive + new Set(shared.map(({ incarnation }) => incarnation)).size;
}

/** Whether it is in use by one who never waits for anybody else: it is free again as surely as a slot of a lane is. */
export function comesBack({ state }: Slot): boolean {
  return state.is === 'exclusive' && !state.parks;
}

/** Whether what it waits for will be free again behind it. */
function givesBack({ isolation, parks }: Wish): boolean {
  return isolation === 'exclusive' && !parks;
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

function ownerOf({ state }: Slot): string | undefined {
  return state.is === 'shared' ? state.incarnation : undefined;
}

function isIdle({ state }: Slot): boolean {
  return state.is === 'shared' && state.tasks === 0;
}
