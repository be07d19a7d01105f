// @ts-check
import { readdirSync, readFileSync } from 'node:fs';

/**
 * A process as /proc has it. `ticks` is what it has computed, in user and system mode.
 * @typedef {{ readonly pid: number, readonly parent: number, readonly state: string, readonly ticks: number, readonly start: number }} Stat
 */

/** Ticks per second of /proc/PID/stat: USER_HZ, which is 100 on every Linux that Node runs on. */
export const ticksPerSecond = 100;

/**
 * @param {number} pid
 * @returns {Stat | undefined}
 */
export function statOf(pid) {
  const text = read(`/proc/${pid}/stat`);
  // The name in brackets may contain anything: fields are counted from behind it.
  const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
  const [state, parent] = fields;
  if (state === undefined || parent === undefined) return undefined;
  return {
    pid,
    state,
    parent: Number(parent),
    ticks: Number(fields[11]) + Number(fields[12]),
    start: Number(fields[19]),
  };
}

/** Whether this very process still runs. @param {Stat} known */
export function isAlive({ pid, start }) {
  const now = statOf(pid);
  return now !== undefined && now.start === start && now.state !== 'Z' && now.state !== 'X';
}

/** The process and all that it has started. @param {number} pid @returns {Stat[]} */
export function familyOf(pid) {
  const all = readdirSync('/proc')
    .filter((name) => /^\d+$/.test(name))
    .map((name) => statOf(Number(name)));
  const stats = all.filter((stat) => stat !== undefined);
  const family = stats.filter((stat) => stat.pid === pid);
  for (const member of family) family.push(...stats.filter(({ parent }) => parent === member.pid));
  return family;
}

/** @param {number} pid */
export function commandOf(pid) {
  return read(`/proc/${pid}/cmdline`).replaceAll('\0', ' ');
}

/** Resident memory now and at its highest, in MiB. @param {number} pid */
export function memoryOf(pid) {
  const status = read(`/proc/${pid}/status`);
  const value = (/** @type {string} */ name) => Number(new RegExp(`${name}:\\s+(\\d+)`).exec(status)?.[1] ?? 0) / 1024;
  return { now: value('VmRSS'), peak: value('VmHWM') };
}

/** @param {string} path */
function read(path) {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    // It has ended.
    return '';
  }
}
