import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { childrenOf, filesBelow, isAlive, processesWith, processOf, socketsOn } from '../process/machine.ts';
import type { ChaosLab } from './chaos-lab.ts';

/**
 * What is there beside the lab's nodes that run, and their executors and reapers: processes, sockets without anybody who
 * should hold them, temporary files, scratch directories of nodes that have ended. A sentence each; none: all is as it was.
 */
export function leftovers(lab: ChaosLab): string[] {
  const agents = lab.agents.filter(({ ending }) => ending === undefined);
  const coordinators = lab.coordinators.filter(({ ending }) => ending === undefined);
  const owners = [...agents, ...coordinators].map(({ pid }) => pid);
  const expected = new Set([...owners, ...owners.flatMap((pid) => childrenOf(pid).map((child) => child.pid))]);
  const reapers = [...lab.reapers].filter((pid) => pid !== 0 && isAlive(pid) && !expected.has(pid));
  const strays = processesWith(lab.mark).flatMap(({ pid }) => (expected.has(pid) ? [] : [pid]));
  const processes = [...new Set([...strays, ...reapers])].map((pid) => `process ${pid} ${processOf(pid)?.command}`);
  return [...processes, ...(coordinators.length > 0 ? [] : sockets(lab, agents.length > 0)), ...files(lab)];
}

/** Without a coordinator nobody has a link: a node that runs listens, and no more. */
function sockets(lab: ChaosLab, running: boolean): string[] {
  const ports = new Set(Array.from(lab.proxies.values(), ({ target }) => target));
  const listens = / 0A$/;
  return socketsOn(ports).flatMap((socket) => (running && listens.test(socket) ? [] : [`socket ${socket}`]));
}

function files(lab: ChaosLab): string[] {
  const ended = lab.agents.every(({ ending }) => ending !== undefined);
  const scratch = [...new Set(lab.agents.map(({ dataDir }) => dataDir))].flatMap(scratchOf);
  const left = ended ? scratch : scratch.flatMap(filesBelow);
  return [...filesBelow(lab.temporary), ...left].map((path) => `file ${path}`);
}

function scratchOf(dataDir: string): string[] {
  try {
    return readdirSync(dataDir).flatMap((name) => (name.startsWith('executors-') ? [join(dataDir, name)] : []));
  } catch {
    return [];
  }
}
