import { describe, expect, it } from 'vitest';
import { Locals } from './locals.ts';
import { Restarts } from './restarts.ts';
import type { Slot, SlotState, Wish } from './slots.ts';
import { choose } from './slots.ts';

const limits = { executors: 4, shared: 2 };
const exclusive: Wish = { isolation: 'exclusive', incarnation: 'a', parks: true };
const shared: Wish = { isolation: 'shared', incarnation: 'a', parks: true };

function slot(state: SlotState, spoiled = false): Slot {
  return { state, spoiled, condemned: 0, verdict: undefined, idleSince: 0 };
}
const spare = (): Slot => slot({ is: 'spare' });
const taken = (parks = true): Slot => slot({ is: 'exclusive', parks });
const sharing = (incarnation: string, tasks: number, retired = false): Slot =>
  slot({ is: 'shared', incarnation, tasks, retired });

describe('choosing an executor', () => {
  it('takes a spare, waits for one that starts, and refuses beyond the limit', () => {
    const warm = spare();
    expect(choose([taken(), warm], [], exclusive, limits)).toEqual({ do: 'take', slot: warm });
    expect(choose([taken(), taken(), taken()], [], exclusive, limits)).toEqual({ do: 'wait' });
    expect(choose([taken(), taken(), taken()], [exclusive], exclusive, limits)).toEqual({ do: 'refuse' });
    expect(choose([taken(), taken(), taken(), taken()], [], exclusive, limits)).toEqual({ do: 'refuse' });
  });

  it('waits for a task that never parks, and for none that may keep its executor for as long as others like', () => {
    const parked = [taken(), taken(), taken()];
    const idle = sharing('b', 0);
    expect(choose([...parked, taken(false)], [exclusive, exclusive], exclusive, limits)).toEqual({ do: 'wait' });
    expect(choose([...parked, taken(false)], [], shared, limits)).toEqual({ do: 'wait' });
    expect(choose([...parked, sharing('b', 1)], [], exclusive, limits)).toEqual({ do: 'refuse' });
    expect(choose(parked, [{ ...exclusive, parks: false }], exclusive, limits)).toEqual({ do: 'wait' });
    expect(choose([taken(), taken(), taken(false), idle], [], exclusive, limits)).toEqual({ do: 'evict', slot: idle });
  });

  it('takes no spoiled spare', () => {
    expect(choose([slot({ is: 'spare' }, true)], [], exclusive, limits)).toEqual({ do: 'wait' });
  });

  it('ends an idle shared executor when its place is needed, and none that has tasks', () => {
    const idle = sharing('b', 0);
    expect(choose([taken(), taken(), taken(), idle], [], exclusive, limits)).toEqual({ do: 'evict', slot: idle });
    expect(choose([taken(), taken(), taken(), sharing('b', 1)], [], exclusive, limits)).toEqual({ do: 'refuse' });
  });

  it('shares with the same incarnation only, the least loaded first', () => {
    const least = sharing('a', 3);
    expect(choose([sharing('a', 5), least, sharing('b', 0)], [], shared, limits)).toEqual({ do: 'take', slot: least });
  });

  it('adds a warm spare while all have tasks and there may be more', () => {
    const warm = spare();
    const idle = sharing('a', 0);
    expect(choose([sharing('a', 1), warm], [], shared, limits)).toEqual({ do: 'take', slot: warm });
    expect(choose([sharing('a', 1), idle, warm], [], shared, limits)).toEqual({ do: 'take', slot: idle });
    const [busy, other] = [sharing('a', 2), sharing('a', 1)];
    expect(choose([busy, other, warm], [], shared, limits)).toEqual({ do: 'take', slot: other });
  });

  it('puts no job beside one that was asked to end: another place is used, or waited for', () => {
    const dying = { ...sharing('a', 1), condemned: 1 };
    const calm = sharing('a', 9);
    const warm = spare();
    expect(choose([dying, calm], [], shared, limits)).toEqual({ do: 'take', slot: calm });
    expect(choose([dying, warm], [], shared, { ...limits, shared: 1 })).toEqual({ do: 'take', slot: warm });
    expect(choose([dying], [], shared, limits)).toEqual({ do: 'wait' });
    // Even without room for another: it surely ends, or has none that was asked to any more.
    expect(choose([dying, taken(), taken(), taken()], [], shared, limits)).toEqual({ do: 'wait' });
    expect(choose([dying, taken(), taken(), taken()], [], { ...shared, incarnation: 'b' }, limits)).toEqual({
      do: 'refuse',
    });
  });

  it('gives a retired executor to nobody', () => {
    expect(choose([sharing('a', 1, true)], [], shared, limits)).toEqual({ do: 'wait' });
  });

  it('counts those who wait for the same shared executor once', () => {
    expect(choose([taken(), taken(), taken()], [shared, shared], shared, limits)).toEqual({ do: 'wait' });
  });
});

describe('restarts', () => {
  it('wait twice as long after each failure, ten seconds at most, and not after a success', () => {
    const restarts = new Restarts();
    let now = 1_000;
    const waits = Array.from({ length: 9 }, () => {
      now += restarts.wait(now);
      restarts.failed(new Error('broken'), now);
      return restarts.wait(now);
    });
    expect(waits).toEqual([100, 200, 400, 800, 1_600, 3_200, 6_400, 10_000, 10_000]);
    restarts.succeeded();
    expect([restarts.wait(now), restarts.cause]).toEqual([0, undefined]);
  });

  it('are hopeless after three failures in a row; those of one moment count once', () => {
    const restarts = new Restarts();
    const failAt = (now: number): boolean => {
      restarts.failed(new Error('broken'), now);
      return restarts.hopeless;
    };
    expect([0, 0, 50, 99, 100, 150, 300].map(failAt)).toEqual([false, false, false, false, false, false, true]);
  });
});

describe('what jobs keep in their executor', () => {
  it('is loaded once, also by those who ask at the same time', async () => {
    const locals = new Locals();
    let loads = 0;
    const load = async (): Promise<number> => (loads += 1);
    expect(await Promise.all([locals.get('k', load), locals.get('k', load)])).toEqual([1, 1]);
    expect(await locals.get('k', load)).toBe(1);
  });

  it('is loaded again after a load that failed', async () => {
    const locals = new Locals();
    const failing = (): number => {
      throw new Error('no');
    };
    await expect(locals.get('k', failing)).rejects.toThrow('no');
    expect(await locals.get('k', () => 2)).toBe(2);
  });
});
