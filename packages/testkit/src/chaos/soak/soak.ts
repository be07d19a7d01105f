import { availableParallelism } from 'node:os';
import { Random } from '../../simulation/random.ts';
import type { LoadState } from '../coordinator/words.ts';
import type { ChaosLab } from '../lab/chaos-lab.ts';
import { chaosLab } from '../lab/chaos-lab.ts';
import { now } from '../process/child.ts';
import { descriptorsOf, isAlive, residentOf } from '../process/machine.ts';
import { pause, until } from '../process/wait.ts';
import type { Course, Sample } from './flat.ts';
import { courseOf } from './flat.ts';

export interface SoakOptions {
  readonly minutes: number;
  readonly seed: number;
  /** Hears what happens, a sentence each. */
  readonly say: (sentence: string) => void;
}

export interface SoakReport {
  readonly courses: readonly Course[];
  readonly load: LoadState;
  readonly faults: Readonly<Record<string, number>>;
  /** A sentence for each promise that was seen broken. */
  readonly violations: readonly string[];
}

/** How long a call computes, in milliseconds, and how much of all processors all calls together are to take. */
const callMs = 20;
const share = 0.6;
/** Calls that are open at once, at most. */
const mostOpen = 200;
const betweenFaults = 60_000;
const jobsFile = new URL('../runs/jobs.js', import.meta.url);

/** What the coordinator lives through: its memory is to be seen. Each resolves when it is over. */
const faults: Readonly<Record<string, (lab: ChaosLab, node: string) => Promise<unknown>>> = {
  'guardian killed': (lab) => lab.killGuardian(),
  'executors killed': (lab, node) => lab.killAll(`executors of ${node}`),
  'agent killed and started again': async (lab, node) => {
    await lab.killAgent(node);
    await lab.restartAgent(node);
  },
  'link reset': async (lab, node) => void lab.fault('coordinator', node, { kind: 'reset' }),
  'link held for a second': (lab, node) => held(lab, node, 1_000),
  'link held beyond the lease': (lab, node) => held(lab, node, 8_000),
  'coordinator stopped for a second': async (lab) => {
    lab.stop('coordinator');
    await pause(1_000);
    lab.continue('coordinator');
  },
};

async function held(lab: ChaosLab, node: string, ms: number): Promise<void> {
  const heals = ['coordinator', 'guardian'].map((party) => lab.partition(party, node));
  await pause(ms);
  for (const heal of heals) heal();
}

/** Runs a cluster at a steady load with a fault each minute, and looks what its processes hold. */
export async function soak({ minutes, seed, say }: SoakOptions): Promise<SoakReport> {
  const lab = await chaosLab({ nodes: 2, jobs: jobsFile, seed });
  const samples = new Samples(lab);
  const violations: string[] = [];
  const met: Record<string, number> = {};
  let load: LoadState = { answered: 0, open: 0, held: 0, failed: {} };
  try {
    await lab.coordinator.load(callMs / (share * availableParallelism()), mostOpen, 'work', {
      ms: callMs,
      bytes: 2_000,
    });
    samples.begin();
    for (const { name, node, at } of planOf(seed, minutes, [...lab.nodes.keys()])) {
      await pause(at - samples.age);
      say(`${clock(samples.age)} ${name} (${node})`);
      await faults[name]?.(lab, node);
      met[name] = (met[name] ?? 0) + 1;
      violations.push(...(await served(lab)));
    }
    await pause(minutes * 60_000 - samples.age);
    await lab.coordinator.tell('stopLoad');
    await until('all calls have ended', async () => (await lab.coordinator.loaded()).open === 0, 30_000);
    await lab.expectNoOrphans({ within: 2_000 });
  } catch (error) {
    violations.push((error as Error).message);
  }
  samples.end();
  load = await lab.coordinator.loaded().catch(() => load);
  await lab.close().catch((error: unknown) => violations.push((error as Error).message));
  return { courses: samples.courses(), load, faults: met, violations };
}

interface Planned {
  readonly name: string;
  readonly node: string;
  readonly at: number;
}

/** A fault in the middle of each minute; each kind comes once before any comes again. */
function planOf(seed: number, minutes: number, nodes: readonly string[]): Planned[] {
  const random = new Random(`soak/${seed}`);
  const names: string[] = [];
  while (names.length < minutes) names.push(...random.shuffled(Object.keys(faults)));
  return Array.from({ length: Math.floor(minutes) }, (_, i) => {
    return { name: names[i] ?? '', node: random.pick(nodes), at: (i + 0.5) * betweenFaults };
  });
}

/** Two leases after a fault calls are answered again. */
async function served(lab: ChaosLab): Promise<string[]> {
  const { answered } = await lab.coordinator.loaded();
  const more = async (): Promise<boolean> => (await lab.coordinator.loaded()).answered > answered + 20;
  return until('calls are answered again', more, 10_000).then(
    () => [],
    (error: Error) => [error.message],
  );
}

/** Looks at coordinator, guardians, agents and reapers every two seconds. */
class Samples {
  readonly #lab: ChaosLab;
  readonly #by: Map<number, { readonly name: string; readonly samples: Sample[] }> = new Map();
  #began = 0;
  #over = false;

  constructor(lab: ChaosLab) {
    this.#lab = lab;
  }

  /** Milliseconds since it began. */
  get age(): number {
    return now() - this.#began;
  }

  begin(): void {
    this.#began = now();
    void this.#look();
  }

  end(): void {
    this.#over = true;
  }

  courses(): Course[] {
    return Array.from(this.#by.values(), ({ name, samples }) => courseOf(name, samples));
  }

  async #look(): Promise<void> {
    while (!this.#over) {
      const { coordinator, nodes } = this.#lab;
      this.#take(coordinator.pid, 'coordinator');
      for (const pid of coordinator.guardians) this.#take(pid, 'guardian');
      for (const node of nodes.values()) {
        // Two descriptors of an agent are for each executor.
        this.#take(node.pid, `agent of ${node.id}`, 2 * node.executors.length);
        this.#take(node.reaper ?? 0, `reaper of ${node.id}`);
      }
      await pause(2_000);
    }
  }

  #take(pid: number, name: string, uncounted = 0): void {
    if (pid === 0 || !isAlive(pid)) return;
    const known = this.#by.get(pid) ?? { name: `${name}, process ${pid}`, samples: [] };
    this.#by.set(pid, known);
    const descriptors = (descriptorsOf(pid) ?? 0) - uncounted;
    known.samples.push({ at: this.age, memory: residentOf(pid), descriptors });
  }
}

function clock(ms: number): string {
  const seconds = Math.floor(ms / 1_000);
  return `${Math.floor(seconds / 60)}:${String(seconds % 60).padStart(2, '0')}`;
}
