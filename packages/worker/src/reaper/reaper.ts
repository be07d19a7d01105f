import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Clock, Timer } from '@muster/rexi';
import { reaperMarkerName } from '../executor/spawn.ts';
import type { Prey } from './hunter.ts';
import type { Charge } from './reaper-core.ts';
import type { ToReaper, Watching } from './words.ts';
import { lines } from './words.ts';

export interface ReaperOptions {
  readonly clock: Clock;
  /** Milliseconds of silence after which an agent counts as stopped. */
  readonly lease: number;
  /** What the process is known by; see `Life`. */
  readonly mark: string;
  /** Removed when the agent has ended. */
  readonly scratch: string;
  /** Takes a line about what went wrong. */
  readonly warn: (line: string) => void;
}

/** The agent's side of its reaper. */
export interface Reaper {
  /** The process there is now. */
  readonly pid: number | undefined;
  /** Resolves when the reaper watches the process, which may take another reaper to be started. */
  watch(prey: Prey, dir: string): Promise<void>;
  /** The process and all it has started are gone. */
  forget(pid: number): void;
  /** Ends it; what it still watches dies. May be called twice. */
  close(): Promise<void>;
}

/** Beats per lease. */
const beats = 5;

/** Between two starts of a reaper that dies, in milliseconds: doubled from the first to the last. */
const firstWait = 50;
const lastWait = 5_000;

const main = fileURLToPath(new URL('./main.js', import.meta.url));

/** A reaper keeps a few dozen numbers: its heap need not be large. */
const flags: readonly string[] = ['--max-semi-space-size=1', '--max-old-space-size=24'];

/** Starts a reaper, and another one whenever it dies. */
export function startReaper(options: ReaperOptions): Reaper {
  return new ReaperClient(options);
}

interface Watched extends Charge {
  /** Undefined once it was answered. */
  acknowledge: (() => void) | undefined;
}

class ReaperClient implements Reaper {
  readonly #options: ReaperOptions;
  readonly #watched: Map<number, Watched> = new Map();
  #child: ChildProcess;
  #exited: Promise<void>;
  #closing: Promise<void> | undefined;
  #failures = 0;
  #beat: Timer | undefined;

  constructor(options: ReaperOptions) {
    this.#options = options;
    [this.#child, this.#exited] = this.#start();
    this.#beats();
  }

  get pid(): number | undefined {
    return this.#child.pid;
  }

  watch(prey: Prey, dir: string): Promise<void> {
    return new Promise((acknowledge) => {
      this.#watched.set(prey.pid, { prey, dir, acknowledge });
      this.#tell({ type: 'watch', prey, dir });
    });
  }

  forget(pid: number): void {
    if (this.#watched.delete(pid)) this.#tell({ type: 'forget', pid });
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    this.#beat?.cancel();
    this.#pipe?.end();
    await this.#exited;
  }

  get #pipe(): Socket | undefined {
    return this.#child.stdio[3] as Socket | undefined;
  }

  /** Without a session of its own it would end with its agent's terminal, just when it is needed. */
  #start(): [ChildProcess, Promise<void>] {
    const child = spawn(process.execPath, [...flags, main], {
      cwd: '/',
      env: { [reaperMarkerName]: this.#options.mark },
      stdio: ['ignore', 'ignore', 2, 'pipe'],
      detached: true,
    });
    const pipe = child.stdio[3] as Socket;
    pipe.setEncoding('utf8');
    pipe.on('error', () => undefined);
    pipe.on('data', lines((line) => this.#watching(JSON.parse(line) as Watching)) as (chunk: string | Buffer) => void);
    const exited = new Promise<void>((resolve) => {
      child.once('error', () => resolve());
      child.once('exit', () => resolve());
    });
    void exited.then(() => this.#replace());
    this.#child = child;
    this.#introduce();
    return [child, exited];
  }

  /** What the one before knew, the next one is told; what was not acknowledged will be by this one. */
  #introduce(): void {
    const { lease, scratch } = this.#options;
    this.#tell({ type: 'hello', lease, scratch });
    for (const { prey, dir } of this.#watched.values()) this.#tell({ type: 'watch', prey, dir });
  }

  #replace(): void {
    if (this.#closing !== undefined) return;
    const wait = Math.min(firstWait * 2 ** this.#failures, lastWait);
    this.#failures += 1;
    this.#options.warn('The reaper has ended; another one is started.');
    this.#options.clock.after(wait, () => {
      if (this.#closing === undefined) [this.#child, this.#exited] = this.#start();
    });
  }

  #watching({ pid }: Watching): void {
    this.#failures = 0;
    const watched = this.#watched.get(pid);
    watched?.acknowledge?.();
    if (watched !== undefined) watched.acknowledge = undefined;
  }

  #beats(): void {
    this.#tell({ type: 'beat' });
    this.#beat = this.#options.clock.after(this.#options.lease / beats, () => this.#beats());
  }

  #tell(word: ToReaper): void {
    const pipe = this.#pipe;
    if (pipe?.writable === true) pipe.write(`${JSON.stringify(word)}\n`);
  }
}
