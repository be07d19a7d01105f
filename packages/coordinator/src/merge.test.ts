import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Heads } from './merge.ts';
import { comparator } from './row-order.ts';

const ascending = (a: number, b: number): number => a - b;

/** Merges lists the fast way. */
function merged(
  lists: readonly (readonly number[])[],
  compare: (a: number, b: number) => number,
): { row: number; from: number }[] {
  const heads = new Heads<{ from: number; at: number }, number>(compare);
  lists.forEach((list, from) => list.length > 0 && heads.add({ from, at: 0 }, from, list[0] as number));
  const rows: { row: number; from: number }[] = [];
  for (let top = heads.top(); top !== undefined; top = heads.top()) {
    const { source, row } = top;
    rows.push({ row, from: source.from });
    source.at += 1;
    const next = lists[source.from]?.[source.at];
    if (next === undefined) heads.removeTop();
    else heads.replaceTop(next);
  }
  return rows;
}

describe('the heads of a merge', () => {
  it('give what sorting everything gives, equal rows in the order of their parts', () => {
    fc.assert(
      fc.property(fc.array(fc.array(fc.nat(20))), (lists) => {
        const sorted = lists.map((list) => [...list].sort(ascending));
        const obvious = sorted
          .flatMap((list, from) => list.map((row) => ({ row, from })))
          .sort((a, b) => a.row - b.row || a.from - b.from);
        expect(merged(sorted, ascending)).toEqual(obvious);
      }),
    );
  });

  it('stay in order when any source is taken out', () => {
    fc.assert(
      fc.property(fc.array(fc.nat(50), { minLength: 1 }), fc.nat(), (rows, which) => {
        const heads = new Heads<number, number>(ascending);
        rows.forEach((row, i) => heads.add(i, i, row));
        const gone = which % rows.length;
        heads.remove(gone);
        heads.remove(rows.length + 5);
        const left: number[] = [];
        for (let top = heads.top(); top !== undefined; top = heads.top()) {
          left.push(top.row);
          heads.removeTop();
        }
        expect(left).toEqual(rows.filter((_, i) => i !== gone).sort(ascending));
      }),
    );
  });
});

describe('an order', () => {
  it.each([
    ['by value', comparator<number>({}), [3, 1, 2], [1, 2, 3]],
    ['downwards', comparator<number>({ direction: 'desc' }), [3, 1, 2], [3, 2, 1]],
    ['by code unit', comparator<string>({}), ['b', 'B', 'a'], ['B', 'a', 'b']],
    [
      'by one that was given, downwards',
      comparator<string>({ compare: (a, b) => a.length - b.length, direction: 'desc' }),
      ['a', 'ccc', 'bb'],
      ['ccc', 'bb', 'a'],
    ],
  ])('can be %s', (_name, compare, rows, wanted) => {
    expect([...(rows as never[])].sort(compare as (a: never, b: never) => number)).toEqual(wanted);
  });

  it('can be by a field', () => {
    const rows = [{ n: 2 }, { n: 1 }];
    expect([...rows].sort(comparator<{ n: number }>({ by: 'n' }))).toEqual([{ n: 1 }, { n: 2 }]);
  });
});
