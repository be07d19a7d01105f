import type { Flow } from '../network/flow.ts';
import type { Path } from '../network/path.ts';
import { Random } from '../simulation/random.ts';
import type { World } from '../simulation/world.ts';
import type { FaultOf } from './fault.ts';
import type { Toll } from './toll.ts';

/** Hurts connections, and the paths beneath them. */
export class NetworkFaults {
  readonly #world: World;
  readonly #toll: Toll;

  constructor(world: World, toll: Toll) {
    this.#world = world;
    this.#toll = toll;
  }

  /** One of the connections that there are, if there is one. */
  hurt(fault: FaultOf<'reset' | 'half-open' | 'hold'>): void {
    const all = [...this.#world.network.connections];
    const connection = all[fault.which % Math.max(1, all.length)];
    if (connection === undefined) return;
    const hits = [`net ${connection.far.process.machine.name}`];
    if (fault.kind === 'half-open') {
      this.#toll.begin(fault, hits, 20_000);
      connection.vanish(fault.told);
      return;
    }
    const { flow } = connection[fault.direction];
    if (fault.kind === 'reset') {
      return flow.cutAfter(fault.bytes, () => {
        if (!this.#toll.over) this.#toll.begin(fault, hits, 2_000);
        return !this.#toll.over;
      });
    }
    flow.hold();
    this.#toll.last(fault, hits, () => flow.release());
  }

  slow(fault: FaultOf<'slow'>): void {
    const { latency, bandwidth, node } = fault;
    const slowness = { latency, bandwidth };
    const paths = this.between(node);
    for (const path of paths) path.slow(slowness);
    this.#toll.last(fault, [`net ${node}`], () => paths.forEach((path) => path.unslow(slowness)));
  }

  cut(fault: FaultOf<'clog' | 'partition'>): void {
    const [to, from] = this.between(fault.node);
    const paths = fault.kind === 'partition' ? [to, from] : [fault.direction === 'to' ? to : from];
    this.#toll.last(fault, [`net ${fault.node}`], this.clogged(paths));
  }

  /** Stops links one by one, and heals them in another order. */
  swizzle(fault: FaultOf<'swizzle'>): void {
    const random = new Random(`swizzle ${fault.which}`);
    const ids = random.shuffled(this.#world.nodes.map(({ id }) => id));
    const some = ids.slice(0, 1 + random.int(ids.length));
    const hits = some.map((id) => `net ${id}`);
    this.#toll.begin(fault, hits, 2 * fault.ms);
    for (const id of some) {
      const paths = this.between(id).slice(0, random.chance(0.6) ? 2 : 1);
      const stop = random.between(0, fault.ms);
      const heal = fault.ms + random.between(0, fault.ms);
      this.#world.after(stop, () => {
        if (!this.#toll.over) this.#world.after(heal - stop, this.#toll.until(this.clogged(paths)));
      });
    }
  }

  /** Everything that leaves a machine is held back; what it returns lets it go. */
  held(machine: string): () => void {
    const flows: Flow[] = [...this.#world.network.connections].map(({ near }) => near.flow);
    const some = flows.filter(({ from }) => from === machine);
    for (const flow of some) flow.hold();
    return () => some.forEach((flow) => flow.release());
  }

  /** From the coordinator's machine to the node, and back. */
  between(id: string): readonly [to: Path, from: Path] {
    const { network, home } = this.#world;
    return [network.path(home.name, id), network.path(id, home.name)];
  }

  /** Clogs paths; what it returns frees them. */
  clogged(paths: readonly Path[]): () => void {
    for (const path of paths) path.clog();
    return () => paths.forEach((path) => path.unclog());
  }
}
