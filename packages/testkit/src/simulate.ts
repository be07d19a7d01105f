/* oxlint-disable no-restricted-globals -- a rejection that nobody handles is told to the process */
import type { Constants, Failpoint } from '@muster/rexi';
import type { Script } from '@muster/worker/testing';
import type { Violation } from './checker/violation.ts';
import { check } from './checker/check.ts';
import type { Fault, FaultKind } from './faults/fault.ts';
import { Injector } from './faults/injector.ts';
import { demandLife } from './faults/liveness.ts';
import { planFaults } from './faults/plan.ts';
import type { History } from './history/history.ts';
import { Random } from './simulation/random.ts';
import { objects } from './scenario/objects.ts';
import { brief, fickle, mixed, quiet, streams } from './scenario/workload.ts';
import type { SimCoordinator } from './machines/sim-coordinator.ts';
import type { Scenario } from './scenario/workload.ts';
import { simulateWallClock } from './simulation/wall-clock.ts';
import { World } from './simulation/world.ts';

export const scenarios: Readonly<Record<'mixed' | 'quiet' | 'streams' | 'objects' | 'fickle', Scenario>> = {
  mixed,
  quiet,
  streams,
  objects,
  fickle,
};
export type ScenarioName = keyof typeof scenarios;

export type Mode = 'safety' | 'liveness';

/** How a coordinator ends: in good order, without waiting for that, by SIGKILL, or with its machine. */
export type Ending = (typeof endings)[number];
const endings = ['close', 'exit', 'kill', 'lose'] as const;

export interface SimulateOptions {
  /** Everything that is random comes from it. */
  readonly seed: number | string;
  /** Worker nodes. Default: 2 to 4, by the seed. */
  readonly nodes?: number;
  /** What callers do. Default: by the seed, mostly `mixed`. */
  readonly scenario?: ScenarioName | Scenario;
  /** The jobs that nodes have. Default `simJobs`. */
  readonly jobs?: Readonly<Record<string, Script>>;
  /** A schedule, the kinds to draw one from, or none. Default: drawn from all. */
  readonly faults?: readonly Fault[] | { readonly kinds: readonly FaultKind[]; readonly every?: number };
  /**
   * `safety` (default): faults, then everything heals, and the coordinator ends in some way. `liveness`: faults, then a
   * core of the cluster heals while the rest stays broken, and requests at the core must succeed two leases later.
   */
  readonly mode?: Mode;
  /** How the coordinator ends. Default: drawn. */
  readonly ending?: Ending;
  /** Virtual milliseconds of callers and faults; the end takes some more. Default 60,000. */
  readonly duration?: number;
  /** Whether a second coordinator works at the same nodes. Default: by the seed, and never with a scenario of one's own. */
  readonly rival?: boolean;
  /** The failpoints of the code that are on. Default: one in four, by the seed. */
  readonly failpoints?: readonly Failpoint[];
  /** Values of the protocol's table; what is not said is drawn by the seed or is the default. */
  readonly constants?: Partial<Constants>;
}

export interface SimulationResult {
  readonly seed: number | string;
  readonly history: History;
  readonly violations: readonly Violation[];
  /** The schedule that was played, and how often a fault of each kind found something to hurt. */
  readonly faults: readonly Fault[];
  readonly fired: ReadonlyMap<FaultKind, number>;
  /** How often each failpoint fired; one that is not here never did. */
  readonly failpoints: ReadonlyMap<Failpoint, number>;
  /** Events of the simulation, and virtual milliseconds. */
  readonly events: number;
  readonly simulated: number;
}

/** Longer than the longest of all bounds: a lease, its margins, a guardian that has to wait for it. */
const aftermath = 16_000;

