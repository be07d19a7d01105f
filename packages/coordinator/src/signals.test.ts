import { getEventListeners } from 'node:events';
import { describe, expect, it, onTestFinished } from 'vitest';
import { up } from '../test/up.ts';

const listeners = (signal: AbortSignal): number => getEventListeners(signal, 'abort').length;

/** What the process warns of while the test runs. */
function warnings(): string[] {
  const heard: string[] = [];
  const hear = ({ name }: Error): void => void heard.push(name);
  process.on('warning', hear);
  onTestFinished(() => void process.off('warning', hear));
  return heard;
}
const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a signal that many requests share', () => {
  it('has one listener while they run, and none when they have ended', async () => {
    const heard = warnings();
    const { world, cluster } = await up(['w1', 'w2']);
    const { signal } = new AbortController();
    const calls = Array.from({ length: 30 }, () => cluster.call('slow', 500, { signal }));
    const streams = Array.from({ length: 30 }, () => cluster.stream('endless', undefined, { signal }));
    await world.clock.pass(100);
    expect(listeners(signal)).toBe(1);
    for (const stream of streams) await stream.return();
    expect(listeners(signal)).toBe(1);
    await world.run(Promise.all(calls));
    expect(listeners(signal)).toBe(0);
    await turn();
    expect(heard).toEqual([]);
  });

  it('ends all of them, each once, and is left alone then', async () => {
    const { world, cluster } = await up(['w1', 'w2']);
    const stop = new AbortController();
    const calls = Array.from({ length: 30 }, () => world.failure(cluster.call('hang', 1, { signal: stop.signal })));
    await world.clock.pass(100);
    stop.abort();
    expect(new Set(await Promise.all(calls))).toEqual(new Set(['cancelled']));
    expect(listeners(stop.signal)).toBe(0);
    await world.clock.pass(1_000);
    expect(world.jobs).toEqual([]);
  });
});
