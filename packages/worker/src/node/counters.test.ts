import { CloseCode } from '@muster/rexi';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Counters } from './counters.ts';

describe('the counters of a session', () => {
  it('rule 2: take a counter once, and none at or below the highest', () => {
    const counters = new Counters();
    expect([3, 3, 2, 7, 5, 7].map((counter) => counters.cast(counter))).toEqual([
      'new',
      'duplicate',
      'duplicate',
      'new',
      'duplicate',
      'duplicate',
    ]);
    expect(counters.highest).toBe(7);
  });

  it('rule 3: a kill above the highest counter meets its cast', () => {
    const counters = new Counters();
    counters.cast(1);
    counters.killed(3);
    expect(counters.tombstones).toBe(1);
    expect(counters.cast(2)).toBe('new');
    expect(counters.cast(3)).toBe('killed');
    expect(counters.tombstones).toBe(0);
    expect(counters.cast(3)).toBe('duplicate');
  });

  it('rule 3: a tombstone goes when the counter passes it', () => {
    const counters = new Counters();
    counters.killed(3);
    counters.killed(9);
    expect(counters.cast(5)).toBe('new');
    expect(counters.tombstones).toBe(1);
  });

  it('rule 3: tombstones far ahead cost the casts below them nothing', () => {
    const counters = new Counters();
    for (let i = 0; i < 65_536; i += 1) counters.killed(2 ** 40 + i);
    const since = performance.now();
    for (let counter = 1; counter <= 50_000; counter += 1) counters.cast(counter);
    // Looking at each of them with each cast takes a minute.
    expect(performance.now() - since).toBeLessThan(2_000);
    expect(counters.tombstones).toBe(65_536);
  });

  it('rule 3: a kill at or below the highest counter leaves nothing', () => {
    const counters = new Counters();
    counters.cast(5);
    counters.killed(5);
    counters.killed(2);
    expect(counters.tombstones).toBe(0);
  });

  it('refuse more tombstones than any honest coordinator has', () => {
    const counters = new Counters();
    for (let counter = 1; counter <= 65_536; counter += 1) counters.killed(counter);
    counters.killed(65_536);
    expect(() => counters.killed(65_537)).toThrow(expect.objectContaining({ closeCode: CloseCode.badState }));
  });

  it('agree with a set of all that was read', () => {
    const step = fc.record({ kill: fc.boolean(), counter: fc.integer({ min: 1, max: 30 }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60 }), (steps) => {
        const counters = new Counters();
        const read: number[] = [0];
        const killed = new Set<number>();
        for (const { kill, counter } of steps) {
          const ahead = counter > Math.max(...read);
          if (kill) {
            if (ahead) killed.add(counter);
            counters.killed(counter);
          } else {
            expect(counters.cast(counter)).toBe(ahead ? (killed.has(counter) ? 'killed' : 'new') : 'duplicate');
            read.push(counter);
          }
          expect(counters.tombstones).toBe([...killed].filter((one) => one > Math.max(...read)).length);
        }
      }),
    );
  });
});
