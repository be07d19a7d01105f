import type { Clock } from '@muster/rexi';
import type { Keeper, Launching, Lent } from './pool-slot.ts';
import { PoolSlot } from './pool-slot.ts';
import { Restarts } from './restarts.ts';

export interface StartsOptions<E extends Lent> {
  /** The jobs module, as it was named. */
  readonly jobs: string;
  readonly clock: Clock;
  readonly launcher: Launching<E>;
  readonly slots: Set<PoolSlot>;
  /** Most slots that there may be. */
  readonly most: number;
  /** Milliseconds that a start may take, the jobs module's loading included. */
  readonly loadTimeout: number;
  /** How many executors should be free or on their way. */
  readonly wanted: () => number;
  readonly keeper: (slot: PoolSlot) => Keeper;
  /** There is a process. */
  readonly launched: (slot: PoolSlot, executor: E) => void;
  /** No process can be had; its slot is gone. */
  readonly unlaunched: (error: unknown) => void;
  /** It has taken longer than the load timeout. */
  readonly overdue: (slot: PoolSlot, why: string) => void;
}

/** Starts executors: as many as are wanted, and as fast as their starts succeed. */
export class Starts<E extends Lent> {
  readonly #options: StartsOptions<E>;
  readonly #restarts: Restarts = new Restarts();
  readonly #launches: Set<Promise<void>> = new Set();
  #stopped = false;
  #retrying = false;

  constructor(options: StartsOptions<E>) {
    this.#options = options;
  }

  /** Starts executors until there are enough. */
  fill(): void {
    if (this.#stopped || this.#retrying) return;
    const { clock, slots, most, wanted } = this.#options;
    const wait = this.#restarts.wait(clock.now());
    if (wait > 0) return this.#retryIn(wait);
    const coming = (): number =>
      [...slots].filter(({ state }) => ['starting', 'spare', 'settling'].includes(state.is)).length;
    while (slots.size < most && coming() < wanted()) this.start();
  }

  /** Starts one. */
  start(): void {
    const launch = this.#start().finally(() => this.#launches.delete(launch));
    this.#launches.add(launch);
  }

  failed(cause: Error): void {
    this.#restarts.failed(cause, this.#options.clock.now());
  }

  succeeded(): void {
    this.#restarts.succeeded();
  }

  /** Starts fail again and again, and none is under way that could still succeed. */
  get hopeless(): boolean {
    const coming = [...this.#options.slots].some(({ state }) => state.is === 'starting' || state.is === 'settling');
    return !coming && this.#restarts.hopeless;
  }

  /** Why the last one failed, if it did. */
  get cause(): Error | undefined {
    return this.#restarts.cause;
  }

  /** Starts no more; resolves when none is half way to its process. */
  async stop(): Promise<void> {
    this.#stopped = true;
    await Promise.all(this.#launches);
  }

  #retryIn(wait: number): void {
    this.#retrying = true;
    this.#options.clock.after(wait, () => {
      this.#retrying = false;
      this.fill();
    });
  }

  async #start(): Promise<void> {
    const { jobs, clock, launcher, slots, loadTimeout, keeper, launched, unlaunched, overdue } = this.#options;
    const slot = new PoolSlot();
    slots.add(slot);
    let missing = 'its process did not start';
    // First of all, so that whoever waits for it is told in any case.
    clock.after(loadTimeout, () => {
      if (slot.state.is === 'starting') overdue(slot, `${missing} within ${loadTimeout / 1_000} s`);
    });
    try {
      const executor = await launcher.launch(keeper(slot));
      launched(slot, executor);
      if (this.#stopped || slot.state.is !== 'starting') return;
      missing = 'the reaper did not answer';
      void launcher
        .introduce(executor)
        .then(() => (missing = `the jobs module ${jobs} was not loaded (does it await what never comes?)`));
    } catch (error) {
      slots.delete(slot);
      unlaunched(error);
    }
  }
}
