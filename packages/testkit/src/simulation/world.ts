import type { Constants, Entropy, Failpoint, Keys } from '@muster/rexi';
import { constants as tableOf } from '@muster/rexi';
import type { Script } from '@muster/worker/testing';
import { createHash } from 'node:crypto';
import { Failpoints } from '../faults/failpoints.ts';
import { History } from '../history/history.ts';
import { SharedStore } from '../machines/shared-store.ts';
import { SimCoordinator } from '../machines/sim-coordinator.ts';
import type { Surroundings } from '../machines/sim-node.ts';
import { SimNode } from '../machines/sim-node.ts';
import { Network } from '../network/network.ts';
import { simJobs } from '../scenario/jobs.ts';
import type { Life, Scenario } from '../scenario/workload.ts';
import { drift } from './drift.ts';
import { EventLoop } from './event-loop.ts';
import { Machine } from './machine.ts';
import { Random } from './random.ts';

const nsPerMs = 1e6;

export interface WorldOptions {
  readonly seed: number | string;
  readonly nodes: number;
  readonly scenario: Scenario;
  readonly constants?: Partial<Constants>;
  readonly jobs?: Readonly<Record<string, Script>>;
  /** The failpoints that are on. Default: by the seed. */
  readonly failpoints?: readonly Failpoint[];
  /** What users of a second coordinator do, on a machine of its own; absent: there is none. */
  readonly rival?: Scenario;
}

/** A whole cluster: machines, network, processes, and callers; nothing in it is real but the code under test. */
export class World {
  readonly loop: EventLoop;
  readonly random: Random;
  readonly history: History;
  readonly network: Network;
  readonly nodes: readonly SimNode[];
  readonly home: Machine;
  readonly constants: Constants;
  readonly failpoints: Failpoints;
  readonly store: SharedStore;
  coordinator: SimCoordinator | undefined;
  /** A second coordinator, at the same nodes. */
  rival: SimCoordinator | undefined;
  /** Errors that nobody caught: in a process of its own each would have ended it. */
  readonly uncaught: unknown[] = [];
  readonly #in: Surroundings;
  readonly #scenario: Scenario;
  readonly #callers: Random;
  readonly #note: (event: string, facts?: Record<string, unknown>) => void;
  readonly #rivals: { readonly home: Machine; readonly scenario: Scenario } | undefined;
  readonly #remembered: unknown[] = [];
  readonly #keys: string[] = [];
  #lives = 0;
  #requests = 0;
  #open = true;

