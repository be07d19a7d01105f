import { expect, it } from 'vitest';
import { addGroup, groupRows } from './groups.ts';
import type { Group } from './groups.ts';

const rows = [{ land: 'CH', people: 10 }, { land: 'IT', people: 5 }, { land: 'CH', people: 7 }, { people: 1 }];

it('rows are counted and added up by their group; what has none is a group of its own', () => {
  expect(groupRows(rows, { field: 'land', sum: 'people' })).toEqual([
    { name: 'CH', rows: 2, sum: 17 },
    { name: 'IT', rows: 1, sum: 5 },
    { name: '', rows: 1, sum: 1 },
  ]);
});

it('groups of parts, folded together, are the groups of the whole', () => {
  const grouping = { field: 'land', sum: 'people' };
  const folded = new Map<string, Group>();
  for (const part of [rows.slice(0, 1), rows.slice(1)])
    for (const group of groupRows(part, grouping)) addGroup(folded, group);
  expect([...folded.values()]).toEqual(groupRows(rows, grouping));
});
