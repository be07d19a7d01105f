import type { ConnectOptions } from '@muster/coordinator';
import { Cluster } from '@muster/coordinator';
import type { Machine } from '../simulation/machine.ts';
import { SimProcess } from '../simulation/sim-process.ts';
import { SimGuardian } from './sim-guardian.ts';
import type { Surroundings } from './sim-node.ts';

/** Milliseconds until a process that was spawned reads its pipe. */
const spawning = 90;

/** One life of a coordinator's process, with the guardians that it has spawned. */
export class SimCoordinator {
  /** Which life of the coordinator it is, from 1. */
  readonly life: number;
  readonly process: SimProcess;
  readonly machine: Machine;
  readonly cluster: Cluster;
  readonly guardians: SimGuardian[] = [];
  /** Called in the turn in which it gives a session up. */
  whenDown: () => void = () => undefined;
  /** It was closed in good order. */
  closed = false;
  readonly #in: Surroundings;
  readonly #note: (event: string, facts?: Record<string, unknown>) => void;

  constructor(
    life: number,
    machine: Machine,
    options: Pick<ConnectOptions, 'nodes' | 'shards'>,
    surroundings: Surroundings,
  ) {
    const { loop, history, entropy, network, secret, constants } = surroundings;
    this.#in = surroundings;
    this.life = life;
    this.machine = machine;
    this.#note = history.observer(machine.name);
    const process = (this.process = new SimProcess(loop, machine, `${machine.name}/coordinator ${life}`));
    this.#note('coordinator-up', { life });
    process.whenDead(() => this.#note('coordinator-gone', { life }));
    this.cluster = new Cluster(
      { ...options, secret, constants },
      {
        clock: process.clock,
        entropy,
        transport: network.transport(process),
        spawn: (events) => this.#spawn(events),
        note: (event, facts) => {
          if (process.isDead) return;
          this.#note(event, { life, ...facts });
          if (event === 'session-down') this.whenDown();
        },
      },
      () => () => undefined,
    );
    this.cluster.on('fenced', (why) => this.#note('fenced', { life, why }));
  }

  /** The guardian that guards now, if one does. */
  get guardian(): SimGuardian | undefined {
    return this.guardians.findLast(({ process }) => !process.isDead);
  }

  #spawn(events: ConstructorParameters<typeof SimGuardian>[0]['events']): SimGuardian {
    const { loop, random } = this.#in;
    const process = new SimProcess(loop, this.machine, `${this.machine.name}/guardian ${this.guardians.length + 1}`);
    process.stop(); // Until it has started.
    loop.after(random.between(0.7, 1.5) * spawning * 1e6, () => process.continue('sockets'));
    const guardian = new SimGuardian({
      in: this.#in,
      process,
      coordinator: this.process,
      events,
      note: this.#note,
    });
    this.guardians.push(guardian);
    return guardian;
  }
}
