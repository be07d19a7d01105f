import type { RunReport } from '../runs/run.ts';
import { drawStory, tellStory } from './drawing.ts';
import { text } from './text.ts';

const style = `
:root { color-scheme: light dark; --ink: #1c2430; --paper: #fff; --rule: #d5dae1; --job: #4a7fb5; --bad: #b3261e; --fault: #c77700; --good: #2e7d4f }
@media (prefers-color-scheme: dark) { :root { --ink: #e3e7ec; --paper: #14181d; --rule: #39424d; --job: #6ea3d8; --bad: #ff8a80; --fault: #ffb74d; --good: #7bc99b } }
body { font: 15px/1.5 system-ui, sans-serif; color: var(--ink); background: var(--paper); max-width: 70rem; margin: 2rem auto; padding: 0 1rem }
h2 { font-size: 1rem; margin: 2rem 0 .3rem } .failed { color: var(--bad) } .passed { color: var(--good) }
svg { width: 100%; height: auto } svg text { font: 11px system-ui, sans-serif; fill: var(--ink) }
.rule { stroke: var(--rule) } .job { fill: var(--job); opacity: .8 } .life { fill: var(--rule); opacity: .45 } svg .name { font-size: 8.5px; fill: #fff }
svg text, svg line { pointer-events: auto } details { font-size: .85rem } .kill-told, .stop-told { color: var(--bad) } .fault-told { color: var(--fault) } .heal-told { color: var(--good) }
 .kill, .stop { stroke: var(--bad); stroke-width: 2 }
.fault { stroke: var(--fault); stroke-width: 2 } .start, .heal, .end, .note { stroke: var(--good); stroke-width: 1.5 }
`;

/** One page that needs nothing else: what happened in each run, and when. */
export function reportPage(
  reports: readonly RunReport[],
  skipped: readonly { readonly name: string; readonly why: string }[],
): string {
  const failed = reports.filter(({ verdict }) => verdict === 'failed').length;
  const not = skipped.map(({ name, why }) => `<li>${text(name)}: ${text(why)}</li>`).join('');
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>muster-chaos</title>
<meta name="viewport" content="width=device-width"><style>${style}</style>
<h1>Chaos on real processes</h1>
<p>${reports.length} runs, ${failed} failed. Bands are processes, bars are jobs as their nodes tell of them; lines are what was done: <b class="kill-told">kills and stops</b>, <b class="fault-told">faults of links</b> (the short ones below: where they met bytes), <b class="heal-told">starts and ends of faults</b>. Point at one to read it.</p>
${reports.map(sectionOf).join('\n')}
<h2>Skipped here</h2><ul>${not}</ul></html>
`;
}

function sectionOf({ scenario, seed, verdict, cleanUp, bound, violations, story }: RunReport): string {
  const clean = cleanUp === undefined ? '' : `, clean after ${Math.round(cleanUp)} ms of ${bound} ms`;
  const broken = violations.map((violation) => `<li class="failed">${text(violation)}</li>`).join('');
  return `<section><h2>${text(scenario)}, seed ${seed}: <span class="${verdict === 'passed' ? 'passed' : 'failed'}">${verdict}</span>${clean}</h2>
${broken && `<ul>${broken}</ul>`}${drawStory(story)}${tellStory(story)}</section>`;
}
