import type { Grouping } from './data-set.ts';
import type { Row } from './row.ts';
import { numberIn, textIn } from './row.ts';

/** Rows that have the same text in one field. */
export interface Group {
  readonly name: string;
  readonly rows: number;
  /** Of the field that is added up; 0 where none is. */
  readonly sum: number;
}

/** Counts and adds up in one pass. */
export function groupRows(rows: readonly Row[], { field, sum }: Grouping): Group[] {
  const groups = new Map<string, Group>();
  for (const row of rows) {
    const name = textIn(row, field);
    addGroup(groups, { name, rows: 1, sum: sum === undefined ? 0 : (numberIn(row, sum) ?? 0) });
  }
  return [...groups.values()];
}

/** Folds a group into those that are known. */
export function addGroup(groups: Map<string, Group>, { name, rows, sum }: Group): void {
  const known = groups.get(name);
  groups.set(name, { name, rows: rows + (known?.rows ?? 0), sum: sum + (known?.sum ?? 0) });
}
