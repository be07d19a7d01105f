import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { ProcessName } from '../stage/processes.ts';
import { areGone, descendantsOf } from '../stage/processes.ts';
import type { Order, Report } from './second-coordinator.ts';

const file = fileURLToPath(new URL('./second-coordinator.js', import.meta.url));

/** Milliseconds that a guardian has to notice, to tell every node, and to go. */
const patience = 2_000;

/** The second coordinator and its guardian, to be killed. */
export class Victims {
  /** Names its jobs; known when it is connected. */
  readonly incarnation: Promise<string>;
  /** Rows that it has read from its streams. */
  rows = 0;
  readonly #child: ChildProcess;
  #guardian: ProcessName | undefined;

  constructor(order: Order) {
    this.#child = fork(file, [JSON.stringify(order)], {
      detached: true,
      stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
    });
    this.incarnation = this.#connected();
  }

  /** The guardian is the one process that a coordinator starts. */
  findGuardian(): ProcessName | undefined {
    return (this.#guardian ??= descendantsOf(this.#child.pid ?? 0)[0]);
  }

  /** Whether it goes by itself, when its work is done. */
  async guardianLeft(): Promise<boolean> {
    const guardian = this.#guardian;
    return guardian !== undefined && (await areGone([guardian], patience));
  }

  /** SIGKILL: nobody is asked, nothing is closed in order. */
  killCoordinator(): void {
    this.#child.kill('SIGKILL');
  }

  /** The guardian first, and its coordinator before it could have noticed. */
  killBoth(): void {
    if (this.#guardian !== undefined) process.kill(this.#guardian.pid, 'SIGKILL');
    this.killCoordinator();
  }

  async #connected(): Promise<string> {
    const failed = once(this.#child, 'exit').then(() => {
      throw new Error('The second coordinator ended before it was connected.');
    });
    const told = new Promise<string>((resolve) =>
      this.#child.on('message', (report: Report) => {
        if ('rows' in report) this.rows = report.rows;
        else resolve(report.incarnation);
      }),
    );
    return Promise.race([told, failed]);
  }
}
