/**
 * An executor: the process in which jobs run. It speaks with its agent over fd 3 and ends when that does. One that spins
 * does not notice, which is what its watchdog and the reaper are for.
 */
import { Socket } from 'node:net';
import { systemClock } from '@muster/rexi';
import type { LoadedJob } from '../job/load.ts';
import { loadJobs } from '../job/load.ts';
import { described } from './failure.ts';
import { Inbox, largestFrame } from './inbox.ts';
import { Outbox } from './outbox.ts';
import { Quiet } from './quiet.ts';
import { Runtime } from './runtime.ts';
import { Turn } from './turn.ts';
import { startWatchdog } from './watchdog.ts';
import type { FromExecutor, Init } from './words.ts';
import { agentWording, executorWording } from './wording.ts';

/** Bytes that may wait for the socket before streams are not asked for more. */
const backlog = 1024 * 1024;

/** The exit code of an executor in which an error cannot be blamed on one job. */
const unattributable = 70;

const watchdog = startWatchdog();
const socket = new Socket({ fd: 3, readable: true, writable: true });
const turn = new Turn(systemClock);
const outbox = new Outbox(socket, turn.flush);
const quiet = new Quiet(systemClock, turn);
let runtime: Runtime | undefined;
let waiting: (() => void)[] = [];

function send(word: FromExecutor): void {
  executorWording.write(outbox, word);
}

function congested(again: () => void): boolean {
  if (socket.writableLength < backlog) return false;
  waiting.push(again);
  return true;
}

function drained(): void {
  const woken = waiting;
  waiting = [];
  for (const again of woken) again();
}

/** Whoever read what jobs print may have gone. That is no error of a job, and no reason to end one. */
function printToNobody(): void {
  // The first use of a stream opens it, which would look like something that a job has left behind.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => undefined);
}

/** Says the last word, and goes. */
function giveUp(word: FromExecutor, code: number): void {
  send(word);
  outbox.flush();
  process.exit(code);
}

async function load({ jobs, node, dataDir }: Init): Promise<void> {
  try {
    // Whatever the user's code does to this thread: the watchdog is there.
    await watchdog.watching;
    printToNobody();
    const table = loadJobs((await import(jobs)) as object);
    quiet.settle();
    runtime = new Runtime({ node, dataDir, clock: systemClock, turn, jobs: table, quiet, send, congested });
    send({ type: 'loaded', jobs: JSON.stringify([...table.values()].map(entryOf)) });
  } catch (error) {
    giveUp(broken(explained(error, jobs)), 1);
  }
}

/** What Node says of a TypeScript file that it cannot run leaves the reader alone. */
function explained(error: unknown, jobs: string): unknown {
  const { code } = error as { readonly code?: unknown };
  if (code !== 'ERR_UNKNOWN_FILE_EXTENSION' || !/\.[cm]?ts$/.test(jobs)) return error;
  return new Error(
    `Node ${process.versions.node} cannot run TypeScript (${jobs}): compile it, or use Node 22.18 or newer.`,
  );
}

function entryOf({ name, stream, isolation, lane }: LoadedJob): object {
  return { name, stream, isolation, lane };
}

function broken(error: unknown): FromExecutor {
  const { message, stack } = described(error);
  return { type: 'broken', message, stack };
}

function uncaught(error: unknown): void {
  if (runtime === undefined) return giveUp(broken(error), 1);
  const why = `an error that nobody caught: ${described(error).message}`;
  const word: FromExecutor = { type: 'fit', verdict: 'spoiled', why };
  if (runtime.blame(error)) send(word);
  else giveUp(word, unattributable);
}

const inbox = new Inbox(largestFrame, (type, fields) => {
  const word = agentWording.read(type, fields);
  if (word.type === 'init') void load(word);
  else runtime?.hear(word);
});

process.on('uncaughtException', uncaught);
process.on('unhandledRejection', uncaught);
socket.on('drain', drained);
socket.on('end', watchdog.bite).on('close', watchdog.bite).on('error', watchdog.bite);
socket.on('data', (chunk: Buffer) => inbox.push(chunk));
