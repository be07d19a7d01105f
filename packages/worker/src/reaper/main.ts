/* oxlint-disable no-restricted-globals -- the shell that owns this process's clock, without loading more than it needs */
/**
 * A reaper: one small process beside each agent, which kills the executors of an agent that has died or stopped. It has
 * its own session and ignores the signals that end an agent with its terminal or its service manager.
 */
import { rm } from 'node:fs/promises';
import { Socket } from 'node:net';
import { performance } from 'node:perf_hooks';
import type { Clock } from '@muster/rexi';
import { Hunter } from './hunter.ts';
import type { ReaperEffect, ReaperEvent, ReaperState } from './reaper-core.ts';
import { interval, newReaper, reap } from './reaper-core.ts';
import type { ToReaper } from './words.ts';
import { lines } from './words.ts';

const clock: Clock = {
  now: () => performance.now(),
  after(ms, fire) {
    const timer = setTimeout(fire, ms);
    return { cancel: () => clearTimeout(timer) };
  },
  soon: (run) => void setImmediate(run),
};

const hunter = new Hunter(clock);
const pipe = new Socket({ fd: 3, readable: true, writable: true });
let state: ReaperState = newReaper(clock.now());
let looking: NodeJS.Timeout | undefined;

function handle(event: ReaperEvent): void {
  const [next, effects] = reap(state, event);
  state = next;
  for (const effect of effects) perform(effect);
}

function perform(effect: ReaperEffect): void {
  if (effect.do === 'answer') pipe.write(`${JSON.stringify(effect.word)}\n`);
  else void finish(effect);
}

async function finish({ charges, dirs, why }: Extract<ReaperEffect, { readonly do: 'reap' }>): Promise<void> {
  await Promise.all(charges.map(({ prey }) => hunter.kill(prey)));
  await Promise.all(dirs.map((dir) => rm(dir, { recursive: true, force: true, maxRetries: 3 })));
  if (charges.length > 0) process.stderr.write(`The reaper has ended ${charges.length} executors: ${why}.\n`);
  process.exit(0);
}

function told(word: ToReaper): void {
  handle({ type: 'told', word, now: clock.now() });
  if (word.type !== 'hello') return;
  clearInterval(looking);
  looking = setInterval(() => handle({ type: 'tick', now: clock.now() }), interval(word.lease));
}

const closed = (): void => handle({ type: 'closed' });

for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) process.on(signal, () => undefined);
process.stderr.on('error', () => undefined);
pipe.setEncoding('utf8');
pipe.on('end', closed).on('close', closed).on('error', closed);
pipe.on('data', lines((line) => told(JSON.parse(line) as ToReaper)) as (chunk: string | Buffer) => void);
