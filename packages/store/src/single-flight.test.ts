import { getEventListeners } from 'node:events';
import { describe, expect, it } from 'vitest';
import { virtualClock } from '@muster/rexi/testing';
import { bounded, SingleFlight } from './single-flight.ts';

function setup() {
  const clock = virtualClock();
  const flight = new SingleFlight<string>(clock);
  const started: { signal: AbortSignal; resolve: (value: string) => void; reject: (error: Error) => void }[] = [];
  const start = (signal: AbortSignal): Promise<string> =>
    new Promise((resolve, reject) => started.push({ signal, resolve, reject }));
  const run = (options: { signal?: AbortSignal; timeout?: number } = {}): Promise<string> => {
    const result = flight.run('key', options, { key: 'key' }, start);
    result.catch(() => {});
    return result;
  };
  return { clock, run, started };
}

describe('SingleFlight', () => {
  it('does the work once for callers that overlap, and again for one that comes later', async () => {
    const { run, started } = setup();
    const both = [run(), run()];
    started[0]?.resolve('first');
    expect(await Promise.all(both)).toEqual(['first', 'first']);
    const later = run();
    started[1]?.resolve('second');
    expect(await later).toBe('second');
  });

  it('puts one listener on a signal that many callers share, and leaves none behind', async () => {
    const { run, started } = setup();
    const { signal } = new AbortController();
    const calls = Array.from({ length: 30 }, () => run({ signal }));
    expect(getEventListeners(signal, 'abort')).toHaveLength(1);
    started[0]?.resolve('done');
    await Promise.all(calls);
    expect(getEventListeners(signal, 'abort')).toEqual([]);
  });

  it('fails for everybody who waits, and tries anew for who comes next', async () => {
    const { run, started } = setup();
    const both = [run(), run()];
    started[0]?.reject(new Error('broken'));
    await expect(both[0]).rejects.toThrow('broken');
    await expect(both[1]).rejects.toThrow('broken');
    const next = run();
    started[1]?.resolve('well');
    expect(await next).toBe('well');
  });

  it('does not let a caller who tries again at once join the work that has just failed', async () => {
    const { run, started } = setup();
    const eager = run().catch(() => run());
    const other = run({ timeout: 1_000 });
    started[0]?.reject(new Error('broken'));
    await expect(other).rejects.toThrow('broken');
    started[1]?.resolve('well');
    expect(await eager).toBe('well');
  });

  it('lets one caller leave while the others wait on', async () => {
    const { run, started } = setup();
    const control = new AbortController();
    const [leaves, stays] = [run({ signal: control.signal }), run()];
    control.abort(new Error('enough'));
    await expect(leaves).rejects.toMatchObject({ code: 'cancelled', key: 'key', cause: new Error('enough') });
    expect(started[0]?.signal.aborted).toBe(false);
    started[0]?.resolve('value');
    expect(await stays).toBe('value');
  });

  it('stops the work when the last caller has left, and does not let others join it', async () => {
    const { run, started, clock } = setup();
    const late = run({ timeout: 50 });
    await clock.pass(49);
    expect(started[0]?.signal.aborted).toBe(false);
    await clock.pass(1);
    await expect(late).rejects.toMatchObject({ code: 'timeout', key: 'key' });
    expect(started[0]?.signal.aborted).toBe(true);
    const next = run();
    started[1]?.resolve('fresh');
    expect(await next).toBe('fresh');
  });

  it('leaves no timer and no listener behind', async () => {
    const { run, started, clock } = setup();
    const { signal } = new AbortController();
    const result = run({ timeout: 50, signal });
    started[0]?.resolve('value');
    await result;
    expect(clock.waiting).toBe(0);
  });

  it('starts nothing for a caller who has cancelled before', async () => {
    const { run, started } = setup();
    await expect(run({ signal: AbortSignal.abort() })).rejects.toMatchObject({ code: 'cancelled' });
    expect(started).toHaveLength(0);
  });
});

describe('bounded', () => {
  it('aborts the work when time is up', async () => {
    const clock = virtualClock();
    let signal: AbortSignal | undefined;
    const result = bounded({ timeout: 10 }, { clock, about: {} }, (given) => {
      signal = given;
      return new Promise<void>(() => {});
    });
    result.catch(() => {});
    await clock.pass(10);
    await expect(result).rejects.toMatchObject({ code: 'timeout' });
    expect(signal?.aborted).toBe(true);
  });

  it('turns what is thrown at once into a rejection', async () => {
    const work = (): Promise<void> => {
      throw new Error('at once');
    };
    await expect(bounded({}, { clock: virtualClock(), about: {} }, work)).rejects.toThrow('at once');
  });
});
