import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Agenda } from './agenda.ts';

describe('An agenda', () => {
  it('has first what is due first, whatever is set, moved and deleted', () => {
    const step = fc.record({ key: fc.nat(30), at: fc.option(fc.nat(50), { nil: undefined }) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 300 }), (steps) => {
        const agenda = new Agenda<number>();
        const obvious = new Map<number, number>();
        for (const { key, at } of steps) {
          if (at === undefined) {
            agenda.delete(key);
            obvious.delete(key);
          } else {
            agenda.set(key, at);
            obvious.set(key, at);
          }
          expect(agenda.size).toBe(obvious.size);
          expect(agenda.has(key)).toBe(obvious.has(key));
          expect(agenda.first?.at ?? Infinity).toBe(Math.min(Infinity, ...obvious.values()));
        }
        const drained: number[] = [];
        for (let { first } = agenda; first !== undefined; { first } = agenda) {
          expect(obvious.get(first.key)).toBe(first.at);
          drained.push(first.at);
          agenda.delete(first.key);
        }
        expect(drained).toEqual([...obvious.values()].toSorted((a, b) => a - b));
      }),
    );
  });
});
