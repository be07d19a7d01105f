import { readdirSync } from 'node:fs';
import type { Lab } from './lab.ts';
import { childrenOf, filesBelow, isExecutors, processesWith, processOf, socketsOn } from './machine.ts';

/** What is left of a lab whose nodes have all ended: processes, sockets, temporary files. A sentence each. */
export function leftovers(lab: Lab): string[] {
  const marked = processesWith(lab.mark).map(({ pid }) => pid);
  const processes = [...new Set([...marked, ...lab.isKnownAlive()])].map(
    (pid) => `process ${pid} ${processOf(pid)?.command}`,
  );
  const sockets = socketsOn(lab.ports).map((socket) => `socket ${socket}`);
  const files = filesBelow(lab.temporary).map((file) => `file ${file}`);
  const scratch = lab.workers.flatMap(({ dataDir }) => scratchOf(dataDir)).map((dir) => `directory ${dir}`);
  return [...processes, ...sockets, ...files, ...scratch];
}

/**
 * What is not as it is while nothing runs, in a lab whose nodes are up: processes of jobs, guardians and coordinators
 * that are over, files of jobs. Executors that wait for the next job belong to their nodes.
 */
export function strays(lab: Lab): string[] {
  const agents = lab.workers.filter(({ ending }) => ending === undefined).map(({ pid }) => pid);
  const executors = agents.flatMap((agent) => childrenOf(agent).map(({ pid }) => pid));
  const coordinators = lab.coordinators.filter(({ ending }) => ending === undefined).map(({ pid }) => pid);
  const theirs = coordinators.flatMap((pid) => childrenOf(pid).map((child) => child.pid));
  const expected = new Set([...agents, ...executors, ...coordinators, ...theirs]);
  const processes = processesWith(lab.mark).filter(({ pid }) => !expected.has(pid));
  const scratch = lab.workers.flatMap(({ dataDir }) => scratchOf(dataDir).flatMap(filesBelow));
  const ports = [...lab.workers.filter(({ ending }) => ending === undefined), ...lab.proxies].map(({ port }) => port);
  const crowded = ports.filter((port) => socketsOn(new Set([port])).length !== lab.socketsAt(port));
  return [
    ...crowded.map(
      (port) =>
        `sockets at ${port}, where ${lab.socketsAt(port)} are expected: ${socketsOn(new Set([port])).join(', ')}`,
    ),
    ...processes.map(({ pid, command }) => `process ${pid} ${isExecutors(pid) ? 'of a job: ' : ''}${command}`),
    ...[...filesBelow(lab.temporary), ...scratch].map((file) => `file ${file}`),
  ];
}

function scratchOf(dataDir: string): string[] {
  try {
    return readdirSync(dataDir).flatMap((name) => (name.startsWith('executors-') ? [`${dataDir}/${name}`] : []));
  } catch {
    return [];
  }
}
