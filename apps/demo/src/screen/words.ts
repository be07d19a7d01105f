/** Numbers as people read them. */
const whole = new Intl.NumberFormat('en', { maximumFractionDigits: 0 });

export function count(value: number): string {
  return whole.format(value);
}

/** Milliseconds; seconds from ten thousand on. */
export function time(ms: number): string {
  if (ms < 1) return `${ms.toFixed(2)} ms`;
  return ms < 10_000 ? `${count(ms)} ms` : `${(ms / 1_000).toFixed(1)} s`;
}

export function bytes(size: number): string {
  if (size < 1_024) return `${size} bytes`;
  const kib = size / 1_024;
  return kib < 1_024 ? `${kib.toFixed(1)} KiB` : `${(kib / 1_024).toFixed(2)} MiB`;
}

/** A value of a row as a cell. */
export function cell(value: unknown): string {
  if (value === undefined || value === null) return '';
  if (typeof value === 'number') return Number.isInteger(value) ? count(value) : String(value);
  return typeof value === 'string' ? value : JSON.stringify(value);
}
