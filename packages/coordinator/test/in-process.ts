import type { Clock, Constants, Entropy, Link, MemoryNetwork, Transport } from '@muster/rexi';
import { ClusterError, memoryNetwork } from '@muster/rexi';
import type { VirtualClock } from '@muster/rexi/testing';
import { seededEntropy, Stoppable, virtualClock } from '@muster/rexi/testing';
import type { MemoryNode, MemoryNodeOptions, Script } from '@muster/worker/testing';
import { memoryNode } from '@muster/worker/testing';
import { Cluster } from '../src/cluster.ts';
import type { ConnectOptions } from '../src/options.ts';
import { SimulatedGuardians } from '../src/testing/simulated-guardians.ts';

export const secret = 'a secret of some length';
type Lossy = Link & { lose(ms: number): void };
type NodeSettings = Partial<Pick<MemoryNodeOptions, 'executors' | 'lanes' | 'constants' | 'listen'>>;

/** Who has dialled a link. */
export type Dialler = 'coordinator' | 'guardian';

export interface InProcessOptions {
  readonly seed?: number | string;
  readonly latency?: number;
  readonly constants?: Partial<Constants>;
}

/** A whole cluster in this process, on virtual time: real coordinator, guardian and agents over scripted executors. */
export class InProcess {
  readonly clock: VirtualClock = virtualClock(1_000);
  readonly entropy: Entropy;
  readonly network: MemoryNetwork;
  readonly nodes: Map<string, MemoryNode> = new Map();
  /** Every node there ever was: a restarted one is a second. */
  readonly everyNode: MemoryNode[] = [];
  readonly guardians: SimulatedGuardians;
  /** The coordinator's process. */
  process: Stoppable;
  readonly links: Record<Dialler, Set<Lossy>> = { coordinator: new Set(), guardian: new Set() };
  /** Other spellings of addresses, by which they are dialled too. */
  readonly aliases: Map<string, string> = new Map();
  readonly #constants: Partial<Constants>;
  /** Addresses at which the coordinator's dials meet silence. */
  readonly cutOff: Set<string> = new Set();
  #dead = false;

