#!/usr/bin/env node
/* oxlint-disable no-restricted-globals -- the command's own process: arguments, exit status, real time for its table */
import { writeFileSync } from 'node:fs';
import { availableParallelism } from 'node:os';
import { parseArgs } from 'node:util';
import type { FaultKind } from '../faults/fault.ts';
import { faultKinds } from '../faults/fault.ts';
import { plantedBug, plantedBugs } from '../planted/planted.ts';
import type { SeedOrder } from '../seeds/run-seed.ts';
import { replay } from '../seeds/run-seed.ts';
import { runSeeds } from '../seeds/run-seeds.ts';
import { shrink } from '../seeds/shrink.ts';
import { Tally } from '../seeds/tally.ts';
import { tryVariant } from '../variants/try-variant.ts';
import { untold, variants } from '../variants/variants.ts';
import type { Mode } from '../simulate.ts';
import { orRefuse, wholeNumber, WrongUse } from './wrong-use.ts';

const usage = `muster-sim [--seeds 200] [--from 1] [--mode safety|liveness] [--duration 60000] [--faults kind,kind] [--threads n]
    runs seeds; without --mode, a fifth as many in liveness mode as in safety mode
muster-sim --seed n [--mode …] [--keep 3,7] [--bug name] [--history file]
    runs one seed again, with some of its faults only, and writes its history
muster-sim --planted [--seeds 2000] [--bug name]
    plants each known bug and runs seeds until one is caught
muster-sim --variants [--seeds 200]
    tries the variants of the protocol that its models know, and says which claims hold

faults: ${faultKinds.join(' ')}
bugs: ${plantedBugs.map(({ name }) => name).join(' ')}
`;

const { values: given } = await orRefuse('muster-sim', () =>
  parseArgs({
    options: {
      seeds: { type: 'string' },
      from: { type: 'string', default: '1' },
      mode: { type: 'string' },
      duration: { type: 'string', default: '60000' },
      faults: { type: 'string' },
      threads: { type: 'string' },
      seed: { type: 'string' },
      keep: { type: 'string' },
      bug: { type: 'string' },
      history: { type: 'string' },
      planted: { type: 'boolean', default: false },
      variants: { type: 'boolean', default: false },
      help: { type: 'boolean', default: false },
    },
  }),
);

// Whoever reads has seen enough.
process.stdout.on('error', () => process.exit(1));
const say = (line: string): void => void process.stdout.write(`${line}\n`);

function kindsOf(text: string | undefined): readonly FaultKind[] | undefined {
  const kinds = text?.split(',').filter(Boolean);
  const wrong = kinds?.find((kind) => !(faultKinds as readonly string[]).includes(kind));
  if (wrong !== undefined) throw new WrongUse(`There is no fault "${wrong}"; there are ${faultKinds.join(', ')}.`);
  return kinds as readonly FaultKind[] | undefined;
}

function modeOf(text: string | undefined): Mode | undefined {
  if (text === undefined || text === 'safety' || text === 'liveness') return text;
  throw new WrongUse(`--mode is safety or liveness, not "${text}".`);
}

const { mode, kinds, duration, threads, from } = await orRefuse('muster-sim', () => ({
  mode: modeOf(given.mode),
  kinds: kindsOf(given.faults),
  duration: wholeNumber('duration', given.duration),
  threads: given.threads === undefined ? availableParallelism() : wholeNumber('threads', given.threads),
  from: wholeNumber('from', given.from),
}));

function orderOf(seed: number, of: Mode, rest: Partial<SeedOrder> = {}): SeedOrder {
  return {
    seed,
    mode: of,
    duration,
    ...(kinds && { kinds }),
    ...(given.bug !== undefined && { planted: given.bug }),
    ...rest,
  };
}

/** Each hundredth is run twice. */
function* ordersOf(count: number): Generator<SeedOrder> {
  const twice = (i: number): Partial<SeedOrder> => ({ twice: i % 100 === 0 });
  for (let i = 0; i < count; i += 1) yield orderOf(from + i, mode ?? 'safety', twice(i));
  if (mode !== undefined) return;
  for (let i = 0; i < count / 5; i += 1) yield orderOf(from + i, 'liveness', twice(i));
}

function replayCommand({ seed, mode: of, planted }: SeedOrder, keep?: readonly number[]): string {
  const words = [
    'npm run sim --',
    `--seed ${seed}`,
    `--mode ${of}`,
    duration === 60_000 ? '' : `--duration ${duration}`,
  ];
  if (kinds !== undefined) words.push(`--faults ${kinds.join(',')}`);
  if (planted !== undefined) words.push(`--bug ${planted}`);
  if (keep !== undefined) words.push(`--keep ${keep.length === 0 ? 'none' : keep.join(',')}`);
  return words.filter(Boolean).join(' ');
}

