import type { Chance } from '@muster/rexi';
import type { SimProcess } from './sim-process.ts';

/** A machine: its processes share a clock, which runs at a rate of its own, and a place in the network. */
export class Machine {
  readonly name: string;
  /** Seconds of its clock to a virtual second. */
  readonly rate: number;
  /** What its monotonic clock showed at the beginning, in milliseconds: means nothing elsewhere. */
  readonly offset: number;
  /** Milliseconds that its wall clock is ahead of the monotonic one; a jump changes it. */
  wallAhead = 1_700_000_000_000;
  /** Decides at the failpoints of what runs here. Default: nothing fires. */
  readonly chance: Chance | undefined;
  readonly processes: Set<SimProcess> = new Set();
  /** False after `lose`: nothing answers for it any more, not even its kernel. */
  up = true;

  constructor(name: string, rate: number, offset: number, chance?: Chance) {
    this.name = name;
    this.rate = rate;
    this.offset = offset;
    this.chance = chance;
  }

  /** Power is cut: every process is gone, and no kernel says so to anybody. */
  lose(): void {
    this.up = false;
    for (const process of this.processes) process.kill();
  }

  /** It is there again, with nothing running. */
  boot(): void {
    this.up = true;
  }

  /** The whole machine stands still, as a virtual one does that is moved. */
  stop(): void {
    for (const process of this.processes) process.stop();
  }

  continue(): void {
    for (const process of this.processes) process.continue();
  }
}
