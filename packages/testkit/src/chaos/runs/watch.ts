import { now } from '../process/child.ts';
import { changedAt, filesBelow, isAlive } from '../process/machine.ts';
import type { Orphan } from '../lab/orphans.ts';
import { pause } from '../process/wait.ts';
import type { GuardianEvidence } from './history.ts';
import type { Run } from './run.ts';

/** Between two looks, in milliseconds. */
const looks = 10;

/** Looks at the machine all the time: which executors are dead, and when something last ran for nobody. */
export class Watch {
  /** When executors were seen to be dead: by pid. */
  readonly deaths: Map<number, number> = new Map();
  /** Guardians that were seen, by pid. */
  readonly guardians: Map<number, GuardianEvidence> = new Map();
  /** From the blow to the last sign of life, once it was measured. */
  cleanUp: number | undefined;
  /** When the newest look began at which there were orphans. */
  #seen = 0;
  #over = false;
  readonly #run: Run;

  constructor(run: Run) {
    this.#run = run;
  }

  begin(): void {
    void this.#look();
  }

  /** Looks once more. */
  end(): void {
    this.#over = true;
    this.#lookForDeaths();
  }

  /**
   * Waits until nothing runs for nobody and no job of these nodes has touched its file for a while; the time from `since`
   * to the last sign of life. @throws when that is not so after `patience` milliseconds.
   */
  async silence(since: number, nodes: readonly string[], patience: number): Promise<number> {
    const deadline = now() + patience;
    for (;;) {
      const left = this.orphans(nodes);
      const beaten = this.#lastBeat(nodes);
      if (left.length === 0 && now() - beaten > 150) {
        this.cleanUp = Math.max(0, Math.max(this.#seen, beaten) - since);
        return this.cleanUp;
      }
      if (now() > deadline) {
        const each = left.map(
          ({ pid, node, why, command }) => `process ${pid} of ${node} (${command.slice(0, 60)}): ${why}`,
        );
        throw new Error(
          `Jobs are alive ${Math.round(now() - since)} ms after the blow: ${each.join('; ') || 'a file is touched'}.`,
        );
      }
      await pause(looks);
    }
  }

  /** Those of some nodes; takes note that there are any. */
  orphans(nodes: readonly string[]): Orphan[] {
    const at = now();
    const left = this.#run.lab.orphans().filter(({ node }) => nodes.includes(node));
    if (left.length > 0) this.#seen = at;
    return left;
  }

  #lastBeat(nodes: readonly string[]): number {
    const own = filesBelow(this.#run.beat).filter((file) => nodes.some((node) => file.includes(`/${node}-`)));
    return Math.max(0, ...own.map((file) => changedAt(file) ?? 0));
  }

  /** Looks for guardians, which takes a look at every process, now and then only. */
  #lookForGuardians(at: number): void {
    for (const coordinator of this.#run.lab.coordinators) {
      if (coordinator.ending !== undefined) continue;
      const { incarnation } = coordinator;
      for (const pid of coordinator.guardians)
        if (!this.guardians.has(pid)) this.guardians.set(pid, { pid, incarnation, up: at, gone: undefined });
    }
  }

  async #look(): Promise<void> {
    for (let look = 0; !this.#over; look += 1) {
      if (look % 20 === 0) this.#lookForGuardians(now());
      this.#lookForDeaths();
      await pause(looks);
    }
  }

  #lookForDeaths(): void {
    const at = now();
    for (const [pid, guardian] of this.guardians)
      if (guardian.gone === undefined && !isAlive(pid)) this.guardians.set(pid, { ...guardian, gone: at });
    for (const node of this.#run.lab.agents)
      for (const { pid } of node.lines('start'))
        if (!this.deaths.has(Number(pid)) && !isAlive(Number(pid))) this.deaths.set(Number(pid), at);
  }
}
