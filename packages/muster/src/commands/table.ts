/** One column of a table: its head, and what it says of a row. */
export interface Column<Row> {
  readonly head: string;
  readonly of: (row: Row) => string | number;
  /** Numbers are aligned at their ends. */
  readonly right?: boolean;
}

/** Lines of a table, its columns as wide as they need to be. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = [
    columns.map(({ head }) => head),
    ...rows.map((row) => columns.map(({ of }) => printable(String(of(row))))),
  ];
  const widths = columns.map((_, i) => Math.max(...cells.map((line) => line[i]?.length ?? 0)));
  return cells.map((line) =>
    line
      .map((cell, i) => (columns[i]?.right === true ? cell.padStart(widths[i] ?? 0) : cell.padEnd(widths[i] ?? 0)))
      .join('  ')
      .trimEnd(),
  );
}

/** What jobs and nodes say is nobody's to move the cursor with: everything that is no letter on the screen becomes a dot. */
export function printable(text: string): string {
  return text.replaceAll(/\p{C}/gu, '·');
}

/** One line of at most so many characters. */
export function shortened(text: string, most: number): string {
  return text.length <= most ? text : `${text.slice(0, most - 1)}…`;
}

/** Milliseconds as people read them: 850ms, 12s, 3m05s, 2h05m, 3d04h. */
export function duration(ms: number): string {
  const two = (n: number): string => String(Math.floor(n)).padStart(2, '0');
  const s = ms / 1_000;
  if (ms < 1_000) return `${Math.round(ms)}ms`;
  if (s < 60) return `${Math.floor(s)}s`;
  if (s < 3_600) return `${Math.floor(s / 60)}m${two(s % 60)}s`;
  if (s < 86_400) return `${Math.floor(s / 3_600)}h${two((s % 3_600) / 60)}m`;
  return `${Math.floor(s / 86_400)}d${two((s % 86_400) / 3_600)}h`;
}

/** `1 job`, `2 jobs`. */
export function many(count: number, word: string): string {
  return `${count.toLocaleString('en')} ${word}${count === 1 ? '' : 's'}`;
}
