import type { Phase, SimProcess } from '../simulation/sim-process.ts';
import type { World } from '../simulation/world.ts';
import type { Fault, FaultKind, FaultOf } from './fault.ts';
import { NetworkFaults } from './network-faults.ts';
import { hurtStores, loseStores } from './store-faults.ts';
import { Toll } from './toll.ts';

/** Ways in which a node can be broken for good. */
export const brokenForGood = ['stop', 'clog to', 'clog from', 'partition', 'kill'] as const;

/** Milliseconds until a node that has drained is started again. */
const restart = 300;

/** Carries out a schedule of faults, and counts those that found something to hurt. */
export class Injector {
  readonly #world: World;
  readonly #toll: Toll;
  readonly #network: NetworkFaults;
  /** Processes that will be killed at a frame that they send. */
  readonly #fused: Set<SimProcess> = new Set();
  #healed = false;

  constructor(world: World) {
    this.#world = world;
    this.#toll = new Toll(world);
    this.#network = new NetworkFaults(world, this.#toll);
  }

  /** How many faults of each kind there were; a kind that is not here had nothing to hurt. */
  get fired(): ReadonlyMap<FaultKind, number> {
    return this.#toll.fired;
  }

  schedule(faults: readonly Fault[]): void {
    for (const fault of faults) this.#world.after(fault.at, () => this.inject(fault));
  }

  /** Carries out one fault now, where there is something for it. */
  inject(fault: Fault): void {
    if (!this.#toll.over) this.#apply(fault);
  }

  /** No more faults: what lasts ends now, and what is down comes up. */
  heal(): void {
    this.calm();
    this.#healed = true;
    this.#toll.note('healed');
  }

  /** The same, but what is broken afterwards may stay so until `heal`. */
  calm(): void {
    this.#toll.end();
    for (const process of this.#fused) process.killAfter(Infinity);
    for (const node of this.#world.nodes) if (!node.isUp) this.#startNode(node.id);
    this.#startCoordinator();
    this.#startRival();
  }

  /** Breaks a node and leaves it so, until `heal`. */
  breakForGood(id: string, how: (typeof brokenForGood)[number]): void {
    const node = this.#world.node(id);
    const number = `${id} for good`;
    this.#toll.note('fault', { kind: `${how} for good`, number, hits: [id, `net ${id}`], ms: 600_000 });
    if (how === 'kill') return node.killAgent();
    const [to, from] = this.#network.between(id);
    const cut = { stop: [], 'clog to': [to], 'clog from': [from], partition: [to, from] }[how];
    if (how === 'stop') node.process?.stop();
    const free = this.#network.clogged(cut);
    this.#toll.until(() => {
      node.process?.continue();
      free();
      this.#toll.note('over', { number });
    });
  }

  #apply(fault: Fault): void {
    switch (fault.kind) {
      case 'kill-coordinator':
        return this.#killCoordinator(fault);
      case 'kill-rival':
        return this.#killRival(fault);
      case 'kill-guardian':
        return this.#killGuardian(fault);
      case 'kill-agent':
        return this.#killAgent(fault);
      case 'kill-reaper':
        return this.#killReaper(fault);
      case 'kill-executor':
        return this.#killExecutor(fault);
      case 'lose-coordinator':
        return this.#loseCoordinator(fault);
      case 'lose-node':
        return this.#loseNode(fault);
      case 'stall-coordinator':
        return this.#stop(fault, this.#world.coordinator?.process, 'c', fault.first);
      case 'stall-when-down':
        return this.#stallWhenDown(fault);
      case 'stop-guardian':
        return this.#stop(fault, this.#world.coordinator?.guardian?.process, 'g');
      case 'stop-agent':
        return this.#stop(fault, this.#world.node(fault.node).process, fault.node, fault.first);
      case 'stop-coordinator-machine':
        return this.#stopMachine(fault);
      case 'drain':
        return this.#drain(fault);
      case 'slow':
        return this.#network.slow(fault);
      case 'clog':
      case 'partition':
        return this.#network.cut(fault);
      case 'swizzle':
        return this.#network.swizzle(fault);
      case 'jump-wall-clock':
        return this.#jump(fault);
      case 'store-failing':
      case 'store-full':
      case 'store-slow':
        return hurtStores(this.#world, this.#toll, fault);
      case 'store-lost':
        return loseStores(this.#world, this.#toll, fault);
      default:
        return this.#network.hurt(fault);
    }
  }

  #killCoordinator(fault: FaultOf<'kill-coordinator'>): void {
    const { coordinator } = this.#world;
    if (coordinator === undefined || coordinator.process.isDead) return;
    coordinator.process.whenDead(() => this.#world.after(fault.down, () => this.#startCoordinator()));
    this.#kill(fault, coordinator.process, 'c', fault.down);
  }

  #killRival(fault: FaultOf<'kill-rival'>): void {
    const { rival } = this.#world;
    if (rival === undefined || rival.process.isDead) return;
    rival.process.whenDead(() => this.#world.after(fault.down, () => this.#startRival()));
    this.#kill(fault, rival.process, 'c2', fault.down);
  }

  #killGuardian(fault: FaultOf<'kill-guardian'>): void {
    const guardian = this.#world.coordinator?.guardian;
    if (guardian !== undefined) this.#kill(fault, guardian.process, 'g', 1_000);
  }

  #killAgent(fault: FaultOf<'kill-agent'>): void {
    const { process } = this.#world.node(fault.node);
    if (process === undefined || process.isDead) return;
    process.whenDead(() => this.#world.after(fault.down, () => this.#startNode(fault.node)));
    this.#kill(fault, process, fault.node, fault.down);
  }

  /** Now, or in the middle of the turn in which it sends so many more frames: then it counts when it has died of it. */
  #kill(
    fault: FaultOf<'kill-coordinator' | 'kill-rival' | 'kill-guardian' | 'kill-agent'>,
    process: SimProcess,
    hit: string,
    ms: number,
  ): void {
    this.#toll.arm(fault, [hit], ms);
    process.whenDead(() => this.#toll.count(fault.kind));
    if (fault.frames === undefined) return process.kill();
    process.killAfter(fault.frames);
    this.#fused.add(process);
  }

  #killReaper(fault: FaultOf<'kill-reaper'>): void {
    const process = this.#world.node(fault.node).reaper?.process;
    if (process === undefined || process.isDead) return;
    this.#toll.begin(fault, [`r ${fault.node}`], 100);
    process.kill();
  }

