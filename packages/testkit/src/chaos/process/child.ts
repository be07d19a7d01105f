import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { within } from './wait.ts';

/** How a process has ended, and when: milliseconds since the epoch. */
export interface Ending {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly at: number;
}

/** A process that a test has started. */
export class Child {
  readonly pid: number;
  /** When it was started: milliseconds since the epoch. */
  readonly begun: number = now();
  readonly ended: Promise<Ending>;
  ending: Ending | undefined;
  /** When it was first sent SIGKILL: what follows from its death may be seen before its end is. */
  killedAt: number | undefined;
  output = '';
  errors = '';
  readonly #child: ChildProcess;

  constructor(child: ChildProcess) {
    this.#child = child;
    this.pid = child.pid ?? 0;
    child.stdout?.setEncoding('utf8').on('data', (chunk: string) => (this.output += chunk));
    child.stderr?.setEncoding('utf8').on('data', (chunk: string) => (this.errors += chunk));
    this.ended = this.#end();
  }

  /** Sends a signal; returns when, in milliseconds since the epoch. */
  signal(signal: NodeJS.Signals): number {
    const at = now();
    if (signal === 'SIGKILL') this.killedAt ??= at;
    this.#child.kill(signal);
    return at;
  }

  /** Resolves when it has ended. @throws with `what` when it has not after `ms` milliseconds. */
  gone(what: string, ms = 10_000): Promise<Ending> {
    return within(`${what} has ended`, ms, this.ended);
  }

  /** Reads nothing of what it prints any more: its pipes break. */
  hangUp(): void {
    this.#child.stdout?.destroy();
    this.#child.stderr?.destroy();
  }

  /** Reads no more of its error stream, without telling it so. */
  stopReading(): void {
    this.#child.stderr?.pause();
  }

  async #end(): Promise<Ending> {
    const [code, signal] = (await once(this.#child, 'exit')) as [number | null, NodeJS.Signals | null];
    this.ending = { code, signal, at: now() };
    return this.ending;
  }
}

/** Milliseconds since the epoch, with fractions; as the processes and the files' times tell them. */
export function now(): number {
  return performance.timeOrigin + performance.now();
}

/** Calls `take` with each whole line. */
export function eachLine(take: (line: string) => void): (chunk: string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) take(line);
  };
}
