import { spawnSync } from 'node:child_process';
import { ChaosError } from '../chaos-error.ts';

/** What one process may have, at most. The hard limits stay, so that the soft ones can be raised again. */
export interface Limits {
  /** Open files, sockets and pipes. */
  readonly files?: number;
  /** Bytes of address space. Node reserves some gigabytes that it never touches. */
  readonly memory?: number;
  /** Bytes of the largest file that it may write. */
  readonly fileSize?: number;
}

const options = { files: 'nofile', memory: 'as', fileSize: 'fsize' } as const;

/** Whether this machine has the tool that limits are set with. */
export function hasLimits(): boolean {
  return spawnSync('prlimit', ['--version'], { stdio: 'ignore' }).status === 0;
}

/** Sets limits of a process that runs. @throws ChaosError where there is no `prlimit`, or it refuses. */
export function limitProcess(pid: number, limits: Limits): void {
  const words = Object.entries(limits).map(
    ([name, most]) => `--${options[name as keyof Limits]}=${most === Infinity ? hardLimit(pid, name) : most}:`,
  );
  const { status, stderr, error } = spawnSync('prlimit', ['--pid', String(pid), ...words], { encoding: 'utf8' });
  if (error !== undefined) throw new ChaosError('Limits need the command "prlimit" (package util-linux).', error);
  if (status !== 0) throw new ChaosError(`The limits of process ${pid} could not be set: ${stderr.trim()}`);
}

function hardLimit(pid: number, name: string): string {
  const option = options[name as keyof Limits];
  const words = ['--pid', String(pid), `--${option}`, '--noheadings', '--raw', '--output', 'HARD'];
  return spawnSync('prlimit', words, { encoding: 'utf8' }).stdout.trim();
}