/** Runs a whole cluster for a while of virtual time, ends it, and checks what was seen. */
export async function simulate(options: SimulateOptions): Promise<SimulationResult> {
  const { seed, duration = 60_000, mode = 'safety' } = options;
  const world = newWorld(options);
  const faults = scheduleOf(options, world, duration);
  const injector = new Injector(world);
  const unhandled = (error: unknown): void => world.thrown(error);
  process.on('unhandledRejection', unhandled);
  const realWallClock = simulateWallClock();
  try {
    world.begin();
    injector.schedule(faults);
    await world.pass(duration);
    if (mode === 'liveness') await demandLife(world, injector);
    world.quieten();
    injector.heal();
    await end(world, options.ending);
  } catch (error) {
    world.thrown(error); // It did not come to rest: what was seen until then is checked all the same.
  } finally {
    realWallClock();
    process.off('unhandledRejection', unhandled);
  }
  const { history, loop, constants } = world;
  return {
    seed,
    history,
    violations: check(history.events, constants),
    faults,
    fired: injector.fired,
    failpoints: world.failpoints.fired,
    events: loop.events,
    simulated: world.now,
  };
}

function newWorld({ seed, nodes, scenario, constants, jobs, rival, failpoints }: SimulateOptions): World {
  const own = typeof scenario === 'function';
  const second = rival ?? (!own && new Random(`${seed}/rival`).chance(0.3));
  const world = new World({
    seed,
    nodes: nodes ?? 2 + (typeof seed === 'number' ? seed % 3 : 1),
    scenario: (life) => chosen(life),
    ...(constants && { constants }),
    ...(jobs && { jobs }),
    ...(failpoints && { failpoints }),
    ...(second && { rival: brief }),
  });
  const drawn = world.random.fork('scenario').weighed({ mixed: 6, streams: 3, quiet: 1, objects: 2, fickle: 2 });
  const chosen = typeof scenario === 'function' ? scenario : scenarios[scenario ?? drawn];
  return world;
}

function scheduleOf({ faults }: SimulateOptions, world: World, duration: number): readonly Fault[] {
  if (Array.isArray(faults)) return faults as readonly Fault[];
  const nodes = world.nodes.map(({ id }) => id);
  return planFaults({
    random: world.random.fork('faults'),
    nodes,
    duration,
    ...(faults as { kinds: readonly FaultKind[] } | undefined),
  });
}

async function close(world: World, coordinator: SimCoordinator): Promise<void> {
  coordinator.closed = true;
  const done = await world.settled(coordinator.cluster.close(), aftermath);
  world.history.observer('world')('closed', { life: coordinator.life, done });
}

/** It closes and does not wait for that: what it has queued is lost, all of it or behind a frame or two. */
function exitWithoutWaiting(coordinator: SimCoordinator, frames: number): void {
  void coordinator.cluster.close();
  if (frames === 0) coordinator.process.kill();
  else coordinator.process.killAfter(frames);
  coordinator.process.clock.after(50, () => coordinator.process.kill());
}

/** The coordinator ends in one of the ways in which coordinators end; nothing of it may be left a while later. */
async function end(world: World, given?: Ending): Promise<void> {
  const note = world.history.observer('world');
  const random = world.random.fork('end');
  await world.pass(random.between(0, 3_000));
  const drawn = random.pick(endings);
  const how = given ?? drawn;
  note('ending', { how });
  const { coordinator, rival } = world;
  if (rival !== undefined) await close(world, rival);
  if (coordinator !== undefined && !coordinator.process.isDead) {
    if (how !== 'close') {
      const hits = how === 'lose' ? ['c', 'g'] : ['c'];
      const kind = how === 'lose' ? 'lose-coordinator' : 'kill-coordinator';
      world.history.observer('faults')('fault', { kind, hits, ms: aftermath });
    }
    if (how === 'kill') coordinator.process.kill();
    else if (how === 'exit') exitWithoutWaiting(coordinator, random.int(3));
    else if (how === 'lose') world.home.lose();
    else await close(world, coordinator);
  }
  await world.pass(aftermath);
  for (const { id, agent, objects, alive } of world.nodes) {
    const jobs = agent?.jobs.all.map(({ task, state }) => `${task.ref} ${state}`) ?? [];
    const { objects: kept = 0, bytes = 0, jobs: owners = 0, sessions = 0 } = objects?.table.stats() ?? {};
    note('left', {
      node: id,
      alive: [...alive],
      jobs,
      tombstones: agent?.jobs.tombstones ?? 0,
      kept,
      bytes,
      owners,
      sessions,
    });
  }
  note('over', {
    guardians: [coordinator, rival].flatMap((one) => one?.guardians.filter(({ process: { isDead } }) => !isDead) ?? [])
      .length,
    peak: world.network.peak,
  });
}
