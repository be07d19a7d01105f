import { failpointNames } from '../faults/failpoints.ts';
import { faultKinds } from '../faults/fault.ts';
import type { SeedReport } from './run-seed.ts';

/** A failure of a run over many seeds, for the first seed that shows it. */
export interface Failure {
  readonly rule: string;
  readonly report: SeedReport;
  seeds: number;
}

/** What a run over many seeds adds up to. */
export class Tally {
  seeds = 0;
  failed = 0;
  twice = 0;
  events = 0;
  /** Virtual milliseconds. */
  simulated = 0;
  readonly fired: Map<string, number> = new Map();
  readonly failpoints: Map<string, number> = new Map();
  readonly failures: Map<string, Failure> = new Map();

  add(report: SeedReport): void {
    this.seeds += 1;
    this.events += report.events;
    this.simulated += report.simulated;
    if (report.hashes !== undefined) this.twice += 1;
    if (report.violations.length > 0) this.failed += 1;
    addTo(this.fired, report.fired);
    addTo(this.failpoints, report.failpoints);
    for (const rule of new Set(report.violations.map((violation) => violation.rule))) {
      const known = this.failures.get(rule);
      if (known === undefined) this.failures.set(rule, { rule, report, seeds: 1 });
      else known.seeds += 1;
    }
  }

  /** Kinds of faults that never found anything to hurt, and failpoints that never fired: what they are about was not tested. */
  get notRun(): string[] {
    return [
      ...faultKinds.filter((kind) => !this.fired.has(kind)),
      ...failpointNames.filter((point) => !this.failpoints.has(point)),
    ];
  }

  /** The table for people, after so many milliseconds of real time. */
  table(real: number): string {
    const hours = this.simulated / 3_600_000;
    const rows: [string, string][] = [
      ['seeds', `${this.seeds} (${this.twice} run twice)`],
      [
        'simulated',
        `${hours.toFixed(2)} h in ${(real / 1_000).toFixed(1)} s, ${Math.round(this.simulated / real)} times real time`,
      ],
      ['events', `${this.events}, ${Math.round((this.events / real) * 1_000)} a second`],
      ...faultKinds.map((kind): [string, string] => [`fault ${kind}`, countIn(this.fired, kind)]),
      ...failpointNames.map((point): [string, string] => [`failpoint ${point}`, countIn(this.failpoints, point)]),
      ['seeds that failed', String(this.failed)],
    ];
    const width = Math.max(...rows.map(([name]) => name.length));
    return rows.map(([name, value]) => `${name.padEnd(width)}  ${value}`).join('\n');
  }
}

function addTo(sum: Map<string, number>, counts: Readonly<Record<string, number>>): void {
  for (const [name, count] of Object.entries(counts)) sum.set(name, (sum.get(name) ?? 0) + count);
}

/** What never came to pass has not passed either. */
function countIn(sum: ReadonlyMap<string, number>, name: string): string {
  return sum.get(name)?.toString() ?? 'not run';
}
