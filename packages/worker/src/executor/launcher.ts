import { mkdir, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { pathToFileURL } from 'node:url';
import type { Clock } from '@muster/rexi';
import { companyOf, Hunter } from '../reaper/hunter.ts';
import type { Reaper } from '../reaper/reaper.ts';
import { startReaper } from '../reaper/reaper.ts';
import { ExecutorProcess } from './executor-process.ts';
import type { Life } from './life.ts';
import { beginLife } from './life.ts';
import type { Keeper, Launching } from './pool-slot.ts';
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
export class Launcher implements Launching<ExecutorProcess> {
  readonly #options: LaunchOptions;
  readonly #around: Around;
  readonly #hunter: Hunter;
  readonly #life: Life;
  readonly #reaper: Reaper;
  #ids = 0;

  private constructor(options: LaunchOptions, around: Around, hunter: Hunter, life: Life) {
    this.#options = options;
    this.#around = around;
    this.#hunter = hunter;
    this.#life = life;
    this.#reaper = startReaper({ ...around, lease: options.lease ?? 5_000, ...life });
  }

  /**
   * Takes the data directory, and ends what an earlier node has left of itself there.
   * @throws ClusterError `bad_options` when the directory belongs to a node that is running.
   */
  static async open(options: LaunchOptions, around: Around): Promise<Launcher> {
    const { node, dataDir } = options;
    const hunter = new Hunter(around.clock);
    return new Launcher(options, around, hunter, await beginLife({ node, dataDir, hunter, warn: around.warn }));
  }

  async launch(keeper: Keeper): Promise<ExecutorProcess> {
    const { env = usualEnvironment, execArgv = [], niceness = 10 } = this.#options;
    const id = (this.#ids += 1);
    const cwd = this.#dir(id);
    await mkdir(cwd, { recursive: true });
    const mark = `${this.#life.mark}-${id}`;
    const spawned = await spawnExecutor({ mark, cwd, env, execArgv, niceness });
    return new ExecutorProcess({ id, spawned, clock: this.#around.clock, hunter: this.#hunter, keeper });
  }

  async introduce(executor: ExecutorProcess): Promise<void> {
    const { node, dataDir, jobs } = this.#options;
    await this.#reaper.watch(executor.prey, this.#dir(executor.id));
    if (!executor.ending) executor.init({ jobs: urlOf(jobs), node, dataDir: resolve(dataDir) });
  }

  hasCompany({ prey }: ExecutorProcess): boolean {
    try {
      return companyOf(prey).length > 0;
    } catch {
      return true; // One of which that cannot be told is not used again.
    }
  }

  async clear({ id, pid }: ExecutorProcess): Promise<void> {
    this.#reaper.forget(pid);
    await rm(this.#dir(id), { recursive: true, force: true });
  }

  async close(): Promise<void> {
    await this.#reaper.close();
    await rm(this.#life.scratch, { recursive: true, force: true });
  }

  #dir(id: number): string {
    return join(this.#life.scratch, String(id));
  }
}

function urlOf(jobs: string): string {
  return jobs.startsWith('file:') ? jobs : pathToFileURL(jobs).href;
}
