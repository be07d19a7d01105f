// @ts-check
import { mkdirSync, readFileSync, renameSync, existsSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { flags } from './child.mjs';
import { commandOf, familyOf } from './processes.mjs';
import { progress } from './report.mjs';

/** Functions, and files, that are told of each process. */
const top = { functions: 12, files: 8 };

let directory = '';

/** Whether profiles are wanted. */
export function profiling() {
  return directory !== '';
}

/** From now on processes are started so that they can be profiled; profiles are kept in `path`. @param {string} path */
export function profileInto(path) {
  directory = resolve(path);
  mkdirSync(directory, { recursive: true });
  flags.push('--import', `${new URL('preload.mjs', import.meta.url).href}?dir=${encodeURIComponent(directory)}`);
}

/**
 * Profiles the processes and their executors while `work` runs, and says where the time went.
 * @param {string} label
 * @param {readonly number[]} pids
 * @param {() => Promise<unknown>} work
 */
export async function profiled(label, pids, work) {
  const family = [...new Set(pids.flatMap((pid) => familyOf(pid).map((stat) => stat.pid)))];
  const roles = family
    .map((pid) => /** @type {const} */ ([pid, roleOf(commandOf(pid))]))
    .filter(([, role]) => role !== '');
  // Spares that are still starting have no handler for the signal, and would end.
  await sleep(1_000);
  for (const [pid] of roles) process.kill(pid, 'SIGUSR2');
  await sleep(200);
  await work();
  for (const [pid] of roles) process.kill(pid, 'SIGUSR2');
  await sleep(1_000);
  for (const [pid, role] of roles) keep(label, pid, role);
}

/** @param {string} command */
function roleOf(command) {
  if (command.includes('executor/main.js')) return 'executor';
  if (!command.includes('child-main.mjs')) return '';
  return command.includes(' serve ') ? 'agent' : 'coordinator';
}

/** @param {string} label @param {number} pid @param {string} role */
function keep(label, pid, role) {
  const written = join(directory, `${pid}.cpuprofile`);
  if (!existsSync(written)) return progress(`No profile of ${role} ${pid}.`);
  const kept = join(directory, `${label.replaceAll('/', '-')}.${role}-${pid}.cpuprofile`);
  renameSync(written, kept);
  const profile = JSON.parse(readFileSync(kept, 'utf8'));
  const { busy, lines } = selfTimes(profile, nameOf, top.functions);
  if (busy < 0.03) return;
  progress(`\n${label}, ${role} ${pid}: busy ${(busy * 100).toFixed(0)} % of the time; of that, by self time:`);
  for (const line of lines) progress(line);
  progress('  by file:');
  for (const line of selfTimes(profile, fileOf, top.files).lines) progress(line);
}

/**
 * By the number of samples: the time between two of them also counts when others had the processor.
 * @param {import('node:inspector').Profiler.Profile} profile
 * @param {(frame: import('node:inspector').Runtime.CallFrame) => string} group what counts as one
 * @param {number} most
 * @returns {{ busy: number, lines: string[] }}
 */
function selfTimes({ nodes }, group, most) {
  /** @type {Map<string, number>} */
  const hits = new Map();
  for (const { callFrame, hitCount = 0 } of nodes) {
    const name = group(callFrame);
    hits.set(name, (hits.get(name) ?? 0) + hitCount);
  }
  // The profiler's own start.
  hits.delete('dispatch');
  const idle = hits.get('(idle)') ?? 0;
  hits.delete('(idle)');
  const busy = [...hits.values()].reduce((sum, count) => sum + count, 0);
  const sorted = [...hits].toSorted(([, a], [, b]) => b - a).slice(0, most);
  const lines = sorted.map(([name, count]) => `  ${((100 * count) / busy).toFixed(1).padStart(5)} %  ${name}`);
  return { busy: busy / (busy + idle), lines };
}

/** @param {import('node:inspector').Runtime.CallFrame} frame */
function nameOf({ functionName, url, lineNumber }) {
  const name = functionName === '' ? '(anonymous)' : functionName;
  return url === '' ? name : `${name}  ${basename(url)}:${lineNumber + 1}`;
}

/** @param {import('node:inspector').Runtime.CallFrame} frame */
function fileOf({ functionName, url }) {
  if (/^\((idle|program|garbage collector)\)$/.test(functionName) || functionName === 'dispatch') return functionName;
  if (url === '') return 'native code';
  return url.startsWith('node:') ? url : url.split('/').slice(-3).join('/');
}
