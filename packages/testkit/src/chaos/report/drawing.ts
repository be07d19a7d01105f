import type { Span } from '../lab/timeline.ts';
import type { Story } from '../runs/story.ts';
import { text } from './text.ts';

/** Pixels: of the whole drawing, of the names at its left, of a line, of a bar. */
const width = 1_000;
const left = 110;
const line = 12;
const gap = 14;

/** A lane for each party, a pale band for its process, bars for its jobs, lines for what was done to it; time runs to the right. */
export function drawStory(story: Story): string {
  const { parties, from, to, events, spans, links } = story;
  const x = (at: number): number => left + ((at - from) / Math.max(1, to - from)) * (width - left - 10);
  let top = 4;
  const lanes = parties.map((party) => {
    const rows = stacked(spans.filter((span) => span.party === party));
    const height = Math.max(2, rows.length) * line + gap;
    const at = top;
    top += height;
    const lives = story.lives.filter((span) => span.party === party).map((span) => bandOf(span, x, at + 2, height - 4));
    const bars = rows.flatMap((row, i) => row.map((span) => barOf(span, x, at + 4 + i * line)));
    const marks = events
      .filter((event) => event.party === party || event.party === 'lab')
      .map(({ at: when, kind, what }) => markOf(x(when), at, height, kind, `${seconds(when - from)} ${kind}: ${what}`));
    const hits = links
      .filter(({ node, event }) => node === party && event === 'fired')
      .map(({ at: when, ...fact }) => {
        const { kind, direction = '', role } = fact as unknown as Record<string, string>;
        return markOf(
          x(when),
          at + height - 8,
          6,
          'fault',
          `${seconds(when - from)} ${kind} ${direction} meets a link of the ${role}`,
        );
      });
    return `<line class="rule" x1="0" x2="${width}" y1="${at + height}" y2="${at + height}"/><text x="0" y="${at + 14}">${text(party)}</text>${lives.join('')}${bars.join('')}${marks.join('')}${hits.join('')}`;
  });
  return `<svg viewBox="0 0 ${width} ${top + 22}" role="img" aria-label="what happened when">${lanes.join('')}${scaleOf(from, to, x, top)}</svg>`;
}

/** A process, for as long as it was there. */
function bandOf({ from, to, what }: Span, x: (at: number) => number, y: number, height: number): string {
  const size = Math.max(1, x(to) - x(from));
  return `<rect class="life" x="${round(x(from))}" y="${y}" width="${round(size)}" height="${height}"><title>${text(what)}</title></rect>`;
}

function barOf({ from, to, what }: Span, x: (at: number) => number, y: number): string {
  const size = Math.max(1, x(to) - x(from));
  const [name = ''] = what.split(' ');
  const fits = size > 7 * name.length;
  const label = fits ? `<text class="name" x="${round(x(from) + 3)}" y="${y + line - 3.5}">${text(name)}</text>` : '';
  return `<rect class="job" x="${round(x(from))}" y="${y}" width="${round(size)}" height="${line - 2}"><title>${text(what)}: ${Math.round(to - from)} ms</title></rect>${label}`;
}

function markOf(x: number, y: number, height: number, kind: string, title: string): string {
  return `<line class="${kind}" x1="${round(x)}" x2="${round(x)}" y1="${y}" y2="${y + height}"><title>${text(title)}</title></line>`;
}

/** A figure for each second. */
function scaleOf(from: number, to: number, x: (at: number) => number, y: number): string {
  const step = Math.max(1, Math.ceil((to - from) / 20_000));
  const ticks = Array.from({ length: Math.floor((to - from) / 1_000 / step) + 1 }, (_, i) => i * step);
  return ticks.map((i) => `<text x="${round(x(from + i * 1_000))}" y="${y + 16}">${i} s</text>`).join('');
}

/** Spans that overlap, in rows below each other. */
function stacked(spans: readonly Span[]): Span[][] {
  const rows: Span[][] = [];
  for (const span of [...spans].sort((a, b) => a.from - b.from)) {
    const row = rows.find((one) => (one.at(-1)?.to ?? 0) <= span.from);
    if (row === undefined) rows.push([span]);
    else row.push(span);
  }
  return rows;
}

/** The same in words, for whoever cannot point: what was done, and when. */
export function tellStory({ events, from }: Story): string {
  const rows = events.map(
    ({ at, party, kind, what }) => `<li class="${kind}-told">${seconds(at - from)} ${text(party)}: ${text(what)}</li>`,
  );
  return `<details><summary>${events.length} events</summary><ol>${rows.join('')}</ol></details>`;
}

function seconds(ms: number): string {
  return `${(ms / 1_000).toFixed(3)} s`;
}

function round(pixels: number): number {
  return Math.round(pixels * 10) / 10;
}
