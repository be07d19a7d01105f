/**
 * The watchdog of an executor: a thread of its own, which runs while the main thread does not. It reads a pipe on which
 * nothing is ever said, and whose other end only the agent holds.
 */
import { Socket } from 'node:net';
import { parentPort, workerData } from 'node:worker_threads';
import type { Prey } from '../reaper/hunter.ts';
import { endWithCompany } from '../reaper/hunter.ts';

const bite = (): void => endWithCompany(workerData as Prey);

const pipe = new Socket({ fd: 4, readable: true, writable: false });
pipe.on('end', bite).on('close', bite).on('error', bite);
pipe.resume();
parentPort?.postMessage('watching');
