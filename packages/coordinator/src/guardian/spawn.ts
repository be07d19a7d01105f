/* oxlint-disable no-restricted-globals -- this is the shell that owns the guardian's process */
import { ClusterError } from '@muster/rexi';
import type { ChildProcessByStdio } from 'node:child_process';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import type { Readable, Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { GuardianEvents, GuardianProcess } from '../guardianship.ts';
import type { FromGuardian } from './pipe.ts';
import { lineReader, toLine } from './pipe.ts';

/** Environment that would change what the guardian is or does. */
const unwanted = ['NODE_OPTIONS', 'NODE_V8_COVERAGE', 'NODE_CHANNEL_FD'];

/**
 * Starts a guardian in a session of its own, with nothing inherited but its pipe. It keeps this process alive no longer.
 * One that cannot be started (no file or process is left, say) has exited, with the reason.
 */
export function spawnGuardian({ said, exited }: GuardianEvents): GuardianProcess {
  const started = start();
  if (started instanceof Error) {
    queueMicrotask(() => exited(notStarted(started)));
    return { send: () => undefined, kill: async () => undefined };
  }
  const { child, failure } = started;
  child.unref();
  for (const stream of [child.stdin, child.stdout]) {
    (stream as unknown as { unref?: () => void }).unref?.();
    // Its death is told by its exit; a pipe that breaks on the way there says nothing more.
    stream.on('error', () => undefined);
  }
  child.stdout.on('data', lineReader<FromGuardian>(said));
  // 'close' comes after the exit and after the last of its output was read.
  const closed = once(child, 'close').then(
    () => exited(),
    () => failure.then((error) => exited(notStarted(error))),
  );
  return {
    send: (message) => void child.stdin.write(toLine(message)),
    async kill() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}

interface Started {
  readonly child: ChildProcessByStdio<Writable, Readable, null>;
  /** Why it could not be started after all. */
  readonly failure: Promise<Error>;
}

/** Some failures are thrown, some are told later, and without a free file there are not even the pipes. */
function start(): Started | Error {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !unwanted.includes(name)));
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  try {
    const child = spawn(process.execPath, [main], { detached: true, stdio: ['pipe', 'pipe', 'ignore'], env, cwd: '/' });
    const failure = new Promise<Error>((resolve) => child.once('error', resolve));
    const piped = child as { readonly stdin: Writable | undefined };
    return piped.stdin === undefined ? new Error('no pipe could be opened (EMFILE)') : { child, failure };
  } catch (error) {
    return error as Error;
  }
}

function notStarted(error: Error): ClusterError {
  const text = `No guardian could be started: ${error.message}. Look at the limits of files and processes (ulimit -n, -u).`;
  return new ClusterError('unavailable', text, { cause: error });
}
