import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { Child, eachLine } from './child.ts';
import type { ProcessFacts } from './machine.ts';
import { childrenOf, processesWith } from './machine.ts';
import { until } from './wait.ts';

export const command = fileURLToPath(new URL('../../../packages/worker/dist/bin/muster-worker.js', import.meta.url));
export const jobsFile = fileURLToPath(new URL('../cluster/jobs.mjs', import.meta.url));

/** Jobs that run until they are killed. The executor of one that has ended is used again, and tells nothing. */
const endless = new Set(['spin', 'block', 'fork', 'tick']);

/** One line of a node's history. */
export interface Line {
  readonly event: string;
  readonly at: number;
  readonly [fact: string]: unknown;
}

export interface WorkerOptions {
  readonly id: string;
  readonly secretFile: string;
  readonly dataDir: string;
  readonly env: NodeJS.ProcessEnv;
  /** More options of the command. */
  readonly args?: readonly string[];
  readonly jobs?: string;
}

/** A `muster-worker` process, and what it tells of itself. */
export class Worker extends Child {
  readonly id: string;
  readonly dataDir: string;
  readonly history: Line[] = [];
  /** What every process of the node carries in its environment, reapers apart. */
  readonly mark: string;

  constructor({ id, secretFile, dataDir, env, args = [], jobs = jobsFile }: WorkerOptions) {
    const all = ['--id', id, '--jobs', jobs, '--secret', secretFile, '--data-dir', dataDir, '--json', ...args];
    const child = spawn(process.execPath, [command, ...all], { stdio: ['ignore', 'pipe', 'pipe'], env });
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
    await until(`node ${this.id} is ready`, () => {
      if (this.ending !== undefined) throw new Error(`Node ${this.id} has ended: ${this.errors}`);
      return this.lines('ready').length > 0;
    });
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

  /** Executors that have begun a job of this incarnation which does not end by itself: pids. */
  startedFor(incarnation: string): number[] {
    const lines = this.lines('start').filter(
      ({ ref, job }) => String(ref).startsWith(incarnation) && endless.has(String(job)),
    );
    return [...new Set(lines.map(({ pid }) => Number(pid)))];
  }

  /** Executors and what they have started, whether or not the agent lives: pids. */
  get marked(): number[] {
    return this.#marked.map(({ pid }) => pid);
  }

  get #marked(): ProcessFacts[] {
    return processesWith(`MUSTER_EXECUTOR=${this.id}/`, this.mark);
  }

  /** What jobs have started: pids. */
  get company(): number[] {
    return this.#marked.filter(({ command }) => !command.includes('executor/main.js')).map(({ pid }) => pid);
  }

  /** The reaper's pid. */
  get reaper(): number | undefined {
    return childrenOf(this.pid).find(({ command }) => command.includes('reaper/main.js'))?.pid;
  }
}
