/* oxlint-disable no-restricted-globals -- this is the shell that owns the guardian's process */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import type { GuardianEvents, GuardianProcess } from '../guardianship.ts';
import type { FromGuardian } from './pipe.ts';
import { lineReader, toLine } from './pipe.ts';

/** Environment that would change what the guardian is or does. */
const unwanted = ['NODE_OPTIONS', 'NODE_V8_COVERAGE', 'NODE_CHANNEL_FD'];

/** Starts a guardian in a session of its own, with nothing inherited but its pipe. It keeps this process alive no longer. */
export function spawnGuardian({ said, exited }: GuardianEvents): GuardianProcess {
  const env = Object.fromEntries(Object.entries(process.env).filter(([name]) => !unwanted.includes(name)));
  const main = fileURLToPath(new URL('./main.js', import.meta.url));
  const child = spawn(process.execPath, [main], { detached: true, stdio: ['pipe', 'pipe', 'ignore'], env, cwd: '/' });
  child.unref();
  for (const stream of [child.stdin, child.stdout]) {
    (stream as unknown as { unref?: () => void }).unref?.();
    // Its death is told by its exit; a pipe that breaks on the way there says nothing more.
    stream.on('error', () => undefined);
  }
  child.stdout.on('data', lineReader<FromGuardian>(said));
  // 'close' comes after the exit and after the last of its output was read.
  const closed = once(child, 'close');
  void closed.then(exited, exited);
  return {
    send: (message) => void child.stdin.write(toLine(message)),
    async kill() {
      child.kill('SIGKILL');
      await closed;
    },
  };
}
