import type { Chance, Failpoint } from '@muster/rexi';
import { failpoints } from '@muster/rexi';
import type { Random } from '../simulation/random.ts';

export const failpointNames: readonly Failpoint[] = Object.keys(failpoints) as Failpoint[];

/** Of the points, so many are on in a run: what each of them does shows where few others do anything. */
const share = 1 / 4;

/** Decides at the failpoints of the code under test, by the seed, and counts those that fired. */
export class Failpoints {
  /** How often each has fired; one that is not here never has. */
  readonly fired: Map<Failpoint, number> = new Map();
  /** Streams of the points that are on: what one draws must not move what another one gets. */
  readonly #on: Map<Failpoint, Random> = new Map();

  /** `some`: the points that are on. Default: by the seed. */
  constructor(random: Random, some?: readonly Failpoint[]) {
    for (const point of failpointNames) {
      const stream = random.fork(point);
      if (some?.includes(point) ?? stream.chance(share)) this.#on.set(point, stream);
    }
  }

  readonly chance: Chance = (point, probability) => {
    const fires = this.#on.get(point)?.chance(probability) ?? false;
    if (fires) this.fired.set(point, (this.fired.get(point) ?? 0) + 1);
    return fires;
  };
}
