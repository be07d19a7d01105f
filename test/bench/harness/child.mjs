// @ts-check
import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';

/**
 * What a module's export returns to the process that it runs in.
 * @typedef {{
 *   readonly ready?: unknown,
 *   readonly verbs?: Record<string, (...args: any[]) => unknown>,
 *   readonly close?: () => unknown,
 * }} Role
 */

/**
 * A process of a benchmark, from outside.
 * @typedef {{
 *   readonly pid: number,
 *   readonly ready: any,
 *   ask(verb: string, ...args: unknown[]): Promise<any>,
 *   kill(): Promise<void>,
 *   close(): Promise<void>,
 * }} Child
 */

const main = fileURLToPath(new URL('child-main.mjs', import.meta.url));

/** Milliseconds that a process has to end after it was asked to. */
const patience = 10_000;

/** @type {Map<import('node:child_process').ChildProcess, () => Promise<void>>} */
const running = new Map();

/** Flags for Node in every process that is started from now on. @type {string[]} */
export const flags = [];

/** Ends all processes that still run, in order: a node that is killed outright has its executors ended by its reaper, later. */
export async function endAll() {
  await Promise.all([...running.values()].map((close) => close()));
}

/**
 * Starts `module`'s export `name` with `argument` in a process of its own; resolves when it is ready.
 * @param {string} module
 * @param {string} name
 * @param {unknown} argument
 * @returns {Promise<Child>}
 */
export async function startChild(module, name, argument) {
  const child = fork(main, [module, name, JSON.stringify(argument ?? null)], {
    execArgv: [...flags],
    // Standard output is for results alone.
    stdio: ['ignore', 2, 2, 'ipc'],
    // A terminal's Ctrl-C is for the harness, which then ends its children in order.
    detached: true,
  });
  const ended = once(child, 'exit').finally(() => running.delete(child));
  running.set(child, close);

  async function close() {
    if (!running.has(child)) return;
    if (child.connected) child.send({ id: 0, verb: 'close', args: [] });
    const timer = setTimeout(() => child.kill('SIGKILL'), patience);
    await ended;
    clearTimeout(timer);
  }

  /** @type {Map<number, { resolve(value: any): void, reject(error: Error): void }>} */
  const questions = new Map();
  let ids = 0;
  const ready = await new Promise((resolve, reject) => {
    child.on('message', (/** @type {any} */ message) => {
      if ('ready' in message) return resolve(message.ready);
      const question = questions.get(message.id);
      questions.delete(message.id);
      if ('error' in message) question?.reject(new Error(message.error));
      else question?.resolve(message.value);
    });
    child.on('error', reject);
    void ended.then(([code, signal]) => {
      const error = new Error(`The process for ${name} of ${module} has ended (${signal ?? code}).`);
      reject(error);
      for (const question of questions.values()) question.reject(error);
    }, reject);
  });
  return {
    pid: child.pid ?? 0,
    ready,
    ask: (verb, ...args) =>
      new Promise((resolve, reject) => {
        ids += 1;
        questions.set(ids, { resolve, reject });
        child.send({ id: ids, verb, args });
      }),
    async kill() {
      child.kill('SIGKILL');
      await ended;
    },
    close,
  };
}
