import type { Row } from '../data/row.ts';
import { numberIn } from '../data/row.ts';
import type { Column } from '../screen/table.ts';
import { cell } from '../screen/words.ts';

/** A row of a result: what was found, and on which node. */
export interface Found {
  readonly row: Row;
  readonly node: string;
}

/** The fields worth showing, and who found them. */
export function foundColumns(fields: readonly string[], found: readonly Found[]): Column<Found>[] {
  const columns = fields.map((field): Column<Found> => {
    const numbers = found.every(({ row }) => row[field] === undefined || numberIn(row, field) !== undefined);
    return { head: field, of: ({ row }) => cell(row[field]), align: numbers ? 'right' : 'left' };
  });
  return [...columns, { head: 'from', of: ({ node }) => node }];
}
