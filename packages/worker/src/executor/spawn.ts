import type { ChildProcess } from 'node:child_process';
import { spawn } from 'node:child_process';
import type { Socket } from 'node:net';
import { fileURLToPath } from 'node:url';
import type { Prey } from '../reaper/hunter.ts';
import { renice, startOf } from '../reaper/processes.ts';

/** The variable by which everything that an executor has started is known. */
export const markerName = 'MUSTER_EXECUTOR';

/** The same for a reaper. */
export const reaperMarkerName = 'MUSTER_REAPER';

/** What an executor sees of its node's environment. NODE_OPTIONS never: it would run code in front of ours. */
export const usualEnvironment: readonly string[] = [
  'PATH',
  'HOME',
  'USER',
  'LANG',
  'LC_ALL',
  'TZ',
  'TMPDIR',
  'NODE_ENV',
  'NODE_EXTRA_CA_CERTS',
];

export interface SpawnOptions {
  /** `<node id>/<life>-<number>`, unique; see `Life`. */
  readonly mark: string;
  readonly cwd: string;
  /** Names of variables that it sees. */
  readonly env: readonly string[];
  readonly execArgv: readonly string[];
  /** 0 to 19; higher runs later. */
  readonly niceness: number;
}

/** An executor's process with its socket, and what names it for good. */
export interface Spawned {
  readonly child: ChildProcess;
  readonly socket: Socket;
  readonly prey: Prey;
}

const main = fileURLToPath(new URL('./main.js', import.meta.url));

/**
 * Starts the process of an executor, in a session and group of its own. It has nothing to run yet.
 *
 * `--disable-proto=throw` is not given: libraries of users still read and write `__proto__`, and would break. What comes
 * over the wire is guarded by the codec instead.
 * @throws the system's error where no process can be had.
 */
export function spawnExecutor({ mark, cwd, env, execArgv, niceness }: SpawnOptions): Promise<Spawned> {
  const child = spawn(process.execPath, [...execArgv, main], {
    cwd,
    env: { ...environment(env), [markerName]: mark },
    // Standard output joins the error stream: a node's own output is for machines. The last is the watchdog's: nothing
    // is said there, and its end, which nobody but the agent holds, is the agent's.
    stdio: ['ignore', 2, 2, 'pipe', 'pipe'],
    detached: true,
  });
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    const { pid } = child;
    if (pid === undefined) return;
    renice(pid, niceness); // So that the agent hears a kill while jobs spin.
    quiet(child.stdio[4] as Socket);
    try {
      const prey: Prey = { pid, start: startOf(pid), marker: `${markerName}=${mark}` };
      resolve({ child, socket: child.stdio[3] as Socket, prey });
    } catch (error) {
      discard(child);
      reject(error);
    }
  });
}

/** A process that nobody could name for good is of no use: it has run nothing yet, so there is nothing else to end. */
function discard(child: ChildProcess): void {
  child.kill('SIGKILL');
  for (const end of child.stdio) end?.destroy();
}

/** What comes there is not heard, but its end is: the agent's side then goes as well. */
function quiet(pipe: Socket): void {
  pipe.on('error', () => undefined).resume();
}

function environment(names: readonly string[]): NodeJS.ProcessEnv {
  const chosen = names.filter((name) => name !== 'NODE_OPTIONS' && process.env[name] !== undefined);
  return Object.fromEntries(chosen.map((name) => [name, process.env[name]]));
}
