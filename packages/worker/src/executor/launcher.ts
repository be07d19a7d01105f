import { randomBytes } from 'node:crypto';
import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '@muster/rexi';
import { Hunter } from '../reaper/hunter.ts';
import type { Reaper } from '../reaper/reaper.ts';
import { startReaper } from '../reaper/reaper.ts';
import type { Keeper } from './executor-process.ts';
import { ExecutorProcess } from './executor-process.ts';
import { spawnExecutor, usualEnvironment } from './spawn.ts';

export interface LaunchOptions {
  /** The jobs module: a path or a `file:` URL. */
  readonly jobs: string;
  /** The node's id. */
  readonly node: string;
  /** The node's own directory; executors work in a scratch directory below it. */
  readonly dataDir: string;
  /** Flags for Node, in front of the executor's own file. */
  readonly execArgv?: readonly string[];
  /** Names of environment variables that jobs see; default `usualEnvironment`. */
  readonly env?: readonly string[];
  /** 0 to 19, default 10: how much executors stand back behind their agent. */
  readonly niceness?: number;
  /** L in milliseconds, default 5,000: an agent that is silent for so long loses its executors to the reaper. */
  readonly lease?: number;
}

interface Around {
  readonly clock: Clock;
  /** Takes a line about what went wrong. */
  readonly warn: (line: string) => void;
}

/** Starts executors: each with its directory, its process and its reaper. */
export class Launcher {
  readonly #options: LaunchOptions;
  readonly #around: Around;
  readonly #hunter: Hunter;
  readonly #scratch: string;
  readonly #reaper: Reaper;
  #ids = 0;

  constructor(options: LaunchOptions, around: Around) {
    this.#options = options;
    this.#around = around;
    this.#hunter = new Hunter(around.clock);
    this.#scratch = join(resolve(options.dataDir), `executors-${randomBytes(6).toString('hex')}`);
    this.#reaper = startReaper({ ...around, lease: options.lease ?? 5_000, scratch: this.#scratch });
  }

  /** Starts a process that has nothing to run yet. @throws the system's error where none can be had. */
  async launch(keeper: Keeper): Promise<ExecutorProcess> {
    const { node, env = usualEnvironment, execArgv = [], niceness = 10 } = this.#options;
    const id = (this.#ids += 1);
    const cwd = this.#dir(id);
    await mkdir(cwd, { recursive: true });
    const mark = `${node}/${randomBytes(8).toString('hex')}`;
    const spawned = await spawnExecutor({ mark, cwd, env, execArgv, niceness });
    return new ExecutorProcess({ id, spawned, clock: this.#around.clock, hunter: this.#hunter, keeper });
  }

  /** Lets it load the jobs module. No line of the user's runs before the reaper knows the process. */
  async introduce(executor: ExecutorProcess): Promise<void> {
    const { node, dataDir, jobs } = this.#options;
    await this.#reaper.watch(executor.prey, this.#dir(executor.id));
    executor.init({ jobs: urlOf(jobs), node, dataDir: resolve(dataDir) });
  }

  /** Removes what is left of one that is gone. */
  async clear({ id, pid }: ExecutorProcess): Promise<void> {
    this.#reaper.forget(pid);
    await rm(this.#dir(id), { recursive: true, force: true });
  }

  /** Ends the reaper, which takes with it what it still watches. */
  async close(): Promise<void> {
    await this.#reaper.close();
    await rm(this.#scratch, { recursive: true, force: true });
  }

  #dir(id: number): string {
    return join(this.#scratch, String(id));
  }
}

function urlOf(jobs: string): string {
  return jobs.startsWith('file:') ? jobs : pathToFileURL(jobs).href;
}
