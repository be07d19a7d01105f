/** How many ran at a moment. */
export interface Sample {
  /** Milliseconds since the kill. */
  readonly ms: number;
  readonly running: number;
}

const levels = ' ▁▂▃▄▅▆▇█';
const nothing = '·';

/**
 * A bar over time: how many of `all` ran, from the kill on, until `span` milliseconds after it. A cell shows the most
 * that ran in its time, so that nothing which still ran is left out.
 */
export function timeline(samples: readonly Sample[], all: number, span: number, width: number): string {
  const cells = Array.from({ length: width }, (_, i) => most(samples, (i * span) / width, ((i + 1) * span) / width));
  return cells.map((running) => (running === 0 ? nothing : (levels[Math.ceil((8 * running) / all)] ?? '█'))).join('');
}

/** The most that ran between two moments; what was last seen before the first still held there. */
function most(samples: readonly Sample[], from: number, to: number): number {
  const before = samples.filter(({ ms }) => ms <= from).at(-1)?.running ?? samples[0]?.running ?? 0;
  const within = samples.filter(({ ms }) => ms > from && ms < to).map(({ running }) => running);
  return Math.max(before, ...within);
}
