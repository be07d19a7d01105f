import type { Constants, Entropy } from '@muster/rexi';
import { newIdentity } from '@muster/rexi';
import { Agent, Lanes } from '@muster/worker';
import type { Script } from '@muster/worker/testing';
import type { History } from '../history/history.ts';
import type { Network } from '../network/network.ts';
import type { EventLoop } from '../simulation/event-loop.ts';
import type { Machine } from '../simulation/machine.ts';
import type { Random } from '../simulation/random.ts';
import { SimProcess } from '../simulation/sim-process.ts';
import { SimExecutors } from './sim-executors.ts';
import { SimObjects } from './sim-objects.ts';
import { SimReaper } from './sim-reaper.ts';
import { StoreHealth } from './store-health.ts';

/** What every simulated component is made of. */
export interface Surroundings {
  readonly loop: EventLoop;
  readonly random: Random;
  readonly network: Network;
  readonly history: History;
  readonly entropy: Entropy;
  readonly constants: Constants;
  readonly secret: Uint8Array;
}

/** Bytes of objects that a node holds: one is full at once, one now and then. */
const budgets = [3_000, 100_000, 2 ** 30];
const lanes = { default: { concurrency: 6 }, narrow: { concurrency: 1 } };

/** A worker node: the real agent in a simulated process, its executors and its reaper beside it, on one machine. */
export class SimNode {
  readonly id: string;
  readonly machine: Machine;
  readonly address: string;
  /** Of the life that there is, or was last. */
  incarnation = '';
  agent: Agent | undefined;
  objects: SimObjects | undefined;
  /** Of its objects, in the life that there is. */
  health: StoreHealth = new StoreHealth();
  process: SimProcess | undefined;
  reaper: SimReaper | undefined;
  readonly #in: Surroundings;
  readonly #scripts: Readonly<Record<string, Script>>;
  readonly #note: (event: string, facts?: Record<string, unknown>) => void;
  #executors: SimExecutors | undefined;
  #lives = 0;
  /** References of jobs that live on this machine, whoever knows of them. */
  readonly alive: Set<string> = new Set();

  constructor(machine: Machine, scripts: Readonly<Record<string, Script>>, surroundings: Surroundings) {
    this.id = machine.name;
    this.machine = machine;
    this.address = `ws://${machine.name}:7101`;
    this.#in = surroundings;
    this.#scripts = scripts;
    this.#note = surroundings.history.observer(machine.name);
  }

  get isUp(): boolean {
    return this.process !== undefined && !this.process.isDead;
  }

  /** Starts an agent with executors and a reaper. Resolves when it can be dialled. */
  async start(): Promise<void> {
    const { loop, entropy, network, constants, secret, random } = this.#in;
    const life = (this.#lives += 1);
    const spawn = (what: string): SimProcess => new SimProcess(loop, this.machine, `${this.id}/${what} ${life}`);
    const process = (this.process = spawn('agent'));
    const identity = newIdentity('worker', this.id, entropy);
    this.incarnation = identity.incarnation;
    const host = spawn('executors');
    const executors = new SimExecutors({
      clock: host.clock,
      agent: process,
      scripts: this.#scripts,
      starts: random.between(0, 3),
      dies: random.between(1, 20),
      most: 24,
      witness: this.#witness(),
    });
    this.#executors = executors;
    const { clock } = process;
    const transport = network.transport(process);
    const budget = random.pick(budgets);
    const address = this.address;
    this.health = new StoreHealth();
    const objects = (this.objects = new SimObjects(
      { identity, address, clock, entropy, constants, transport, secret, budget },
      this.health,
    ));
    const agent = new Agent({
      id: this.id,
      incarnation: identity.incarnation,
      clock,
      constants,
      executors,
      lanes: new Lanes(lanes),
      objects,
      note: (event, facts) => process.isDead || this.#note(event, { life: identity.incarnation, ...facts }),
      renewed: ({ incarnation, number }, leaseEnd) =>
        process.isDead ||
        this.#note('renewed', {
          life: identity.incarnation,
          incarnation,
          session: number,
          left: leaseEnd - clock.now(),
        }),
    });
    this.agent = agent;
    this.reaper = new SimReaper({
      agent: process,
      spawn: () => spawn('reaper'),
      lease: constants.lease,
      act: (why) => {
        this.#note('reap', { why });
        executors.reap();
      },
    });
    this.#note('node-up', { life: identity.incarnation });
    process.whenDead(() => this.#note('node-down', { life: identity.incarnation }));
    await transport.listen(this.address, {
      identity,
      secret,
      accept: (link) => agent.accept(link),
    });
  }

  /** SIGKILL of the agent. Its executors are the reaper's from now on. */
  killAgent(): void {
    this.process?.kill();
  }

  /** Power is cut. */
  lose(): void {
    this.machine.lose();
    for (const ref of this.alive) this.#note('job-over', { ref, how: 'power cut' });
    this.alive.clear();
  }

  /** SIGKILL of one executor; false where there is none. */
  killExecutor(which: number): boolean {
    return this.#executors?.crash(which) ?? false;
  }

  #witness(): ConstructorParameters<typeof SimExecutors>[0]['witness'] {
    const life = this.incarnation;
    return {
      begun: ({ ref, job }) => {
        this.alive.add(ref);
        this.#note('job-begun', { ref, job, life });
      },
      started: (ref, { rows, bytes }) => this.#note('job-start', { ref, rows, bytes }),
      credited: (ref, { rows, bytes }) => this.#note('job-credit', { ref, rows, bytes }),
      rows: (ref, count, bytes) => this.#note('job-rows', { ref, count, bytes }),
      over: (ref, how) => {
        if (this.alive.delete(ref)) this.#note('job-over', { ref, how });
      },
    };
  }
}
