import { simulate } from '../simulate.ts';
import type { Variant } from './variant.ts';

/** What became of a variant: after how many seeds its claim failed, or that it held in all of them. */
export interface Trial {
  readonly outcome: Variant['outcome'];
  readonly seeds: number;
}

/** Runs seeds of a variant until its claim fails, but no more than so many. */
export async function tryVariant(variant: Variant, from: number, most: number): Promise<Trial> {
  const { take, rules, faults, constants, mode = 'safety', ending = 'close' } = variant;
  const giveBack = take();
  try {
    for (let i = 0; i < most; i += 1) {
      const { violations } = await simulate({
        seed: from + i,
        // What is killed before its cast was read is rare elsewhere.
        scenario: i % 2 === 0 ? 'mixed' : 'fickle',
        rival: false,
        faults: faults.length === 0 ? [] : { kinds: faults, every: 4_000 },
        mode,
        ending,
        ...(constants && { constants }),
      });
      if (violations.some(({ rule }) => rules.includes(rule))) return { outcome: 'fails', seeds: i + 1 };
    }
    return { outcome: 'holds', seeds: most };
  } finally {
    giveBack();
  }
}
