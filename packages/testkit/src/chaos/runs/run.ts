import { constants } from '@muster/rexi';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { Random } from '../../simulation/random.ts';
import { ChaosError } from '../chaos-error.ts';
import type { Begun, ChaosLab } from '../lab/chaos-lab.ts';
import { chaosLab } from '../lab/chaos-lab.ts';
import type { RequestState } from '../coordinator/words.ts';
import { now } from '../process/child.ts';
import { LateError, pause, until } from '../process/wait.ts';
import { isMachineBusy } from '../process/foreign.ts';
import { Actor } from './actor.ts';
import { evidenceOf } from './evidence.ts';
import { checkEvidence } from './history.ts';
import { Descriptors } from './descriptors.ts';
import { broken, judge, type Broken } from './judge.ts';
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
  /**
   * `not run`: the fault met nothing, so that nothing was shown. `too busy`: something was late, and the machine had so much
   * else to do that this says nothing.
   */
  readonly verdict: 'passed' | 'failed' | 'not run' | 'too busy';
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
  /** What has become of them when it was last asked, and when they were begun. */
  readonly states: Map<string, { readonly at: number; readonly state: RequestState }>;
  /** Under which there was a coordinator before anything was hurt. */
  readonly incarnations: Set<string>;
}

const usualLoad = ['spin', 'block', 'fork', 'tick'] as const;
const jobsFile = new URL('./jobs.js', import.meta.url);

/** Runs one scenario on a lab of its own, and looks at the machine before and afterwards. */
export async function runScenario({ scenario, seed }: RunOrder): Promise<RunReport> {
  const began = now();
  const random = new Random(`${scenario.name}/${seed}`);
  const busy = await isMachineBusy();
  const own = { ...times, ...scenario.constants };
  const { disk } = scenario;
  const lab = await chaosLab({
    ...(disk && { disk }),
    nodes: 2,
    jobs: jobsFile,
    constants: own,
    seed,
    coordinator: false,
  });
  const violations: Broken[] = [];
  const beat = join(lab.dir, 'beats');
  const run: Run = {
    lab,
    scenario,
    random,
    victim: random.pick(['n1', 'n2']),
    beat,
    requests: new Map(),
    states: new Map(),
    incarnations: new Set(),
  };
  const watch = new Watch(run);
  const actor = new Actor(run);
  let hurt = false;
  try {
    mkdirSync(beat);
    const descriptors = new Descriptors(lab);
    watch.begin();
    await load(run);
    await pause(random.between(0, 300)); // The moment.
    hurt = true;
    await actor.act();
    violations.push(...(await judge(run, watch, actor, busy)));
    violations.push(...(await descriptors.different()).map(broken));
  } catch (error) {
    // Before anything was hurt, only time can have been short: `connect` has a second here.
    violations.push({ what: sentence(error), late: !hurt || error instanceof LateError });
  }
  watch.end();
  violations.push(...broughtToRules(run, watch, actor));
  const story = storyOf(run, watch, now());
  await lab.close().catch((error: unknown) => violations.push(broken(sentence(error))));
  const { dead, within } = scenario.expect;
  const silent = actor.missing();
  return {
    scenario: scenario.name,
    seed,
    verdict: await verdictOf(violations, silent, busy),
    violations: violations.map(({ what }) => what),
    fired: actor.fired(),
    cleanUp: dead === 'all' || dead === 'node' ? watch.cleanUp : undefined,
    bound: within,
    took: now() - began,
    story,
  };
}

/** What only lateness has broken says nothing where the machine has other things to do, before or afterwards. */
async function verdictOf(
  violations: readonly Broken[],
  silent: readonly string[],
  busy: boolean,
): Promise<RunReport['verdict']> {
  if (violations.length === 0) return silent.length > 0 ? 'not run' : 'passed';
  return violations.every(({ late }) => late) && (busy || (await isMachineBusy())) ? 'too busy' : 'failed';
}

/** Rules about when something was over. */
const timed: ReadonlySet<string> = new Set(['noOrphans', 'orphansEndAtOnce', 'hungLosesJobs', 'guardiansLeave']);

/** What was seen, held against the rules of the simulation. */
function broughtToRules(run: Run, watch: Watch, actor: Actor): Broken[] {
  const evidence = evidenceOf(run, watch, actor);
  return checkEvidence(evidence, constants({ ...times, ...run.scenario.constants })).map(({ rule, what }) => ({
    what: `${rule}: ${what}`,
    late: timed.has(rule),
  }));
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
