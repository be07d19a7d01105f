import { readFileSync } from 'node:fs';
import { pause } from './wait.ts';

/** How much of the machine may be busy with others before bounds say nothing: a share of all its processors. */
const most = 0.25;

/** Whether the machine is too busy to judge times by it. Asked while nothing of one's own runs; takes 150 ms. */
export async function isMachineBusy(): Promise<boolean> {
  const before = readTicks();
  await pause(150);
  return busyShare(before, readTicks()) > most;
}

export interface Ticks {
  readonly busy: number;
  readonly idle: number;
}

export function busyShare(before: Ticks, after: Ticks): number {
  const busy = after.busy - before.busy;
  const all = busy + after.idle - before.idle;
  return all <= 0 ? 0 : busy / all;
}

/** The first line of `/proc/stat`: user, nice, system, idle, iowait, irq, softirq, steal. */
export function ticksIn(stat: string): Ticks {
  const [user = 0, nice = 0, system = 0, idle = 0, iowait = 0, ...rest] = stat
    .slice(0, stat.indexOf('\n'))
    .split(/\s+/)
    .slice(1, 9)
    .map(Number);
  return { busy: user + nice + system + rest.reduce((sum, each) => sum + each, 0), idle: idle + iowait };
}

function readTicks(): Ticks {
  return ticksIn(readFileSync('/proc/stat', 'latin1'));
}