  constructor({ seed, nodes, scenario, constants = {}, jobs = simJobs, rival, failpoints }: WorldOptions) {
    const random = (this.random = new Random(seed));
    const loop = (this.loop = new EventLoop((error) => this.thrown(error)));
    this.history = new History(() => loop.now);
    this.#note = this.history.observer('caller');
    this.constants = tableOf({ ...drawConstants(random.fork('constants')), ...constants });
    const entropy = entropyOf(random.fork('entropy'));
    this.store = new SharedStore(entropyOf(random.fork('store')));
    this.network = new Network(loop, random.fork('network'), entropy);
    this.failpoints = new Failpoints(random.fork('failpoints'), failpoints);
    this.#in = {
      loop,
      random: random.fork('machines'),
      network: this.network,
      history: this.history,
      entropy,
      constants: this.constants,
      secret: Buffer.from('a secret of some length'),
    };
    const machine = (name: string): Machine => {
      const drawn = random.fork(`machine ${name}`);
      const rate = 1 + drawn.between(-drift / 2, drift / 2);
      const one = new Machine(name, rate, Math.floor(drawn.between(1e3, 1e8)), this.failpoints.chance);
      this.network.add(one);
      return one;
    };
    this.home = machine('c1');
    if (rival !== undefined) this.#rivals = { home: machine('c2'), scenario: rival };
    const ids = Array.from({ length: nodes }, (_, i) => `w${i + 1}`);
    this.nodes = ids.map((id) => new SimNode(machine(id), jobs, this.#in));
    this.#scenario = scenario;
    this.#callers = random.fork('callers');
  }

  /** Starts the nodes and the first coordinator. */
  begin(): void {
    for (const node of this.nodes) void node.start();
    this.startCoordinator();
    this.startRival();
  }

  /** A coordinator's process is started, with callers in it. */
  startCoordinator(): void {
    this.coordinator = this.#startAt(this.home, this.#scenario);
  }

  /** The second coordinator's process is started, in a world that has one. */
  startRival(): void {
    if (this.#rivals !== undefined) this.rival = this.#startAt(this.#rivals.home, this.#rivals.scenario);
  }

  #startAt(home: Machine, scenario: Scenario): SimCoordinator {
    const life = (this.#lives += 1);
    const ids = this.nodes.map(({ id }) => id);
    const shards = ids.map((id, i) => ({ id: i, nodes: [...new Set([id, ids[(i + 1) % ids.length] ?? id])] }));
    const options = { nodes: this.nodes.map(({ address }) => address), shards };
    const coordinator = new SimCoordinator(life, home, options, this.#in);
    scenario({
      coordinator,
      nodes: ids,
      random: this.#callers.fork(life),
      note: (event, facts) => this.#note(event, { life, ...facts }),
      next: () => (this.#requests += 1),
      remembered: this.#remembered,
      store: this.store.open(coordinator.process.clock),
      keys: this.#keys,
      open: () => this.#open,
    } satisfies Life);
    return coordinator;
  }

  /** Callers ask for nothing more. */
  quieten(): void {
    this.#open = false;
  }

  thrown(error: unknown): void {
    this.uncaught.push(error);
    this.history.observer('process')('uncaught', {
      what: error instanceof Error ? (error.stack ?? error.message) : String(error),
    });
  }

  node(id: string): SimNode {
    const node = this.nodes.find((one) => one.id === id);
    if (node === undefined) throw new Error(`There is no node "${id}" in the simulation.`);
    return node;
  }

  /** By its name: `c1`, `w2`. */
  machine(name: string): Machine {
    return name === this.home.name ? this.home : this.node(name).machine;
  }

  get now(): number {
    return this.loop.now / nsPerMs;
  }

  /** Calls `run` after so many virtual milliseconds, whatever becomes of any process. */
  after(ms: number, run: () => void): void {
    this.loop.after(ms * nsPerMs, run);
  }

  /** Lets virtual milliseconds pass. */
  pass(ms: number): Promise<void> {
    return this.loop.run(this.loop.now + ms * nsPerMs);
  }

  /** Lets time pass until the promise is settled, but no more than `most` milliseconds; false where it is not. */
  async settled(promise: Promise<unknown>, most: number): Promise<boolean> {
    const state = { settled: false };
    const settle = (): void => void (state.settled = true);
    promise.then(settle, settle);
    const until = this.now + most;
    while (!state.settled && this.now < until) await this.pass(Math.min(50, until - this.now));
    return state.settled;
  }
}

/** Constants are drawn as well: small windows and blocks meet their limits in every run. */
function drawConstants(random: Random): Partial<Constants> {
  return {
    // A scripted job sends a batch whole: the largest has to fit.
    windowRows: random.pick([5, 7, 16, 4_096]),
    windowBytes: random.pick([250, 1_200, 1_048_576]),
    block: random.pick([2, 16, 4_096]),
    inFlight: random.pick([512, 262_144]),
  };
}

/** Keys that nobody forges, since nobody is there who would: a signature is a tag, and costs no millisecond. */
const cheapKeys: Keys = {
  publicKey: (seed) => createHash('sha256').update(seed).digest(),
  sign: (seed, bytes) => tag(createHash('sha256').update(seed).digest(), bytes),
  verify: (key, bytes, signature) => Buffer.compare(tag(key, bytes), signature) === 0,
};

function tag(key: Uint8Array, bytes: Uint8Array): Uint8Array {
  return Buffer.concat([createHash('sha256').update(key).update(bytes).digest(), new Uint8Array(32)]);
}

function entropyOf(random: Random): Entropy {
  return { bytes: (count) => random.bytes(count), keys: cheapKeys };
}
