/* oxlint-disable no-restricted-globals -- here the wall clock is replaced, so that whoever reads it reads a simulated one */
import type { SimProcess } from './sim-process.ts';

/** The process whose code has run last: what it has begun and what its microtasks do is its own. */
const last: { process: SimProcess | undefined } = { process: undefined };

/** What is read from now on is read by this process. */
export function readsWallClock(process: SimProcess): void {
  last.process = process;
}

const real = Date;
let simulations = 0;

/**
 * Until what it returns is called, `Date` tells the wall clock of the simulated machine whose code runs: no protocol code
 * may read it, and where some does, a clock that jumps shows it.
 */
export function simulateWallClock(): () => void {
  if ((simulations += 1) === 1) globalThis.Date = simulated;
  return () => {
    if ((simulations -= 1) > 0) return;
    globalThis.Date = real;
    last.process = undefined;
  };
}

function now(): number {
  return last.process?.wallClock ?? real.now();
}

/** Dates themselves are real ones: only the present is another. */
const simulated = new Proxy(real, {
  construct: (target, args: readonly unknown[]) =>
    Reflect.construct(target, args.length === 0 ? [now()] : args) as Date,
  apply: () => new real(now()).toString(),
  get: (target, name) => (name === 'now' ? now : (Reflect.get(target, name) as unknown)),
});
