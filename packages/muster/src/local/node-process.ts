import type { ChildProcess } from 'node:child_process';
import { fork } from 'node:child_process';
import { once } from 'node:events';
import type { Socket } from 'node:net';
import { createInterface } from 'node:readline';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Latest } from './latest.ts';

/** One line of a node's history, as `muster-worker --json` prints it. */
export interface HistoryLine {
  readonly event: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly incarnation?: string;
  readonly address?: string;
  /** Who ended a session. */
  readonly by?: string;
  /** Jobs that were killed with it. */
  readonly killed?: number;
}

export interface NodeProcessOptions {
  readonly id: string;
  /** Below a directory that has nothing but what is of such nodes: the last of them removes it when their parent has died. */
  readonly dataDir: string;
  readonly secretFile: string;
  /** The module that exports the jobs. */
  readonly jobs: string;
  /** More options of `muster-worker`. */
  readonly args?: readonly string[];
}

const command = fileURLToPath(new URL('./node-main.js', import.meta.url));

/** Lines of its history that are kept: each job that it runs has two. */
const mostLines = 10_000;

/** Characters of its error stream that are kept. */
const mostErrors = 4_000;

/** Milliseconds that a node has to end by itself before it is asked again, and before it is killed. */
const patience = 1_000;
const lastPatience = 5_000;

/** A `muster-worker` in a process of its own that ends with this one, and what it has told so far. */
export class NodeProcess {
  readonly id: string;
  readonly dataDir: string;
  readonly #history: Latest<HistoryLine> = new Latest(mostLines);
  #address = '';
  readonly #child: ChildProcess;
  readonly #closed: Promise<unknown>;
  #errors = '';
  #told: (() => void)[] = [];

  constructor({ id, dataDir, secretFile, jobs, args = [] }: NodeProcessOptions) {
    this.id = id;
    this.dataDir = dataDir;
    const own = ['--id', id, '--data-dir', dataDir, '--jobs', jobs, '--secret', secretFile, '--json'];
    // In a process group of its own: Ctrl-C is for us, who end our nodes in order. Nor is a debugger of ours for them.
    this.#child = fork(command, [...own, ...args], {
      detached: true,
      execArgv: [],
      stdio: ['ignore', 'pipe', 'pipe', 'ipc'],
    });
    this.#closed = once(this.#child, 'close').then(() => this.#wake());
    this.#listen();
  }

  get pid(): number {
    return this.#child.pid ?? 0;
  }

  get ended(): boolean {
    return this.#child.exitCode !== null || this.#child.signalCode !== null;
  }

  /** What it has said on its error stream. */
  get errors(): string {
    return this.#errors;
  }

  /** What it has told, oldest first; of much, the latest. */
  get history(): readonly HistoryLine[] {
    return this.#history.all;
  }

  get address(): string {
    return this.#address;
  }

  /** Resolves with the first line, told or to come, that fits; undefined when there is none in time, or the node has ended. */
  async line(fits: (line: HistoryLine) => boolean, ms: number): Promise<HistoryLine | undefined> {
    const late = sleep(ms, 'late' as const, { ref: false });
    for (;;) {
      const found = this.history.find(fits);
      if (found !== undefined || this.ended) return found;
      const told = new Promise<void>((resolve) => this.#told.push(resolve));
      if ((await Promise.race([told, late])) === 'late') return undefined;
    }
  }

  /** It keeps this process alive no more, until it is stopped. */
  unref(): void {
    for (const held of this.#holding) held.unref();
  }

  /** Ends it, and everything that it has started. */
  async stop(): Promise<void> {
    for (const held of this.#holding) held.ref();
    for (const [signal, ms] of [
      ['SIGTERM', patience],
      ['SIGTERM', lastPatience],
      ['SIGKILL', lastPatience],
    ] as const) {
      if (!this.ended) this.#child.kill(signal);
      if ((await Promise.race([this.#closed, sleep(ms, 'late', { ref: false })])) !== 'late') return;
    }
  }

  /** What keeps this process alive as long as the node lives. */
  get #holding(): { ref(): void; unref(): void }[] {
    const { channel, stdout, stderr } = this.#child;
    // Both are sockets, whatever their types say.
    const streams = [stdout, stderr] as unknown as (Socket | null)[];
    return [this.#child, channel, ...streams].flatMap((held) => held ?? []);
  }

  #listen(): void {
    const { stdout, stderr } = this.#child;
    if (stdout !== null) createInterface({ input: stdout }).on('line', (line) => this.#heard(line));
    stderr?.setEncoding('utf8').on('data', (text: string) => (this.#errors = (this.#errors + text).slice(-mostErrors)));
  }

  #heard(line: string): void {
    const told = JSON.parse(line) as HistoryLine;
    if (told.event === 'ready') this.#address = told.address ?? '';
    this.#history.add(told);
    this.#wake();
  }

  #wake(): void {
    for (const told of this.#told.splice(0)) told();
  }
}
