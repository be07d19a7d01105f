import { once } from 'node:events';
import { existsSync } from 'node:fs';
import { connect } from 'node:net';
import type { ProcessName } from './processes.ts';
import { areGone, isAlive } from './processes.ts';

/** What there was while the demo ran, to be looked for when it has ended. */
export interface Belongings {
  readonly processes: readonly ProcessName[];
  /** On which something listened. */
  readonly ports: readonly number[];
  readonly dir: string;
}

export interface LeftBehind {
  readonly processes: number;
  readonly ports: number;
  readonly files: number;
}

/** Milliseconds in which a process that was told to go may still go. */
const patience = 2_000;

/** Looks after every one of them, by itself and not by what somebody says. */
export async function leftBehind({ processes, ports, dir }: Belongings): Promise<LeftBehind> {
  await areGone(processes, patience);
  const open = await Promise.all(ports.map(isOpen));
  return {
    processes: processes.filter(isAlive).length,
    ports: open.filter(Boolean).length,
    files: existsSync(dir) ? 1 : 0,
  };
}

async function isOpen(port: number): Promise<boolean> {
  const socket = connect(port, '127.0.0.1');
  try {
    await once(socket, 'connect');
    return true;
  } catch {
    return false;
  } finally {
    socket.destroy();
  }
}
