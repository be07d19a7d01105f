import { spawn } from 'node:child_process';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { Child, eachLine } from '../process/child.ts';
import type { ProcessFacts } from '../process/machine.ts';
import { childrenOf, processesWith } from '../process/machine.ts';
import { until } from '../process/wait.ts';

/** The worker's own command, as it was installed. */
export function workerCommand(): string {
  return join(dirname(createRequire(import.meta.url).resolve('@muster/worker')), 'bin/muster-worker.js');
}

/** The variable by which everything that an executor has started is known: `<node>/<life>-<number>`. */
export const markerName = 'MUSTER_EXECUTOR';

/** One line of a node's history. */
export interface Line {
  readonly event: string;
  readonly at: number;
  readonly [fact: string]: unknown;
}

export interface NodeProcessOptions {
  readonly id: string;
  readonly jobs: string;
  readonly secretFile: string;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  /** More options of the command. */
  readonly args?: readonly string[];
}

/** A `muster-worker` process, and what it tells of itself. */
export class NodeProcess extends Child {
  readonly id: string;
  readonly dataDir: string;
  readonly history: Line[] = [];
  /** What every process of the node carries in its environment, reapers apart. */
  readonly mark: string;

  constructor({ id, secretFile, dataDir, env, args = [], jobs }: NodeProcessOptions) {
    const all = ['--id', id, '--jobs', jobs, '--secret', secretFile, '--data-dir', dataDir, '--json', ...args];
    const child = spawn(process.execPath, [workerCommand(), ...all], { stdio: ['ignore', 'pipe', 'pipe'], env });
    super(child);
    this.id = id;
    this.mark = `TMPDIR=${env['TMPDIR'] ?? ''}`;
    this.dataDir = dataDir;
    child.stdout.on(
      'data',
      eachLine((line) => this.history.push(JSON.parse(line) as Line)),
    );
  }

  /** Resolves when it takes casts. @throws with what it has said when it ends instead. */
  async ready(): Promise<this> {
    await until(
      `node ${this.id} is ready`,
      () => {
        if (this.ending !== undefined) throw new Error(`Node ${this.id} has ended: ${this.errors}`);
        return this.lines('ready').length > 0;
      },
      20_000,
    );
    return this;
  }

  get address(): string {
    return String(this.lines('ready')[0]?.['address']);
  }

  get port(): number {
    return Number(new URL(this.address).port);
  }

  lines(event: string): Line[] {
    return this.history.filter((line) => line.event === event);
  }

  /** Jobs that have started and are not gone, as far as the node has told: its last words, where it has ended. */
  get running(): Line[] {
    const gone = new Set(this.lines('gone').map(({ ref }) => ref));
    return this.lines('start').filter(({ ref }) => !gone.has(ref));
  }

  /** Executors and what they have started, whether or not the agent lives: pids. */
  get marked(): number[] {
    return this.#marked.map(({ pid }) => pid);
  }

  get #marked(): ProcessFacts[] {
    return processesWith(`${markerName}=${this.id}/`, this.mark);
  }

  /** What jobs have started: pids. */
  get company(): number[] {
    return this.#marked.filter(({ command }) => !isExecutor(command)).map(({ pid }) => pid);
  }

  /** Executors, idle ones included, for as long as the agent is their parent: pids. */
  get executors(): number[] {
    return childrenOf(this.pid).flatMap(({ pid, command }) => (isExecutor(command) ? [pid] : []));
  }

  /** The reaper's pid. */
  get reaper(): number | undefined {
    return childrenOf(this.pid).find(({ command }) => command.includes('reaper/main.js'))?.pid;
  }
}

/** Whether a command is that of an executor, and not of something that a job has started. */
export function isExecutor(command: string): boolean {
  return command.includes('executor/main.js');
}
