/** What there is to be said of a progress. */
export interface ProgressView {
  readonly label: string;
  readonly done: number;
  readonly total: number | undefined;
  /** Milliseconds since it began. */
  readonly elapsed: number;
}

const barWidth = 24;

/** One line about a progress, of at most `width` characters; the bar itself only where there is a total. */
export function progressText({ label, done, total, elapsed }: ProgressView, width: number = Infinity): string {
  const name = label.replaceAll(/[\p{C}\u2028\u2029]/gu, '?');
  const parts = total === undefined ? [count(done)] : known(done, total, elapsed);
  const line = [...(name === '' ? [] : [name]), ...parts, timeOf(elapsed)].join('  ');
  return line.length <= width ? line : line.slice(0, Math.max(0, width));
}

function known(done: number, total: number, elapsed: number): string[] {
  const share = Math.min(1, done / total);
  const full = Math.floor(share * barWidth);
  const left = share > 0 && share < 1 ? [`${timeOf((elapsed * (1 - share)) / share)} left`] : [];
  const bar = `[${'#'.repeat(full)}${'-'.repeat(barWidth - full)}]`;
  return [bar, `${Math.floor(share * 100)}%`, `${count(done)}/${count(total)}`, ...left];
}

/** 1234567.5 as 1,234,567. */
function count(value: number): string {
  return Math.floor(value).toLocaleString('en');
}

/** Seconds as they are spoken of: 0.4s, 12s, 3m05s, 2h00m. */
function timeOf(ms: number): string {
  if (ms < 10_000) return `${(ms / 1_000).toFixed(1)}s`;
  const s = Math.round(ms / 1_000);
  if (s < 60) return `${s}s`;
  const two = (value: number): string => String(Math.floor(value) % 60).padStart(2, '0');
  return s < 3_600 ? `${Math.floor(s / 60)}m${two(s)}s` : `${Math.floor(s / 3_600)}h${two(s / 60)}m`;
}
