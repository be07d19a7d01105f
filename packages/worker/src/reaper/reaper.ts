import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Clock, Timer } from '@muster/rexi';
import { reaperMarkerName } from '../executor/spawn.ts';
import type { Prey } from './hunter.ts';
import type { Charge, Watch } from './reaper-core.ts';
import { silence } from './reaper-core.ts';
import type { FromReaper, ToReaper } from './words.ts';
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
  /** Resolves when the reaper watches the process, which may take another reaper to be started, or it is forgotten. */
  watch(prey: Prey, dir: string): Promise<void>;
  /** The process and all it has started are gone. */
  forget(pid: number): void;
  /** Ends it; what it still watches dies. One that hangs is killed after a lease. May be called twice. */
  close(): Promise<void>;
}

/** Beats per lease. */
const beats = 5;

/** Milliseconds in which a new reaper, which has a process to start first, must have been heard; or one lease where that is more. */
const startTime = 10_000;

/** Between two starts of a reaper that dies, in milliseconds: doubled from the first to the last. */
const firstWait = 50;
const lastWait = 5_000;

const main = fileURLToPath(new URL('./main.js', import.meta.url));

/** A reaper keeps a few dozen numbers: its heap need not be large. */
const flags: readonly string[] = ['--max-semi-space-size=1', '--max-old-space-size=24'];

/** Starts a reaper, and another one whenever it dies or does not answer for one lease. */
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
  /** Undefined where no process could be had. */
  #child: ChildProcess | undefined;
  #exited: Promise<void> = Promise.resolve();
  #closing: Promise<void> | undefined;
  #failures = 0;
  #beat: Timer | undefined;
  #watch: Watch;
  /** Milliseconds of silence that the one there is now may keep. */
  #patience: number = startTime;

  constructor(options: ReaperOptions) {
    this.#options = options;
    const now = options.clock.now();
    this.#watch = { heard: now, ticked: now };
    this.#start();
    this.#beats();
  }

  get pid(): number | undefined {
    return this.#child?.pid;
  }

  watch(prey: Prey, dir: string): Promise<void> {
    return new Promise((acknowledge) => {
      this.#watched.set(prey.pid, { prey, dir, acknowledge });
      this.#tell({ type: 'watch', prey, dir });
    });
  }

  forget(pid: number): void {
    this.#watched.get(pid)?.acknowledge?.();
    if (this.#watched.delete(pid)) this.#tell({ type: 'forget', pid });
  }

  close(): Promise<void> {
    return (this.#closing ??= this.#close());
  }

  async #close(): Promise<void> {
    const { clock, lease } = this.#options;
    this.#beat?.cancel();
    this.#pipe?.end();
    const timer = clock.after(lease, () => this.#child?.kill('SIGKILL'));
    await this.#exited;
    timer.cancel();
  }

  /** Without descriptors left there is neither a process nor any of its pipes. */
  get #pipe(): Socket | undefined {
    const stdio: Partial<Pick<ChildProcess, 'stdio'>>['stdio'] = this.#child?.stdio;
    return (stdio?.[3] as Socket | null | undefined) ?? undefined;
  }

  #start(): void {
    const { clock, lease } = this.#options;
    this.#watch = { ...this.#watch, heard: clock.now() };
    this.#patience = Math.max(lease, startTime);
    try {
      this.#child = this.#spawn();
    } catch (error) {
      this.#child = undefined;
      return this.#replace(`cannot be started: ${String(error)}`);
    }
    this.#exited = endOf(this.#child).then((why) => this.#replace(why));
    const pipe = this.#pipe;
    pipe?.setEncoding('utf8');
    pipe?.on('error', () => undefined);
    pipe?.on('data', lines((line) => this.#hear(JSON.parse(line) as FromReaper)) as (chunk: string | Buffer) => void);
    this.#introduce();
  }

  /** Without a session of its own it would end with its agent's terminal, just when it is needed. */
  #spawn(): ChildProcess {
    return spawn(process.execPath, [...flags, main], {
      cwd: '/',
      env: { [reaperMarkerName]: this.#options.mark },
      stdio: ['ignore', 'ignore', 2, 'pipe'],
      detached: true,
    });
  }

  /** What the one before knew, the next one is told; what was not acknowledged will be by this one. */
  #introduce(): void {
    const { lease, scratch } = this.#options;
    this.#tell({ type: 'hello', lease, scratch });
    for (const { prey, dir } of this.#watched.values()) this.#tell({ type: 'watch', prey, dir });
    this.#tell({ type: 'beat' });
  }

  #replace(why: string): void {
    if (this.#closing !== undefined) return;
    const wait = Math.min(firstWait * 2 ** this.#failures, lastWait);
    this.#failures += 1;
    this.#patience = Infinity;
    this.#options.warn(`The reaper ${why}; another one is started.`);
    this.#options.clock.after(wait, () => {
      if (this.#closing === undefined) this.#start();
    });
  }

  #hear(word: FromReaper): void {
    this.#failures = 0;
    this.#patience = this.#options.lease;
    this.#watch = { ...this.#watch, heard: this.#options.clock.now() };
    if (word.type === 'beat') return;
    const watched = this.#watched.get(word.pid);
    watched?.acknowledge?.();
    if (watched !== undefined) watched.acknowledge = undefined;
  }

  #beats(): void {
    const { clock, lease } = this.#options;
    const every = lease / beats;
    const now = clock.now();
    const silent = silence(this.#watch, { most: this.#patience, every }, now);
    this.#watch = { ...this.#watch, ticked: now };
    if (silent > 0) this.#giveUp(silent);
    this.#tell({ type: 'beat' });
    this.#beat = clock.after(every, () => this.#beats());
  }

  /** One that hangs watches nobody, and new executors would wait for it. Its end starts the next one. */
  #giveUp(silent: number): void {
    this.#options.warn(`The reaper was silent for ${Math.round(silent)} ms and is killed.`);
    this.#watch = { ...this.#watch, heard: this.#options.clock.now() };
    this.#child?.kill('SIGKILL');
  }

  #tell(word: ToReaper): void {
    const pipe = this.#pipe;
    if (pipe?.writable === true) pipe.write(`${JSON.stringify(word)}\n`);
  }
}

/** Resolves when a process has ended or could not be started, with what happened to it. */
function endOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve) => {
    child.once('error', (error) => resolve(`cannot be started: ${error.message}`));
    child.once('exit', () => resolve('has ended'));
  });
}
