import type { Clock } from '@muster/rexi';
import type { ObjectsOptions } from '@muster/worker';
import { Objects } from '@muster/worker';
import type { StoreHealth } from './store-health.ts';

/** The objects of a node, whose store may ail. */
export class SimObjects extends Objects {
  readonly #health: StoreHealth;
  readonly #clock: Clock;
  /** Sessions whose jobs have put something. */
  readonly #sessions: Set<Parameters<Objects['endSession']>[0]> = new Set();

  constructor(options: ObjectsOptions, health: StoreHealth) {
    super(options);
    this.#health = health;
    this.#clock = options.clock;
    health.lose = () => this.#lose();
  }

  override async operate(...[job, operation, payload]: Parameters<Objects['operate']>): Promise<Uint8Array> {
    this.#health.check(operation === 'put');
    if (operation === 'put') this.#sessions.add(job.session);
    // What is put is put at once: its job may be over when the answer comes.
    const answer = await super.operate(job, operation, payload);
    await this.#health.answered(this.#clock);
    return answer;
  }

  #lose(): boolean {
    const had = this.table.stats().objects > 0;
    for (const session of this.#sessions) this.endSession(session);
    this.#sessions.clear();
    return had;
  }
}
