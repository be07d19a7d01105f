#!/usr/bin/env node
/* oxlint-disable no-restricted-globals -- the command's own process: arguments, exit status, real time for its table */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { hasLimits } from '../chaos/process/limits.ts';
import { reportPage } from '../chaos/report/page.ts';
import { chaosTable } from '../chaos/runs/chaos-table.ts';
import { planOf } from '../chaos/runs/plan.ts';
import type { RunReport } from '../chaos/runs/run.ts';
import { runScenario } from '../chaos/runs/run.ts';
import type { Scenario } from '../chaos/runs/scenario.ts';
import { scenarios, skipped } from '../chaos/runs/table.ts';

const usage = `muster-chaos [--runs 30] [--seed 1] [--scenario name,name] [--report file.html]
    hurts a cluster of real processes on this machine, and looks at what is left; each run draws its scenario and its
    moment from the seed, and a run that fails prints the line that replays it
muster-chaos --list
    the scenarios, and what cannot be tried here

scenarios: ${scenarios.map(({ name }) => name).join(' ')}
`;

const { values: given } = parseArgs({
  options: {
    runs: { type: 'string' },
    seed: { type: 'string' },
    scenario: { type: 'string' },
    report: { type: 'string' },
    list: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});

// Whoever reads has seen enough.
process.stdout.on('error', () => process.exit(1));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function numberOf(name: string, text: string): number {
  const value = Number(text);
  if (!Number.isSafeInteger(value) || value < 0) throw new Error(`--${name} takes a whole number, not "${text}".`);
  return value;
}

function chosen(text: string | undefined): readonly Scenario[] {
  if (text === undefined) return scenarios;
  return text.split(',').map((name) => {
    const found = scenarios.find((scenario) => scenario.name === name);
    if (found === undefined) throw new Error(`There is no scenario "${name}"; --list says which there are.`);
    return found;
  });
}

/** What this machine cannot do, and why: said always, so that nobody takes it for tried. */
function impossible(from: readonly Scenario[]): { readonly name: string; readonly why: string }[] {
  const lacking = hasLimits() ? [] : from.filter(({ needs }) => needs === 'prlimit');
  return [...lacking.map(({ name }) => ({ name, why: 'there is no command "prlimit" here' })), ...skipped];
}

function lineOf({ scenario, seed, verdict, cleanUp, bound, took }: RunReport): string {
  const clean = cleanUp === undefined ? '' : `, clean after ${Math.round(cleanUp)} ms of ${bound}`;
  return `${scenario} (seed ${seed}): ${verdict}${clean}, ${(took / 1_000).toFixed(1)} s`;
}

async function many(): Promise<boolean> {
  const from = chosen(given.scenario);
  const seed = numberOf('seed', given.seed ?? '1');
  const runs = numberOf('runs', given.runs ?? (given.scenario === undefined ? '30' : String(from.length)));
  const not = impossible(from);
  const possible = from.filter(({ name }) => !not.some((one) => one.name === name));
  const reports: RunReport[] = [];
  for (const order of planOf(seed, runs, possible)) {
    const report = await runScenario(order);
    reports.push(report);
    say(`${String(reports.length).padStart(String(runs).length)}/${runs} ${lineOf(report)}`);
    for (const violation of report.violations) say(`    ${violation}`);
    if (report.verdict === 'failed') say(`    npm run chaos -- --scenario ${report.scenario} --seed ${report.seed}`);
  }
  const failed = reports.filter(({ verdict }) => verdict === 'failed').length;
  const notRun = reports.filter(({ verdict }) => verdict === 'not run').length;
  const took = reports.reduce((sum, report) => sum + report.took, 0);
  say(`\n${chaosTable(reports, scenarios)}\n`);
  say(`${reports.length} runs in ${(took / 1_000).toFixed(0)} s, ${failed} failed, ${notRun} not run`);
  for (const { name, why } of not) say(`skipped: ${name}: ${why}`);
  const undrawn = possible.filter(({ name }) => !reports.some(({ scenario }) => scenario === name));
  if (undrawn.length > 0) say(`not drawn in ${runs} runs: ${undrawn.map(({ name }) => name).join(', ')}`);
  if (given.report !== undefined) writeFileSync(given.report, reportPage(reports, not));
  return failed === 0 && reports.length > 0;
}

function list(): true {
  for (const { name, says } of scenarios) say(`${name.padEnd(34)}${says}`);
  for (const { name, why } of impossible(scenarios)) say(`skipped: ${name}: ${why}`);
  return true;
}

if (given.help) say(usage);
else process.exitCode = (given.list ? list() : await many()) ? 0 : 1;
