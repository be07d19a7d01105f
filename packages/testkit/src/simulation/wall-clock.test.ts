/* oxlint-disable no-restricted-globals -- the wall clock is what is tried */
import { afterEach, describe, expect, it } from 'vitest';
import { EventLoop } from './event-loop.ts';
import { Machine } from './machine.ts';
import { SimProcess } from './sim-process.ts';
import { simulateWallClock } from './wall-clock.ts';

const real = Date;
let end: (() => void) | undefined;
afterEach(() => end?.());

function processOn(machine: Machine, loop = new EventLoop(() => undefined)): SimProcess {
  return new SimProcess(loop, machine, `${machine.name}/p`);
}

describe('The wall clock of a simulation', () => {
  it('is that of the machine whose code runs, and jumps alone', () => {
    end = simulateWallClock();
    const [a, b] = [new Machine('a', 1, 5_000), new Machine('b', 1, 0)];
    const seen: number[] = [];
    const look = (machine: Machine): void => processOn(machine).enter('soon', () => seen.push(Date.now()));
    look(a);
    look(b);
    a.wallAhead -= 60_000;
    look(a);
    look(b);
    expect([(seen[2] ?? 0) - (seen[0] ?? 0), (seen[3] ?? 0) - (seen[1] ?? 0)]).toEqual([-60_000, 0]);
    expect((seen[0] ?? 0) - (seen[1] ?? 0)).toBe(5_000);
  });

  it('gives dates that are dates, and leaves those alone that say which', () => {
    end = simulateWallClock();
    processOn(new Machine('a', 1, 0)).enter('soon', () => {
      expect(new Date().getTime()).toBe(Date.now());
      expect(new Date(7).getTime()).toBe(7);
      expect(new Date()).toBeInstanceOf(real);
      expect(Object.getPrototypeOf(new Date())).toBe(real.prototype);
    });
  });

  it('goes on while another simulation does, and is the real one afterwards', () => {
    const [one, other] = [simulateWallClock(), simulateWallClock()];
    one();
    expect(Date).not.toBe(real);
    other();
    expect(Date).toBe(real);
  });
});
