#!/usr/bin/env node
import { ClusterError, constants } from '@muster/rexi';
import { createRequire } from 'node:module';
import type { WorkerNode } from '../node/start.ts';
import { startNode } from '../node/start.ts';
import { pinoLog } from '../log/pino-log.ts';
import type { ErrorStream } from './error-stream.ts';
import { errorStream } from './error-stream.ts';
import type { WorkerOptions } from './options.ts';
import { readOptions, usage } from './options.ts';
import { readSecret } from './secret.ts';

async function main(): Promise<void> {
  const options = readOptions(process.argv.slice(2));
  if (options.only === 'help') return console.log(usage);
  if (options.only === 'version')
    return console.log(String(createRequire(import.meta.url)('../../package.json').version));
  if (options.only === 'config') return console.log(JSON.stringify(constants(options.constants), undefined, 2));
  const lines = errorStream();
  const node = await start(options, lines);
  endOnSignals(node, lines); // Who reads that it is ready may end it at once.
  const { id, address, incarnation, jobs } = node;
  say(
    options,
    'ready',
    { id, address, incarnation, jobs, pid: process.pid },
    `${id} is ready at ${address} with ${namesOf(jobs)}`,
  );
  if (options.tls !== undefined) reloadOnSignal(node, options);
}

function start(options: WorkerOptions, { write }: ErrorStream): Promise<WorkerNode> {
  const { id, listen, advertise, jobs, dataDir, lanes, plaintext, objects, tls, json, logLevel: level } = options;
  const secret = readSecret(options.secret);
  return startNode({
    id,
    listen,
    jobs,
    dataDir,
    lanes,
    plaintext,
    ...(tls && { tls }),
    secret,
    log: pinoLog({ node: id, level, json, now, secrets: [secret], write }),
    constants: options.constants,
    pool: {
      ...(options.executors === undefined ? {} : { limits: { executors: options.executors } }),
      ...(options.spares === undefined ? {} : { spares: options.spares }),
      ...(options.loadTimeout === undefined ? {} : { loadTimeout: options.loadTimeout }),
    },
    ...(advertise.length > 0 && { advertise }),
    ...(objects === undefined ? {} : { objectBudget: objects }),
    ...(options.json && { note: (event, facts) => say(options, event, facts, '') }),
  });
}

function namesOf(jobs: readonly string[]): string {
  return `${jobs.length} ${jobs.length === 1 ? 'job' : 'jobs'}: ${jobs.join(', ')}`;
}

/** Milliseconds for lines that are on their way out when the node has ended. */
const lastWords = 200;

/** The first asks it to finish what runs; the second ends it now. */
function endOnSignals(node: WorkerNode, lines: ErrorStream): void {
  let signals = 0;
  const end = (): void => {
    signals += 1;
    void (signals === 1 ? node.drain() : node.close());
  };
  // An operator may have drained it.
  void node.closed
    .then(() => lines.close(lastWords))
    .then((left) => {
      // A write that nobody reads holds a thread, and an exit would wait for that: for ever.
      if (!left) process.kill(process.pid, 'SIGKILL');
      process.exit(signals > 1 ? 1 : 0);
    });
  process.on('SIGTERM', end);
  process.on('SIGINT', end);
}

/** New certificates count from now on; what is wrong with them is said, and those from before go on. */
function reloadOnSignal(node: WorkerNode, options: WorkerOptions): void {
  process.on('SIGHUP', () => {
    node.reloadTls().then(
      () => say(options, 'tls-reloaded', { id: node.id }, `${node.id} has read its certificates anew`),
      (error: unknown) => {
        const text = error instanceof ClusterError ? named(error) : String(error);
        console.error(`muster-worker: ${text} The certificates from before go on.`);
      },
    );
  });
}

/** The message, behind the option that it is about. */
function named(error: ClusterError): string {
  const option = optionIn(error);
  return `${option === undefined ? '' : `${option}: `}${error.message}`;
}

/** `startNode` names the option in its own spelling. */
function optionIn({ detail }: ClusterError): string | undefined {
  return detail === undefined ? undefined : `--${detail.replaceAll(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)}`;
}

function now(): number {
  return performance.timeOrigin + performance.now();
}

function say({ json }: WorkerOptions, event: string, facts: Record<string, unknown>, sentence: string): void {
  const line = json ? JSON.stringify({ event, at: now(), ...facts }) : sentence;
  process.stdout.write(`${line}\n`);
}

// A parent that no longer reads does not end the node.
for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
main().catch((error: unknown) => {
  const usage = error instanceof ClusterError && error.code === 'bad_options';
  const message = error instanceof Error ? error.message : String(error);
  console.error(`muster-worker: ${usage ? named(error) : message}`);
  if (error instanceof Error && error.cause !== undefined && !usage) console.error(error.cause);
  process.exit(usage ? 2 : 1);
});
