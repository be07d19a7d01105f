export interface Column<Row> {
  readonly head: string;
  readonly of: (row: Row) => string;
  /** Numbers stand to the right. */
  readonly align?: 'left' | 'right';
}

const widest = 44;

/** Lines of a table: a heading, and a row each. Columns are as wide as what is in them. */
export function table<Row>(columns: readonly Column<Row>[], rows: readonly Row[]): string[] {
  const cells = rows.map((row) => columns.map(({ of }) => shorten(of(row))));
  const widths = columns.map(({ head }, i) => Math.max(head.length, ...cells.map((line) => widthOf(line[i] ?? ''))));
  const line = (texts: readonly string[]): string =>
    texts
      .map((text, i) => pad(text, widths[i] ?? 0, columns[i]?.align))
      .join('  ')
      .trimEnd();
  return [line(columns.map(({ head }) => head)), ...cells.map(line)];
}

function pad(text: string, width: number, align: 'left' | 'right' = 'left'): string {
  const space = ' '.repeat(Math.max(0, width - widthOf(text)));
  return align === 'left' ? text + space : space + text;
}

/** One line, and not too long: what users have in their rows may be anything. */
function shorten(text: string): string {
  const flat = text.normalize('NFC').replace(/[\p{Cc}\p{Cf}]+/gu, ' ');
  const letters = Array.from(flat);
  return letters.length <= widest ? flat : `${letters.slice(0, widest - 1).join('')}…`;
}

/** Columns that a text takes; wide letters of East Asia take two. */
function widthOf(text: string): number {
  let width = 0;
  for (const letter of text)
    width += /\p{M}/u.test(letter)
      ? 0
      : /[\u1100-\u115F\u2E80-\uA4CF\uAC00-\uD7A3\uF900-\uFAFF\uFE30-\uFE4F\uFF00-\uFF60]/u.test(letter)
        ? 2
        : 1;
  return width;
}
