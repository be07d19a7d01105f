import { Worker } from 'node:worker_threads';
import { endWithCompany } from '../reaper/hunter.ts';
import type { Prey } from '../reaper/hunter.ts';
import { startOf } from '../reaper/processes.ts';
import { markerName } from './spawn.ts';

export interface Watchdog {
  /** Resolves when it watches. */
  readonly watching: Promise<void>;
  /** Ends this process with everything that it has started, now. */
  readonly bite: () => void;
}

const thread = new URL('./watchdog-thread.js', import.meta.url);

/** It keeps nothing, so its heap need not be large. */
const resourceLimits = { maxOldGenerationSizeMb: 8, maxYoungGenerationSizeMb: 1, stackSizeMb: 1 };

/**
 * Starts the thread that ends this process when its agent is gone, even while the main thread spins or is blocked and
 * there is no reaper: whatever kills an agent may have killed that as well.
 */
export function startWatchdog(): Watchdog {
  const { pid } = process;
  const marker = `${markerName}=${process.env[markerName] ?? ''}`;
  const prey: Prey = { pid, start: startOf(pid), marker };
  const bite = (): void => endWithCompany(prey);
  // Neither the flags of this process nor its environment are meant for the thread.
  const worker = new Worker(thread, { workerData: prey, execArgv: [], env: {}, resourceLimits });
  const watching = new Promise<void>((resolve) => void worker.once('message', () => resolve()));
  worker.on('error', bite).on('exit', bite);
  // It is not what a job has left behind, and keeps nothing from ending.
  worker.unref();
  return { watching, bite };
}
