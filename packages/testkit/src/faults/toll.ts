import type { Facts } from '../history/history.ts';
import type { World } from '../simulation/world.ts';
import type { Fault, FaultKind } from './fault.ts';

/**
 * What a fault touches: `c` the coordinator's process, `g` its guardian, `w1` a node, `x w1` its executors, `r w1` its
 * reaper, `s w1` the store of its objects, `s` the shared one, `net w1` the way between it and the coordinator's machine.
 */
type Target = string;

/** Writes down what faults there are, what they hit and how long, and undoes those that last. */
export class Toll {
  /** How many faults of each kind found something to hurt. */
  readonly fired: Map<FaultKind, number> = new Map();
  /** Nothing more is to go wrong. */
  over = false;
  #numbers = 0;
  readonly note: (event: string, facts?: Facts) => void;
  readonly #world: World;
  readonly #lasting: Set<() => void> = new Set();

  constructor(world: World) {
    this.#world = world;
    this.note = world.history.observer('faults');
  }

  /** A fault begins; what it does may show for `ms` milliseconds. Returns its number in the history. */
  begin(fault: Fault, hits: readonly Target[], ms: number): number {
    this.count(fault.kind);
    return this.arm(fault, hits, ms);
  }

  /** The same for one that is counted only when it comes to pass. */
  arm(fault: Fault, hits: readonly Target[], ms: number): number {
    const { at, ...facts } = fault;
    const number = (this.#numbers += 1);
    this.note('fault', { ...facts, number, planned: at, hits, ms });
    return number;
  }

  count(kind: FaultKind): void {
    this.fired.set(kind, (this.fired.get(kind) ?? 0) + 1);
  }

  /** A fault begins that is undone after `ms` milliseconds, or when all is over. */
  last(fault: Fault & { readonly ms: number }, hits: readonly Target[], undo: () => void): void {
    const number = this.begin(fault, hits, fault.ms);
    const end = this.until(() => {
      undo();
      this.note('over', { number });
    });
    this.#world.after(fault.ms, end);
  }

  /** What undoes something once: whoever calls it first, at the latest when all is over. */
  until(undo: () => void): () => void {
    const end = (): void => {
      if (this.#lasting.delete(end)) undo();
    };
    this.#lasting.add(end);
    return end;
  }

  /** Everything that lasts ends now. */
  end(): void {
    this.over = true;
    for (const end of this.#lasting) end();
  }
}