async function many(count: number): Promise<boolean> {
  const tally = new Tally();
  const began = performance.now();
  let told = began;
  for await (const report of runSeeds(ordersOf(count), threads)) {
    tally.add(report);
    const now = performance.now();
    if (now - told < 2_000) continue;
    told = now;
    say(`${tally.seeds} seeds, ${(tally.simulated / 3_600_000).toFixed(2)} h simulated, ${tally.failed} failed`);
  }
  say(tally.table(performance.now() - began));
  for (const { rule, report, seeds } of tally.failures.values()) {
    const first = report.violations.find((violation) => violation.rule === rule);
    const order = orderOf(report.seed, report.mode);
    say(
      `\n${rule}: ${seeds} seeds; first ${report.seed} (${report.mode}), at ${first?.at.toFixed(1)} ms: ${first?.what}`,
    );
    say(`    ${replayCommand(order)}`);
    if (rule === 'sameSeedSameHistory') continue;
    const { kept, faults } = await shrink(order, rule);
    say(`    ${replayCommand(order, kept)}`);
    for (const fault of faults) say(`      ${JSON.stringify(fault)}`);
  }
  return tally.failed === 0;
}

async function one(seed: number): Promise<boolean> {
  const order = orderOf(seed, mode ?? 'safety');
  const own = await replay(order);
  const keep = given.keep === 'none' ? [] : given.keep?.split(',').map(Number);
  const result =
    keep === undefined
      ? own
      : await replay(
          order,
          own.faults.filter((_, i) => keep.includes(i)),
        );
  for (const fault of result.faults) say(JSON.stringify(fault));
  for (const { rule, at, what } of result.violations) say(`${rule} at ${at.toFixed(1)} ms: ${what}`);
  say(
    `seed ${seed}: ${result.history.events.length} lines of history, hash ${result.history.hash()}, ${result.violations.length} violations`,
  );
  if (given.history !== undefined) writeFileSync(given.history, result.history.toJsonl());
  return result.violations.length === 0;
}

/** Safety and liveness in turn, until the planted bug is caught. */
function* hunt(name: string, count: number): Generator<SeedOrder> {
  for (let i = 0; i < count; i += 1) yield orderOf(from + i, i % 5 === 4 ? 'liveness' : 'safety', { planted: name });
}

async function planted(count: number): Promise<boolean> {
  const bugs = given.bug === undefined ? plantedBugs : [plantedBug(given.bug)];
  let caught = 0;
  for (const { name, breaks } of bugs) {
    let seeds = 0;
    let rules = new Set<string>();
    for await (const { violations } of runSeeds(hunt(name, count), threads)) {
      seeds += 1;
      rules = new Set(violations.map(({ rule }) => rule));
      if (rules.size > 0) break;
    }
    caught += rules.size > 0 ? 1 : 0;
    const how =
      rules.size > 0 ? `caught after ${seeds} seeds by ${[...rules].join(', ')}` : `NOT CAUGHT in ${seeds} seeds`;
    say(`${name.padEnd(32)} ${how}\n${' '.repeat(33)}${breaks}`);
  }
  say(`${caught} of ${bugs.length} planted bugs caught`);
  return caught === bugs.length;
}

/** The table of the models' variants: those whose outcome is another one are marked. */
async function tryVariants(count: number): Promise<boolean> {
  let expected = true;
  for (const variant of variants) {
    const { outcome, seeds } = await tryVariant(variant, from, count);
    const isExpected = outcome === variant.outcome;
    expected &&= isExpected;
    const mark = isExpected ? 'ok' : 'UNEXPECTED';
    say(
      `${outcome}  ${variant.claim.padEnd(12)} ${String(seeds).padStart(5)} seeds  ${mark.padEnd(10)}  ${variant.name}`,
    );
    if (variant.because !== undefined) say(`       other than in the model: ${variant.because}`);
  }
  for (const { name, because } of untold) say(`not run  ${name}: ${because}`);
  return expected;
}

async function main(): Promise<boolean> {
  if (given.help) return (say(usage), true);
  if (given.bug !== undefined && !plantedBugs.some(({ name }) => name === given.bug))
    throw new WrongUse(`There is no bug "${given.bug}".`);
  if (given.variants) return tryVariants(wholeNumber('seeds', given.seeds ?? '200'));
  if (given.planted) return planted(wholeNumber('seeds', given.seeds ?? '2000'));
  if (given.seed !== undefined) return one(wholeNumber('seed', given.seed));
  return many(wholeNumber('seeds', given.seeds ?? '200'));
}

process.exitCode = (await orRefuse('muster-sim', main)) ? 0 : 1;
