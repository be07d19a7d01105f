import type { Clock, Timer } from '@muster/rexi';
import type { PoolSlot } from './pool-slot.ts';
import type { Limits } from './slots.ts';
import { surplus } from './slots.ts';

/** Milliseconds for which an executor that is not needed stays: the next burst may want it. */
const idleTime = 30_000;

export interface TrimOptions {
  readonly clock: Clock;
  readonly slots: ReadonlySet<PoolSlot>;
  readonly spares: number;
  readonly limits: Limits;
  /** Ends one that nobody uses. */
  readonly end: (slot: PoolSlot, why: string) => void;
}

/** Ends what was not needed for long, so that a burst does not leave its executors behind for ever. */
export class Trim {
  readonly #options: TrimOptions;
  #timer: Timer | undefined;

  constructor(options: TrimOptions) {
    this.#options = options;
  }

  /** From now on nobody needs it, until somebody does. */
  idle(slot: PoolSlot): void {
    const { clock } = this.#options;
    slot.idleSince = clock.now();
    this.#timer ??= clock.after(idleTime, () => this.#look());
  }

  stop(): void {
    this.#timer?.cancel();
  }

  #look(): void {
    const { clock, end } = this.#options;
    this.#timer = undefined;
    for (const slot of this.#surplus())
      if (clock.now() - slot.idleSince >= idleTime) end(slot, 'it was not needed for long');
    const [oldest] = this.#surplus();
    if (oldest === undefined) return;
    this.#timer = clock.after(oldest.idleSince + idleTime - clock.now(), () => this.#look());
  }

  #surplus(): readonly PoolSlot[] {
    const { slots, spares, limits } = this.#options;
    return surplus(slots, spares, limits);
  }
}
