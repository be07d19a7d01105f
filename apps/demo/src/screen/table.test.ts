import { describe, expect, it } from 'vitest';
import { table } from './table.ts';

const columns = [
  { head: 'city', of: (row: readonly [string, string]) => row[0] },
  { head: 'people', of: (row: readonly [string, string]) => row[1], align: 'right' as const },
];

describe('a table', () => {
  it('has columns as wide as what is in them, with numbers to the right', () => {
    expect(
      table(columns, [
        ['Zürich', '341,730'],
        ['Bern', '121,631'],
      ]),
    ).toEqual(['city     people', 'Zürich  341,730', 'Bern    121,631']);
  });

  it('lines up letters that are wide, and those that are put together', () => {
    const [, tokyo, e] = table(columns, [
      ['東京', '1'],
      ['e\u0301e\u0301ee', '2'],
    ]);
    expect(tokyo).toBe('東京       1');
    expect(e).toBe('ééee       2');
  });

  it('keeps a cell on one line, and shortens what is too long', () => {
    const [, line = ''] = table(columns, [[`a\n\u001B[31m${'x'.repeat(80)}`, '1']]);
    expect(line).not.toContain('\u001B');
    expect(line).toContain('…  ');
  });
});
