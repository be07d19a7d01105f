// @ts-check
// What a server does that must be able to kill what it runs: it hands each piece of work on to a process of its own.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const main = fileURLToPath(new URL('processes-main.mjs', import.meta.url));

/** @typedef {{ id: number, args: unknown }} Word */

/**
 * Processes that answer with what they are told, in turn, over Node's own channel to a child.
 * @param {number} count
 * @returns {(args: unknown) => Promise<unknown>}
 */
export function startProcesses(count) {
  /** @type {Map<number, (value: unknown) => void>} */
  const calls = new Map();
  const children = Array.from({ length: count }, () => {
    const child = fork(main, [], { serialization: 'advanced' });
    child.on('message', (/** @type {Word} */ { id, args }) => {
      calls.get(id)?.(args);
      calls.delete(id);
    });
    return child;
  });
  let ids = 0;
  return (args) =>
    new Promise((resolve) => {
      ids += 1;
      calls.set(ids, resolve);
      children[ids % count]?.send({ id: ids, args });
    });
}
