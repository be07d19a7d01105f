import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../simulation/random.ts';
import { ChaosError } from '../chaos-error.ts';
import type { Begun, ChaosLab } from '../lab/chaos-lab.ts';
import { chaosLab } from '../lab/chaos-lab.ts';
import { now } from '../process/child.ts';
import { pause, until } from '../process/wait.ts';
import { Actor } from './actor.ts';
import { Descriptors } from './descriptors.ts';
import { judge } from './judge.ts';
import type { Story } from './story.ts';
import { storyOf } from './story.ts';
import type { Scenario } from './scenario.ts';
import { times } from './table.ts';
import { Watch } from './watch.ts';

export interface RunOrder {
  readonly scenario: Scenario;
  readonly seed: number;
}

/** What came of one run. */
export interface RunReport {
  readonly scenario: string;
  readonly seed: number;
  /** `not run`: the fault met nothing, so that nothing was shown. */
  readonly verdict: 'passed' | 'failed' | 'not run';
  /** A sentence for each promise that was seen broken. */
  readonly violations: readonly string[];
  /** Faults that have met something, by kind. */
  readonly fired: readonly string[];
  /** From the blow to the last sign of life, in milliseconds; undefined where nothing had to die. */
  readonly cleanUp: number | undefined;
  readonly bound: number;
  /** Of the whole run, in milliseconds. */
  readonly took: number;
  readonly story: Story;
}

/** Everything that steps, watches and judges of one run share. */
export interface Run {
  readonly lab: ChaosLab;
  readonly scenario: Scenario;
  readonly random: Random;
  /** The node that is hurt. */
  readonly victim: string;
  /** Where jobs beat. */
  readonly beat: string;
  readonly requests: Map<string, Begun>;
  /** Under which there was a coordinator before anything was hurt. */
  readonly incarnations: Set<string>;
}

const usualLoad = ['spin', 'block', 'fork', 'tick'] as const;
const jobsFile = new URL('./jobs.js', import.meta.url);

/** Runs one scenario on a lab of its own, and looks at the machine before and afterwards. */
export async function runScenario({ scenario, seed }: RunOrder): Promise<RunReport> {
  const began = now();
  const random = new Random(`${scenario.name}/${seed}`);
  const constants = { ...times, ...scenario.constants };
  const lab = await chaosLab({ nodes: 2, jobs: jobsFile, constants, seed, coordinator: false });
  const violations: string[] = [];
  const beat = join(lab.dir, 'beats');
  const run: Run = {
    lab,
    scenario,
    random,
    victim: random.pick(['n1', 'n2']),
    beat,
    requests: new Map(),
    incarnations: new Set(),
  };
  const watch = new Watch(run);
  const actor = new Actor(run);
  try {
    mkdirSync(beat);
    const descriptors = new Descriptors(lab);
    await load(run);
    watch.begin();
    await pause(random.between(0, 300)); // The moment.
    await actor.act();
    violations.push(...(await judge(run, watch, actor)));
    violations.push(...(await descriptors.different()));
  } catch (error) {
    violations.push(sentence(error));
  }
  watch.end();
  const story = storyOf(run, watch.deaths, now());
  await lab.close().catch((error: unknown) => violations.push(sentence(error)));
  const { dead, within } = scenario.expect;
  const silent = actor.missing();
  return {
    scenario: scenario.name,
    seed,
    verdict: violations.length > 0 ? 'failed' : silent.length > 0 ? 'not run' : 'passed',
    violations,
    fired: actor.fired(),
    cleanUp: dead === 'all' || dead === 'node' ? watch.cleanUp : undefined,
    bound: within,
    took: now() - began,
    story,
  };
}

/** Jobs of every kind on every node, all of them alive. */
async function load({ lab, scenario, requests, beat, incarnations }: Run): Promise<void> {
  incarnations.add((await lab.startCoordinator()).incarnation);
  const jobs = scenario.load ?? usualLoad;
  for (const job of jobs) requests.set(job, await lab.begin('scatter', job, { beat }, { over: 'nodes' }));
  const running = (): boolean => lab.agents.every((node) => node.running.length === jobs.length);
  await until('all jobs run', running, 15_000);
  await requests.get('tick')?.rows(5);
}

function sentence(error: unknown): string {
  if (error instanceof ChaosError) return error.message;
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
