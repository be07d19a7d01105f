import { describe, expect, it } from 'vitest';
import { Latest } from './latest.ts';

describe('the latest of many', () => {
  it('are kept in order, and what is older goes: a node that runs for weeks costs no memory', () => {
    const latest = new Latest<number>(100);
    let most = 0;
    for (let i = 1; i <= 10_000; i += 1) {
      latest.add(i);
      most = Math.max(most, latest.all.length);
    }
    expect(most).toBeLessThanOrEqual(200);
    expect(latest.all.slice(-100)).toEqual(Array.from({ length: 100 }, (_, i) => 9_901 + i));
  });
});
