#!/usr/bin/env node
/* oxlint-disable no-restricted-globals -- the command's own process: arguments, exit status, real time for its table */
import { writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { reportPage } from '../chaos/report/page.ts';
import { chaosTable, soakTable } from '../chaos/report/tables.ts';
import { soak } from '../chaos/soak/soak.ts';
import { planOf } from '../chaos/runs/plan.ts';
import type { RunReport } from '../chaos/runs/run.ts';
import { runScenario } from '../chaos/runs/run.ts';
import { rulesLookedAt } from '../chaos/runs/history.ts';
import type { Scenario } from '../chaos/runs/scenario.ts';
import { lacking, scenarios, skipped } from '../chaos/runs/table.ts';
import { orRefuse, wholeNumber, WrongUse } from './wrong-use.ts';

const usage = `muster-chaos [--runs 30] [--seed 1] [--scenario name,name] [--report file.html]
    hurts a cluster of real processes on this machine, and looks at what is left; each run draws its scenario and its
    moment from the seed, and a run that fails prints the line that replays it
muster-chaos --soak [--minutes 10] [--seed 1]
    a cluster at 60 % load with a fault each minute, which is to end with the memory and the descriptors that it had
muster-chaos --list
    the scenarios, and what cannot be tried here

scenarios: ${scenarios.map(({ name }) => name).join(' ')}
`;

const { values: given } = await orRefuse('muster-chaos', () =>
  parseArgs({
    options: {
      runs: { type: 'string' },
      seed: { type: 'string' },
      scenario: { type: 'string' },
      report: { type: 'string' },
      soak: { type: 'boolean', default: false },
      minutes: { type: 'string' },
      list: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }),
);

// Whoever reads has seen enough.
process.stdout.on('error', () => process.exit(1));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function chosen(text: string | undefined): readonly Scenario[] {
  if (text === undefined) return scenarios;
  return text.split(',').map((name) => {
    const found = scenarios.find((scenario) => scenario.name === name);
    if (found === undefined) throw new WrongUse(`There is no scenario "${name}"; --list says which there are.`);
    return found;
  });
}

/** What this machine cannot do, and why: said always, so that nobody takes it for tried. */
function impossible(from: readonly Scenario[]): { readonly name: string; readonly why: string }[] {
  const not = from.flatMap((scenario) => {
    const why = lacking(scenario);
    return why === undefined ? [] : [{ name: scenario.name, why }];
  });
  return [...not, ...skipped];
}

function lineOf({ scenario, seed, verdict, cleanUp, bound, took }: RunReport): string {
  const clean = cleanUp === undefined ? '' : `, clean after ${Math.round(cleanUp)} ms of ${bound}`;
  return `${scenario} (seed ${seed}): ${verdict}${clean}, ${(took / 1_000).toFixed(1)} s`;
}

async function many(): Promise<boolean> {
  const from = chosen(given.scenario);
  const seed = wholeNumber('seed', given.seed ?? '1');
  const runs = wholeNumber('runs', given.runs ?? (given.scenario === undefined ? '30' : String(from.length)));
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
  const busy = reports.filter(({ verdict }) => verdict === 'too busy').length;
  const took = reports.reduce((sum, report) => sum + report.took, 0);
  say(`\n${chaosTable(reports, scenarios)}\n`);
  say(
    `${reports.length} runs in ${(took / 1_000).toFixed(0)} s, ${failed} failed, ${notRun} not run, ${busy} too busy to judge`,
  );
  say(`rules that each history was held against: ${rulesLookedAt.join(', ')}`);
  for (const { name, why } of not) say(`skipped: ${name}: ${why}`);
  const undrawn = possible.filter(({ name }) => !reports.some(({ scenario }) => scenario === name));
  if (undrawn.length > 0) say(`not drawn in ${runs} runs: ${undrawn.map(({ name }) => name).join(', ')}`);
  if (given.report !== undefined) writeFileSync(given.report, reportPage(reports, not));
  return failed === 0 && reports.some(({ verdict }) => verdict === 'passed');
}

function list(): true {
  for (const { name, says } of scenarios) say(`${name.padEnd(34)}${says}`);
  for (const { name, why } of impossible(scenarios)) say(`skipped: ${name}: ${why}`);
  return true;
}

async function soaked(): Promise<boolean> {
  const minutes = wholeNumber('minutes', given.minutes ?? '10');
  const seed = wholeNumber('seed', given.seed ?? '1');
  const { courses, load, faults, violations } = await soak({ minutes, seed, say });
  say(`\n${soakTable(courses)}\n`);
  const failed = Object.entries(load.failed).map(([code, count]) => `${count} ${code}`);
  say(
    `${load.answered} calls answered, ${failed.join(', ') || 'none'} failed, ${load.held} not made since too many were open`,
  );
  const met = Object.entries(faults).map(([name, count]) => `${count} ${name}`);
  say(`faults: ${met.join(', ') || 'none'}`);
  for (const violation of violations) say(violation);
  const judged = courses.filter(({ verdict }) => verdict !== 'too young');
  return violations.length === 0 && judged.length > 0 && judged.every(({ verdict }) => verdict === 'flat');
}

if (given.help) say(usage);
else
  process.exitCode = (await orRefuse('muster-chaos', () => (given.list ? list() : given.soak ? soaked() : many())))
    ? 0
    : 1;
