import { parentPort } from 'node:worker_threads';
import type { SeedOrder } from './run-seed.ts';
import { runSeed } from './run-seed.ts';

// One thread of a run over many seeds: takes orders one by one, and answers each with its report.
parentPort?.on('message', (order: SeedOrder) => {
  void runSeed(order).then((report) => parentPort?.postMessage(report));
});