  #killExecutor(fault: FaultOf<'kill-executor'>): void {
    if (this.#world.node(fault.node).killExecutor(fault.which)) this.#toll.begin(fault, [`x ${fault.node}`], 0);
  }

  #loseCoordinator(fault: FaultOf<'lose-coordinator'>): void {
    const { home, nodes } = this.#world;
    if (!home.up) return;
    const { before, after } = fault.held ?? { before: 0, after: 0 };
    const hits = ['c', 'g', ...nodes.map(({ id }) => `net ${id}`)];
    this.#toll.begin(fault, hits, before + Math.max(after, fault.down));
    if (fault.held !== undefined) this.#world.after(before + after, this.#network.held(home.name));
    this.#world.after(before, () => {
      if (this.#toll.over) return;
      home.lose();
      this.#world.after(fault.down, () => this.#startCoordinator());
    });
  }

  #loseNode(fault: FaultOf<'lose-node'>): void {
    const node = this.#world.node(fault.node);
    if (!node.isUp) return;
    this.#toll.begin(fault, [fault.node], fault.down);
    node.lose();
    this.#world.after(fault.down, () => this.#startNode(fault.node));
  }

  #startNode(id: string): void {
    const node = this.#world.node(id);
    if (node.isUp) return;
    node.machine.boot();
    this.#world.network.booted(id);
    void node.start();
  }

  /** After the healing, which has started it where it was not there, it ends as the run does. */
  #startCoordinator(): void {
    const { coordinator, home } = this.#world;
    if (this.#healed || (coordinator !== undefined && !coordinator.process.isDead)) return;
    home.boot();
    this.#world.network.booted(home.name);
    this.#world.startCoordinator();
  }

  #startRival(): void {
    const { rival } = this.#world;
    if (!this.#healed && rival?.process.isDead === true) this.#world.startRival();
  }

  #stop(
    fault: Fault & { readonly ms: number },
    process: SimProcess | undefined,
    hit: string,
    first: Phase = 'timers',
  ): void {
    if (process?.state !== 'running') return;
    process.stop();
    this.#toll.last(fault, [hit], () => process.continue(first));
  }

  #stopMachine(fault: FaultOf<'stop-coordinator-machine'>): void {
    const running = [...this.#world.home.processes].filter(({ state }) => state === 'running');
    if (running.length === 0) return;
    for (const process of running) process.stop();
    this.#toll.last(fault, ['c', 'g'], () => running.forEach((process) => process.continue()));
  }

  /** It hits nobody: no rule is any looser for it. */
  #jump(fault: FaultOf<'jump-wall-clock'>): void {
    this.#world.machine(fault.machine).wallAhead += fault.by;
    this.#toll.begin(fault, [], 0);
  }

  #stallWhenDown(fault: FaultOf<'stall-when-down'>): void {
    const { coordinator } = this.#world;
    if (coordinator === undefined || coordinator.process.isDead) return;
    coordinator.whenDown = () => {
      coordinator.whenDown = () => undefined;
      if (!this.#toll.over) this.#stop(fault, coordinator.process, 'c', fault.first);
    };
  }

  /** As a node's own command does: it drains, closes, and is started again by whoever looks after it. */
  #drain(fault: FaultOf<'drain'>): void {
    const node = this.#world.node(fault.node);
    const { agent, process } = node;
    if (agent === undefined || process?.state !== 'running') return;
    this.#toll.begin(fault, [fault.node], fault.ms + 2_000);
    void agent.drain(fault.ms).then(() => {
      agent.close('the node closes');
      process.clock.soon(() => node.killAgent());
    });
    process.whenDead(() => this.#world.after(restart, () => this.#startNode(fault.node)));
  }
}
