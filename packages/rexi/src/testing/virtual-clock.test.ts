import { describe, expect, it } from 'vitest';
import { virtualClock } from './virtual-clock.ts';

describe('a virtual clock', () => {
  it('fires by time, and alarms of one moment in the order in which they were set', () => {
    const clock = virtualClock();
    const fired: string[] = [];
    clock.after(20, () => fired.push(`late at ${clock.now()}`));
    clock.after(10, () => fired.push(`first at ${clock.now()}`));
    clock.after(10, () => fired.push(`second at ${clock.now()}`));
    clock.advance(9);
    expect(fired).toEqual([]);
    clock.advance(11);
    expect(fired).toEqual(['first at 10', 'second at 10', 'late at 20']);
  });

  it('fires what a timer sets within the same advance', () => {
    const clock = virtualClock(100);
    const fired: number[] = [];
    const beat = (): void => void clock.after(10, () => (fired.push(clock.now()), beat()));
    beat();
    clock.advance(35);
    expect(fired).toEqual([110, 120, 130]);
    expect(clock.now()).toBe(135);
    expect(clock.waiting).toBe(1);
  });

  it('never fires a cancelled timer, also when it is cancelled by one of the same moment', () => {
    const clock = virtualClock();
    const fired: string[] = [];
    clock.after(5, () => (fired.push('first'), second.cancel()));
    const second = clock.after(5, () => fired.push('second'));
    clock.advance(10);
    expect(fired).toEqual(['first']);
  });

  it('runs soon() before time passes, and what that asks for too', () => {
    const clock = virtualClock();
    const ran: string[] = [];
    clock.after(1, () => ran.push('timer'));
    clock.soon(() => (ran.push('soon'), clock.soon(() => ran.push('soon again'))));
    clock.advance(1);
    expect(ran).toEqual(['soon', 'soon again', 'timer']);
  });

  it('settles chains of promises and soon() without moving time', async () => {
    const clock = virtualClock();
    const hop = (): Promise<void> => new Promise((resolve) => clock.soon(resolve));
    let hops = 0;
    void (async () => {
      for (; hops < 50; hops++) await hop();
    })();
    await clock.settle();
    expect(hops).toBe(50);
    expect(clock.now()).toBe(0);
  });

  it('passes time through promises, timer by timer', async () => {
    const clock = virtualClock();
    const sleep = (ms: number): Promise<void> => new Promise((resolve) => clock.after(ms, resolve));
    const seen: number[] = [];
    void (async () => {
      for (let i = 0; i < 3; i++) {
        await sleep(10);
        seen.push(clock.now());
      }
    })();
    await clock.pass(25);
    expect(seen).toEqual([10, 20]);
    expect(clock.now()).toBe(25);
  });

  it('names a loop that asks for soon() without end instead of hanging', () => {
    const clock = virtualClock();
    const spin = (): void => clock.soon(spin);
    spin();
    expect(() => clock.runSoon()).toThrow('without end');
  });
});