  constructor({ seed = 'in-process', latency = 0, constants = {} }: InProcessOptions = {}) {
    const { clock } = this;
    this.entropy = seededEntropy(seed);
    this.network = memoryNetwork({ clock, entropy: this.entropy, latency });
    this.#constants = constants;
    this.process = new Stoppable(clock);
    this.guardians = new SimulatedGuardians({ clock, entropy: this.entropy, transport: this.#tracked('guardian') });
  }

  async node(id: string, scripts: Readonly<Record<string, Script>>, settings: NodeSettings = {}): Promise<MemoryNode> {
    const { clock, entropy, network: transport } = this;
    const constants = { ...this.#constants, ...settings.constants };
    const node = await memoryNode({
      id,
      clock,
      entropy,
      transport,
      secret: Buffer.from(secret),
      scripts,
      ...settings,
      constants,
    });
    this.nodes.set(id, node);
    this.everyNode.push(node);
    return node;
  }

  /** A cluster handle over all nodes; resolves when they are up. */
  async connect(options: Partial<ConnectOptions> = {}): Promise<Cluster> {
    const cluster = this.handle(options);
    await this.run(cluster.whenUp(options.minNodes ?? this.nodes.size));
    return cluster;
  }

  handle(options: Partial<ConnectOptions> = {}): Cluster {
    const { process, guardians } = this;
    const seams = {
      clock: process.clock satisfies Clock,
      entropy: this.entropy,
      transport: process.transport(this.#tracked('coordinator')),
      spawn: (events: Parameters<SimulatedGuardians['spawn']>[0]) =>
        guardians.spawn({
          said: (message) => process.read(() => events.said(message)),
          exited: () => process.read(() => events.exited()),
        }),
    };
    const nodes = [...this.nodes.values()].map(({ address }) => address);
    return new Cluster({ nodes, secret, constants: this.#constants, ...options }, seams, () => () => undefined);
  }

  /** Lets time pass until the promise is settled. */
  async run<T>(promise: Promise<T>, most = 120_000): Promise<T> {
    const state = { settled: false };
    const done = (): void => void (state.settled = true);
    promise.then(done, done);
    const until = this.clock.now() + most;
    await this.clock.settle();
    for (let step = 1; !state.settled; step = Math.min(step * 2, 50)) {
      if (this.clock.now() >= until) throw new Error(`It has not settled within ${most} ms.`);
      await this.clock.pass(step);
    }
    return promise;
  }

  /** How the promise fails: the error's code, and the detail where there is one. */
  async failure(promise: Promise<unknown>): Promise<string> {
    try {
      return `done: ${String(await this.run(promise))}`;
    } catch (error) {
      const { code, detail } = error as { code?: string; detail?: string };
      return [code ?? String(error), detail].filter(Boolean).join(' ');
    }
  }

  /** SIGKILL of the coordinator: nothing of it runs any more, its sockets and its pipe are closed by the kernel. */
  killCoordinator(): void {
    this.#dead = true;
    this.process.stop();
    for (const link of this.links.coordinator) link.abort('killed');
    for (const guardian of this.guardians.alive) guardian.coordinatorDied();
  }

  /** The machine of coordinator and guardian is gone: no FIN, no RST. */
  loseMachine(): void {
    this.#dead = true;
    this.process.stop();
    this.silence('coordinator');
    this.silence('guardian');
    for (const guardian of this.guardians.alive) void guardian.kill();
  }

  /** These links carry nothing any more, and nobody is told for a long time. */
  silence(dialler: Dialler): void {
    for (const link of this.links[dialler]) link.lose(600_000);
  }

  /** Nothing that the coordinator sends or dials arrives anywhere, until `cutOff` is cleared. */
  cutCoordinatorOff(): void {
    this.silence('coordinator');
    for (const { address } of this.nodes.values()) this.cutOff.add(address);
  }

  /** References of everything that lives anywhere. */
  get jobs(): string[] {
    return this.everyNode.flatMap(({ jobs }) => jobs);
  }

  /** References that were started, at any node, in order. */
  get started(): string[] {
    return this.everyNode.flatMap(({ executors }) => executors.started.map(({ ref }) => ref));
  }

  get coordinatorIsDead(): boolean {
    return this.#dead;
  }

  #tracked(dialler: Dialler): Transport {
    const links = this.links[dialler];
    return {
      dial: async (address, options) => {
        if (dialler === 'coordinator' && this.cutOff.has(address)) {
          await new Promise<void>((resolve) => this.clock.after(options.timeout, resolve));
          throw new ClusterError('unreachable', `${address} has not answered.`, { detail: 'timeout' });
        }
        const link = (await this.network.dial(this.aliases.get(address) ?? address, options)) as Lossy;
        links.add(link);
        return link;
      },
      listen: (address, options) => this.network.listen(address, options),
    };
  }
}

/** The jobs that the tests call; each node has them under its own name. */
export function jobsOf(id: string): Record<string, Script> {
  const numbers = ({ args }: { args: unknown }): number[] => {
    const { count = 3, from = 0, by = 1 } = (args ?? {}) as { count?: number; from?: number; by?: number };
    return Array.from({ length: count }, (_, i) => from + i * by);
  };
  return {
    answer: { steps: ({ args }) => [{ do: 'end', value: args ?? 42 }] },
    who: { steps: [{ do: 'end', value: id }] },
    shard: { steps: ({ shard }) => [{ do: 'end', value: (shard as { id: unknown } | undefined)?.id }] },
    slow: {
      steps: ({ args }) => [
        { do: 'wait', ms: Number(args ?? 1_000) },
        { do: 'end', value: id },
      ],
    },
    throws: { steps: [{ do: 'fail', message: 'boom' }] },
    hang: { steps: [{ do: 'hang' }] },
    deaf: { steps: [{ do: 'hang' }], stops: Infinity },
    dies: { steps: [{ do: 'die' }] },
    count: { stream: true, steps: (call) => [{ do: 'rows', rows: numbers(call), batch: 2 }] },
    single: { stream: true, steps: (call) => [{ do: 'rows', rows: numbers(call) }] },
    says: { stream: true, steps: ({ args }) => [{ do: 'rows', rows: args as unknown[], batch: 2 }] },
    slowly: {
      stream: true,
      steps: (call) =>
        numbers(call).flatMap(
          (row) =>
            [
              { do: 'wait', ms: 100 },
              { do: 'rows', rows: [row] },
            ] as const,
        ),
    },
    endless: { stream: true, steps: [{ do: 'rows', rows: [1, 2, 3] }, { do: 'hang' }] },
    half: {
      stream: true,
      steps: [
        { do: 'rows', rows: [1, 2] },
        { do: 'wait', ms: 50 },
        { do: 'fail', message: 'half way' },
      ],
    },
    pinging: {
      steps: [
        ...Array.from({ length: 10 }, () => [{ do: 'wait', ms: 400 }, { do: 'ping' }] as const).flat(),
        { do: 'end', value: 'awake' },
      ],
    },
    telling: {
      steps: [
        { do: 'progress', value: 0.5 },
        { do: 'log', value: { said: id } },
        { do: 'end', value: 'told' },
      ],
    },
  };
}
