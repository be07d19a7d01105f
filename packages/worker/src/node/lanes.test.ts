import { ClusterError } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import type { Slot } from './lanes.ts';
import { Lanes } from './lanes.ts';

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** Enters, and writes down under `name` when the slot was granted. */
function entering(
  lanes: Lanes,
  log: string[],
): (name: string, priority?: number, signal?: AbortSignal) => { slot?: Slot } {
  return (name, priority = 128, signal = new AbortController().signal) => {
    const held: { slot?: Slot } = {};
    lanes
      .enter('default', priority, () => signal)
      .then(
        (slot) => (log.push(name), (held.slot = slot)),
        (error: unknown) => log.push(`${name}: ${error instanceof ClusterError ? error.code : 'left'}`),
      );
    return held;
  };
}

describe('a lane', () => {
  it('lets so many run at a time, in the order of priority and then of coming', async () => {
    const log: string[] = [];
    const lanes = new Lanes({ default: { concurrency: 1 } });
    const enter = entering(lanes, log);
    const held = [enter('first'), enter('a', 1), enter('b', 200), enter('c', 1), enter('d', 200)];
    for (let turns = 0; turns < 20; turns += 1) {
      await turn();
      for (const { slot } of held) slot?.();
    }
    expect(log).toEqual(['first', 'b', 'd', 'a', 'c']);
    expect(lanes.load).toEqual({ default: { running: 0, waiting: 0 } });
  });

  it('takes back parked jobs ahead of new ones, whatever their priority', async () => {
    const log: string[] = [];
    const lanes = new Lanes({ default: { concurrency: 1 } });
    const enter = entering(lanes, log);
    const first = enter('first');
    await turn();
    enter('new', 255);
    void lanes.reenter('default', () => new AbortController().signal).then(() => log.push('parked'));
    first.slot?.();
    await turn();
    expect(log).toEqual(['first', 'parked']);
  });

  it('refuses one more than may wait with `overloaded`, at once', async () => {
    const log: string[] = [];
    const enter = entering(new Lanes({ default: { concurrency: 1, queue: 2 } }), log);
    for (const name of ['runs', 'waits', 'waits too', 'one more']) enter(name);
    await turn();
    expect(log.sort()).toEqual(['one more: overloaded', 'runs']);
  });

  it('forgets who no longer waits: its place is free', async () => {
    const log: string[] = [];
    const lanes = new Lanes({ default: { concurrency: 1, queue: 1 } });
    const enter = entering(lanes, log);
    const first = enter('first');
    await turn();
    const gone = new AbortController();
    enter('gone', 128, gone.signal);
    gone.abort();
    await turn();
    expect(lanes.load['default']).toEqual({ running: 1, waiting: 0 });
    enter('next');
    first.slot?.();
    await turn();
    expect(log).toEqual(['first', 'gone: left', 'next']);
  });

  it('takes a slot back once, however often it is given', async () => {
    const log: string[] = [];
    const enter = entering(new Lanes({ default: { concurrency: 1 } }), log);
    const first = enter('first');
    enter('second');
    enter('third');
    await turn();
    first.slot?.();
    first.slot?.();
    await turn();
    expect(log).toEqual(['first', 'second']);
  });

  it('knows nothing of other lanes', async () => {
    const lanes = new Lanes({ default: { concurrency: 1 }, quick: { concurrency: 1 } });
    const { signal } = new AbortController();
    await lanes.enter('default', 128, () => signal);
    await lanes.enter('quick', 128, () => signal);
    expect(lanes.load).toEqual({ default: { running: 1, waiting: 0 }, quick: { running: 1, waiting: 0 } });
  });
});
