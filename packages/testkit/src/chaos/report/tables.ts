import type { RunReport } from '../runs/run.ts';
import type { Course } from '../soak/flat.ts';
import type { Scenario } from '../runs/scenario.ts';

/** Runs by scenario, as a table that a terminal shows: what was run, what has fired, and how long cleaning up took. */
export function chaosTable(reports: readonly RunReport[], scenarios: readonly Scenario[]): string {
  const rows = scenarios.flatMap(({ name }) => {
    const own = reports.filter(({ scenario }) => scenario === name);
    return own.length === 0 ? [] : [rowOf(name, own)];
  });
  return lined([['scenario', 'runs', 'passed', 'fired', 'clean-up p50', 'max', 'bound', ''], ...rows]);
}

/** Each process of a soak: what it held when it was warm, and at the end. */
export function soakTable(courses: readonly Course[]): string {
  const rows = courses.map(({ name, samples, memory, descriptors, verdict }) => {
    return [name, String(samples), ...memory.map(mib), ...descriptors.map(String), verdict];
  });
  return lined([['process', 'samples', 'MiB then', 'at the end', 'files then', 'at the end', ''], ...rows]);
}

function mib(bytes: number): string {
  return (bytes / 2 ** 20).toFixed(1);
}

function rowOf(name: string, own: readonly RunReport[]): string[] {
  const times = own.flatMap(({ cleanUp }) => (cleanUp === undefined ? [] : [cleanUp])).sort((a, b) => a - b);
  const fired = [...new Set(own.flatMap((report) => report.fired))].join(', ');
  const passed = own.filter(({ verdict }) => verdict === 'passed').length;
  const notRun = own.filter(({ verdict }) => verdict === 'not run').length;
  const busy = own.filter(({ verdict }) => verdict === 'too busy').length;
  return [
    name,
    String(own.length),
    String(passed),
    fired,
    ms(times[Math.floor((times.length - 1) / 2)]),
    ms(times.at(-1)),
    times.length === 0 ? '' : ms(own[0]?.bound),
    [
      notRun > 0 ? `${notRun} NOT RUN: the fault met nothing` : '',
      busy > 0 ? `${busy} too busy: the machine had other things to do` : '',
      passed + notRun + busy < own.length ? 'FAILED' : '',
    ]
      .filter(Boolean)
      .join(', '),
  ];
}

function ms(time: number | undefined): string {
  return time === undefined ? '' : `${Math.round(time)} ms`;
}

function lined(rows: readonly (readonly string[])[]): string {
  const widths = rows.reduce<number[]>((most, row) => row.map((cell, i) => Math.max(most[i] ?? 0, cell.length)), []);
  return rows
    .map((row) =>
      row
        .map((cell, i) => cell.padEnd(widths[i] ?? 0))
        .join('  ')
        .trimEnd(),
    )
    .join('\n');
}
