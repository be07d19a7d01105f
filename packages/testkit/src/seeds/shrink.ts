import type { Fault } from '../faults/fault.ts';
import type { SeedOrder } from './run-seed.ts';
import { replay } from './run-seed.ts';

/** What is left of a schedule, as places in the seed's own. */
export interface Shrunk {
  readonly kept: readonly number[];
  readonly faults: readonly Fault[];
}

/** So many runs are spent on one schedule. */
const most = 80;

/** Leaves faults out of a seed's schedule, by halves and then one by one, as long as the same rule is broken. */
export async function shrink(order: SeedOrder, rule: string): Promise<Shrunk> {
  const { faults } = await replay(order);
  const schedule = new Schedule(order, rule, faults);
  for (let size = faults.length; size > 1;) {
    size = Math.ceil(size / 2);
    await schedule.leaveOut(size);
  }
  while (await schedule.leaveOut(1));
  return { kept: schedule.kept, faults: schedule.pick(schedule.kept) };
}

/** A schedule that breaks a rule, and gets shorter. */
class Schedule {
  kept: readonly number[];
  readonly #order: SeedOrder;
  readonly #rule: string;
  readonly #faults: readonly Fault[];
  #runs = 0;

  constructor(order: SeedOrder, rule: string, faults: readonly Fault[]) {
    this.#order = order;
    this.#rule = rule;
    this.#faults = faults;
    this.kept = faults.map((_, i) => i);
  }

  pick(kept: readonly number[]): Fault[] {
    return kept.map((i) => this.#faults[i] as Fault);
  }

  /** Leaves out so many in a row, wherever that can be done. Whether it could, and may again. */
  async leaveOut(size: number): Promise<boolean> {
    const before = this.kept.length;
    for (let at = 0; at < this.kept.length;) {
      const without = [...this.kept.slice(0, at), ...this.kept.slice(at + size)];
      if (await this.#breaks(without)) this.kept = without;
      else at += size;
    }
    return this.kept.length < before && this.#runs < most;
  }

  async #breaks(some: readonly number[]): Promise<boolean> {
    if (this.#runs >= most) return false;
    this.#runs += 1;
    const { violations } = await replay(this.#order, this.pick(some));
    return violations.some(({ rule }) => rule === this.#rule);
  }
}
