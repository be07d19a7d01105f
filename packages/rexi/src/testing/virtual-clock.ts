import { setImmediate as turn } from 'node:timers/promises';
import type { Clock, Timer } from '../seams.ts';

/** A clock that stands still until a test moves it. Same calls, same order: by time, then by order of asking. */
export interface VirtualClock extends Clock {
  /** Timers that have been set and have neither fired nor been cancelled. */
  readonly waiting: number;
  /** Runs everything asked for by `soon`, and what that asks for, until nothing is left. No time passes. */
  runSoon(): void;
  /** Lets `ms` milliseconds pass: fires what falls due, in order, with `runSoon` before, between and after. */
  advance(ms: number): void;
  /** `runSoon`, also for code that awaits promises: comes back when neither side has anything left to do. */
  settle(): Promise<void>;
  /** `advance`, also for code that awaits promises: settles before, between and after the timers. */
  pass(ms: number): Promise<void>;
}

interface Alarm {
  readonly at: number;
  readonly fire: () => void;
}

/** More callbacks than this without time passing are a loop in the code under test. */
const endless = 1_000_000;

/** A virtual clock whose time is `start` milliseconds (default 0). */
export function virtualClock(start: number = 0): VirtualClock {
  let now = start;
  let ready: (() => void)[] = [];
  /** By time; those of one moment in the order in which they were set. */
  const alarms: Alarm[] = [];

  function after(ms: number, fire: () => void): Timer {
    const alarm = { at: now + Math.max(0, ms), fire };
    alarms.splice(firstLater(alarms, alarm.at), 0, alarm);
    return { cancel: () => remove(alarms, alarm) };
  }

  function runSoon(): void {
    for (let done = 0; ready.length > 0;) {
      const batch = ready;
      ready = [];
      for (const run of batch) run();
      done += batch.length;
      if (done > endless) throw new Error(`The code under test calls soon() without end (${endless} times).`);
    }
  }

  /** Moves to the next alarm that is due by `until` and fires it. */
  function step(until: number): boolean {
    const next = alarms[0];
    if (next === undefined || next.at > until) return false;
    alarms.shift();
    now = Math.max(now, next.at);
    next.fire();
    return true;
  }

  function advance(ms: number): void {
    const until = now + ms;
    do runSoon();
    while (step(until));
    now = until;
    runSoon();
  }

  /** A turn of the real event loop runs every microtask there is, however long the chain of promises. */
  async function settle(): Promise<void> {
    do {
      runSoon();
      await turn();
    } while (ready.length > 0);
  }

  async function pass(ms: number): Promise<void> {
    const until = now + ms;
    do await settle();
    while (step(until));
    now = until;
    await settle();
  }

  const soon = (run: () => void): void => void ready.push(run);
  return {
    now: () => now,
    after,
    soon,
    runSoon,
    advance,
    settle,
    pass,
    get waiting() {
      return alarms.length;
    },
  };
}

/** The first place whose alarm rings later than `at`. */
function firstLater(alarms: readonly Alarm[], at: number): number {
  let low = 0;
  let high = alarms.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((alarms[middle] as Alarm).at <= at) low = middle + 1;
    else high = middle;
  }
  return low;
}

function remove(alarms: Alarm[], alarm: Alarm): void {
  const index = alarms.indexOf(alarm);
  if (index >= 0) alarms.splice(index, 1);
}
