import { once } from 'node:events';
import { Worker } from 'node:worker_threads';
import type { SeedOrder, SeedReport } from './run-seed.ts';
import { runSeed } from './run-seed.ts';

/** Runs orders in so many threads (0: in this one), and gives each report as it comes; leaving the loop ends the rest. */
export async function* runSeeds(
  orders: Iterable<SeedOrder>,
  threads: number,
): AsyncGenerator<SeedReport, void, undefined> {
  if (threads <= 0) {
    for (const order of orders) yield runSeed(order);
    return;
  }
  const queue = orders[Symbol.iterator]();
  const workers = Array.from({ length: threads }, () => new Worker(new URL('./thread.js', import.meta.url)));
  try {
    const pending = new Map<Worker, Promise<readonly [Worker, SeedReport]>>();
    const give = (worker: Worker): void => {
      const next = queue.next();
      if (next.done === true) return void pending.delete(worker);
      const answer = once(worker, 'message').then(([report]) => [worker, report as SeedReport] as const);
      worker.postMessage(next.value);
      pending.set(worker, answer);
    };
    for (const worker of workers) give(worker);
    while (pending.size > 0) {
      const [worker, report] = await Promise.race(pending.values());
      give(worker);
      yield report;
    }
  } finally {
    await Promise.all(workers.map((worker) => worker.terminate()));
  }
}
