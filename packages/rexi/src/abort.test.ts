import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { onAbort } from './abort.ts';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

describe('who waits for a signal', () => {
  it('hears of its abort once, in the order of asking', () => {
    const stop = new AbortController();
    const heard: number[] = [];
    for (let i = 0; i < 20; i += 1) onAbort(stop.signal, () => heard.push(i));
    expect(listeners(stop.signal)).toBe(1);
    stop.abort();
    expect(heard).toEqual(Array.from({ length: 20 }, (_, i) => i));
    expect(listeners(stop.signal)).toBe(0);
  });

  it('hears nothing any more after leaving, and the last one takes the listener along', () => {
    const stop = new AbortController();
    const heard: string[] = [];
    const leave = ['a', 'b'].map((name) => onAbort(stop.signal, () => heard.push(name)));
    leave[0]?.();
    leave[0]?.();
    expect(listeners(stop.signal)).toBe(1);
    leave[1]?.();
    expect(listeners(stop.signal)).toBe(0);
    onAbort(stop.signal, () => heard.push('c'));
    expect(listeners(stop.signal)).toBe(1);
    stop.abort();
    expect(heard).toEqual(['c']);
  });

  it('may leave while others hear, and may be the same function twice', () => {
    const stop = new AbortController();
    const heard: string[] = [];
    const twice = (): void => void heard.push('twice');
    const leave = [onAbort(stop.signal, twice), onAbort(stop.signal, twice)];
    leave[0]?.();
    const late = onAbort(stop.signal, () => heard.push('late'));
    onAbort(stop.signal, () => late());
    stop.abort();
    expect(heard).toEqual(['twice', 'late']);
    expect(() => leave[1]?.()).not.toThrow();
  });
});
