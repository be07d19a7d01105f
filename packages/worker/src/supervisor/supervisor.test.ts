import { seededEntropy, virtualClock } from '@muster/rexi/testing';
import { describe, expect, it } from 'vitest';
import { supervisorChild } from './nested.ts';
import type { ChildSpec, Running, SupervisorEvent } from './spec.ts';
import type { SupervisorOptions } from './supervisor.ts';
import { startSupervisor, Supervisor } from './supervisor.ts';

const boom = new Error('boom');

/** Children that say what happens to them, and do what the test says. */
class Parts {
  readonly clock = virtualClock();
  readonly said: string[] = [];
  readonly events: SupervisorEvent[] = [];
  readonly #crashes: Map<string, (error: Error) => void> = new Map();
  readonly #finishes: Map<string, () => void> = new Map();
  /** Milliseconds that a start takes, by id; negative: it fails after so many; Infinity: it does not answer. */
  readonly starts: Record<string, number> = {};
  /** The same for a stop. */
  readonly stops: Record<string, number> = {};
  deaf = false;

  child(id: string, spec: Partial<ChildSpec> = {}): ChildSpec {
    return { id, start: (signal) => this.#start(id, signal), ...spec };
  }

  children(...ids: string[]): ChildSpec[] {
    return ids.map((id) => this.child(id));
  }

  options(options: SupervisorOptions): SupervisorOptions {
    const seams = { clock: this.clock, entropy: seededEntropy('supervisor') };
    return { on: (event) => void this.events.push(event), ...options, seams };
  }

  /** Started, with all time that its starts need. */
  async up(options: SupervisorOptions): Promise<Supervisor> {
    const supervisor = await this.during(startSupervisor(this.options(options)));
    this.said.length = 0;
    return supervisor;
  }

  async during<T>(promise: Promise<T>, ms = 10_000): Promise<T> {
    promise.catch(() => undefined);
    await this.clock.pass(ms);
    return promise;
  }

  async crash(id: string): Promise<void> {
    this.#crashes.get(id)?.(boom);
    await this.clock.settle();
  }

  async finish(id: string): Promise<void> {
    this.#finishes.get(id)?.();
    await this.clock.settle();
  }

  /** What was said since it was last asked. */
  told(): string {
    return this.said.splice(0).join(', ');
  }

  async #start(id: string, signal: AbortSignal): Promise<Running> {
    this.said.push(`start ${id}`);
    signal.addEventListener('abort', () => this.said.push(`kill ${id}`));
    await this.#wait(this.starts[id] ?? 0, signal);
    const ended = new Promise<void>((resolve, reject) => {
      this.#finishes.set(id, resolve);
      this.#crashes.set(id, reject);
    });
    const stop = async (): Promise<void> => {
      this.said.push(`stop ${id}`);
      await this.#wait(this.stops[id] ?? 0, signal);
      this.said.push(`${id} is gone`);
    };
    return { ended, stop };
  }

  #wait(ms: number, signal: AbortSignal): Promise<void> {
    if (ms === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      if (!this.deaf) signal.addEventListener('abort', () => reject(signal.reason as Error));
      if (Number.isFinite(ms)) this.clock.after(Math.abs(ms), () => (ms < 0 ? reject(boom) : resolve()));
    });
  }
}

describe('A supervisor that starts', () => {
  it('starts one child after the other, in their order', async () => {
    const parts = new Parts();
    Object.assign(parts.starts, { a: 100, b: 50 });
    const starting = startSupervisor(parts.options({ children: parts.children('a', 'b', 'c') }));
    await parts.clock.pass(99);
    expect(parts.told()).toBe('start a');
    await parts.clock.pass(1);
    expect(parts.told()).toBe('start b');
    await parts.clock.pass(50);
    const supervisor = await starting;
    expect(parts.told()).toBe('start c');
    expect(supervisor.count()).toEqual({ specs: 3, active: 3, supervisors: 0, workers: 3, restarts: 0 });
  });

  it('stops those that are up, in reverse order, when one does not start, and says which and why', async () => {
    const parts = new Parts();
    parts.starts['c'] = -10;
    const starting = startSupervisor(parts.options({ children: parts.children('a', 'b', 'c') }));
    await expect(parts.during(starting)).rejects.toMatchObject({ code: 'unavailable', detail: 'c', cause: boom });
    expect(parts.told()).toBe('start a, start b, start c, stop b, b is gone, stop a, a is gone');
  });

  it('gives up a start that does not answer when its time is over', async () => {
    const parts = new Parts();
    parts.starts['b'] = Infinity;
    const children = [parts.child('a'), parts.child('b', { startMs: 1_000 })];
    const starting = startSupervisor(parts.options({ children }));
    starting.catch(() => undefined);
    await parts.clock.pass(999);
    expect(parts.told()).toBe('start a, start b');
    await parts.clock.pass(1);
    expect(parts.told()).toBe('kill b, stop a, a is gone');
    await expect(starting).rejects.toMatchObject({ code: 'unavailable', detail: 'b' });
  });

  it.each([
    [{ children: [{ id: 'a', significant: true }], autoShutdown: 'any-significant' }, 'a'],
    [{ children: [{ id: 'a', significant: true, restart: 'temporary' }] }, 'a'],
    [{ children: [{ id: 'a' }, { id: 'a' }] }, 'children'],
    [{ children: [{ id: 'a', shutdown: -1 }] }, 'a'],
    [{ children: [{ id: 'a', startMs: 0 }] }, 'a'],
    [{ children: [{ id: '' }] }, ''],
    [{ strategy: 'dynamic', children: [{ id: 'a' }] }, 'children'],
    [{ intensity: { maxRestarts: -1, withinMs: 1 } }, 'intensity'],
    [{ backoff: { firstMs: 10, mostMs: 5 } }, 'backoff'],
    [{ backoff: { firstMs: 1, mostMs: 5, jitter: 2 } }, 'backoff'],
    [{ killMs: Number.NaN }, 'killMs'],
  ])('refuses rules that are wrong: %j', async (rules, detail) => {
    await expect(startSupervisor(rules as unknown as SupervisorOptions)).rejects.toMatchObject({
      code: 'bad_options',
      detail,
    });
  });
});

describe('When a child fails', () => {
  it('one-for-one starts it again, and nobody else', async () => {
    const parts = new Parts();
    const supervisor = await parts.up({ children: parts.children('a', 'b', 'c') });
    await parts.crash('b');
    expect(parts.told()).toBe('start b');
    expect(supervisor.which().map(({ restarts }) => restarts)).toEqual([0, 1, 0]);
    expect(parts.events.slice(-2)).toEqual([
      { type: 'exited', id: 'b', run: 2, exit: { how: 'failed', error: boom }, restartIn: 0 },
      { type: 'restarted', id: 'b', run: 4, restarts: 1 },
    ]);
  });

  it('one-for-all stops the others in reverse order, and starts all in order', async () => {
    const parts = new Parts();
    await parts.up({ strategy: 'one-for-all', children: parts.children('a', 'b', 'c') });
    await parts.crash('b');
    expect(parts.told()).toBe('stop c, c is gone, stop a, a is gone, start a, start b, start c');
  });

  it('rest-for-one does so with those after it, and leaves those before it alone', async () => {
    const parts = new Parts();
    await parts.up({ strategy: 'rest-for-one', children: parts.children('a', 'b', 'c', 'd') });
    await parts.crash('b');
    expect(parts.told()).toBe('stop d, d is gone, stop c, c is gone, start b, start c, start d');
  });

  it('while another one is stopping, both start again in order, and it counts once', async () => {
    const parts = new Parts();
    const supervisor = await parts.up({ strategy: 'one-for-all', children: parts.children('a', 'b', 'c') });
    parts.stops['c'] = 100;
    await parts.crash('b');
    expect(parts.told()).toBe('stop c');
    await parts.crash('a');
    expect(parts.told()).toBe('');
    await parts.clock.pass(100);
    expect(parts.told()).toBe('c is gone, start a, start b, start c');
    expect(supervisor.count().restarts).toBe(1);
  });

  it('a group brings back those that had ended for good, and no temporary ones', async () => {
    const parts = new Parts();
    const children = [
      parts.child('a'),
      parts.child('b', { restart: 'transient' }),
      parts.child('c', { restart: 'temporary' }),
    ];
    const supervisor = await parts.up({ strategy: 'one-for-all', children });
    await parts.finish('b');
    expect(parts.told()).toBe('');
    await parts.crash('a');
    expect(parts.told()).toBe('stop c, c is gone, start a, start b');
    expect(supervisor.which().map(({ id }) => id)).toEqual(['a', 'b']);
  });

  it('is left alone if it is temporary, and if it is transient and has ended as it should', async () => {
    const parts = new Parts();
    const children = [parts.child('a', { restart: 'transient' }), parts.child('b', { restart: 'temporary' })];
    const supervisor = await parts.up({ children });
    await parts.crash('b');
    await parts.crash('a');
    expect(parts.told()).toBe('start a');
    await parts.finish('a');
    expect(parts.told()).toBe('');
    expect(supervisor.which()).toMatchObject([{ id: 'a', state: 'down' }]);
  });

  it('more often than allowed, all are stopped in reverse order, and the supervisor ends and says why', async () => {
    const parts = new Parts();
    const supervisor = await parts.up({
      children: parts.children('a', 'b', 'c'),
      intensity: { maxRestarts: 2, withinMs: 1_000 },
    });
    await parts.crash('b');
    await parts.clock.pass(500);
    await parts.crash('a');
    await parts.clock.pass(500);
    parts.told();
    await parts.crash('b');
    expect(parts.told()).toBe('stop c, c is gone, stop a, a is gone');
    expect(await supervisor.ended).toMatchObject({ why: 'gave-up', id: 'b', restarts: 2 });
    expect(parts.events.filter(({ type }) => type === 'gave-up')).toHaveLength(1);
  });

  it('not more often than allowed in any such time, it is started again for ever', async () => {
    const parts = new Parts();
    const supervisor = await parts.up({
      children: parts.children('a'),
      intensity: { maxRestarts: 1, withinMs: 1_000 },
    });
    for (let round = 0; round < 20; round += 1) {
      await parts.clock.pass(1_001);
      await parts.crash('a');
    }
    expect(supervisor.count()).toMatchObject({ active: 1, restarts: 20 });
  });

  it('waits twice as long with each failure, less what is left to chance, and from the start after a long life', async () => {
    const parts = new Parts();
    await parts.up({
      children: parts.children('a'),
      intensity: { maxRestarts: 100, withinMs: 1_000 },
      backoff: { firstMs: 100, mostMs: 400, jitter: 0.5 },
    });
    const waits: number[] = [];
    for (let round = 0; round < 5; round += 1) {
      await parts.crash('a');
      const event = parts.events.findLast(({ type }) => type === 'exited');
      waits.push((event as { restartIn: number }).restartIn);
      await parts.clock.pass(round === 3 ? 800 : 399.9);
    }
    for (const [index, full] of [100, 200, 400, 400, 100].entries()) {
      expect(waits[index]).toBeLessThanOrEqual(full);
      expect(waits[index]).toBeGreaterThanOrEqual(full / 2);
    }
    expect(new Set(waits).size).toBeGreaterThan(3);
  });

  it('and its new start fails, that is one more restart', async () => {
    const parts = new Parts();
    const supervisor = await parts.up({
      children: parts.children('a', 'b'),
      intensity: { maxRestarts: 3, withinMs: 1_000 },
    });
    parts.starts['b'] = -10;
    await parts.crash('b');
    await parts.clock.pass(1_000);
    expect(parts.told()).toBe('start b, start b, start b, stop a, a is gone');
    expect(await supervisor.ended).toMatchObject({ why: 'gave-up', id: 'b', exit: { how: 'start-failed' } });
  });
});

describe('A child that has to end', () => {
  it('is killed when its time is over, and the next one stopped when it is gone', async () => {
    const parts = new Parts();
    const supervisor = await parts.up({ children: [parts.child('a'), parts.child('b', { shutdown: 100 })] });
    parts.stops['b'] = Infinity;
    void supervisor.close();
    await parts.clock.pass(99);
    expect(parts.told()).toBe('stop b');
    await parts.clock.pass(1);
    expect(parts.told()).toBe('kill b, stop a, a is gone');
    expect(parts.events.findLast(({ id }) => id === 'b')).toMatchObject({ exit: { how: 'killed' } });
    expect((await supervisor.ended).why).toBe('closed');
  });

  it('is given up when it heeds nothing, and that is said', async () => {
    const parts = new Parts();
    parts.deaf = true;
    const children = [parts.child('a'), parts.child('b', { shutdown: 100 })];
    const supervisor = await parts.up({ children, killMs: 50 });
    parts.stops['b'] = Infinity;
    const closed = supervisor.close();
    await parts.during(closed, 150);
    expect(parts.told()).toBe('stop b, kill b, stop a, a is gone');
    expect(parts.events.map((event) => (event.type === 'exited' ? event.exit.how : '')).filter(Boolean)).toEqual([
      'abandoned',
      'stopped',
    ]);
  });

  it('has all the time it needs when it may', async () => {
    const parts = new Parts();
    const supervisor = await parts.up({ children: [parts.child('a', { shutdown: 'infinity' })] });
    parts.stops['a'] = 1_000_000;
    const closed = supervisor.close();
    await parts.during(closed, 1_000_000);
    expect(parts.told()).toBe('stop a, a is gone');
  });

  it('is killed at once when that is its way', async () => {
    const parts = new Parts();
    const supervisor = await parts.up({ children: [parts.child('a', { shutdown: 'kill' })] });
    await supervisor.close();
    expect(parts.told()).toBe('kill a, stop a, a is gone');
  });

  it('while it starts, has its signal aborted; and is stopped when it comes up all the same', async () => {
    const parts = new Parts();
    parts.deaf = true;
    parts.starts['b'] = 300;
    const supervisor = new Supervisor(parts.options({ children: parts.children('a', 'b', 'c') }));
    await parts.clock.pass(100);
    expect(parts.told()).toBe('start a, start b');
    void supervisor.close();
    await parts.clock.pass(0);
    expect(parts.told()).toBe('kill b');
    await parts.clock.pass(199);
    expect(parts.told()).toBe('');
    await parts.clock.pass(1);
    expect(parts.told()).toBe('stop b, b is gone, stop a, a is gone');
    await expect(supervisor.up).rejects.toMatchObject({ code: 'closed' });
  });

  it('comes up after it was given up, and is stopped', async () => {
    const parts = new Parts();
    parts.deaf = true;
    parts.starts['a'] = 10_000;
    const children = [parts.child('a', { shutdown: 'kill' })];
    const supervisor = new Supervisor(parts.options({ children, killMs: 100 }));
    await parts.clock.pass(1);
    await parts.during(supervisor.close(), 100);
    expect(parts.told()).toBe('start a, kill a');
    await parts.clock.pass(10_000);
    expect(parts.told()).toBe('stop a, a is gone');
  });

  it('is killed with all others at once when the supervisor is aborted', async () => {
    const parts = new Parts();
    parts.deaf = true;
    const supervisor = await parts.up({ children: parts.children('a', 'b'), killMs: 100 });
    Object.assign(parts.stops, { a: Infinity, b: Infinity });
    const closing = supervisor.close();
    await parts.clock.settle();
    await parts.during(supervisor.abort('it takes too long'), 100);
    expect(parts.told()).toBe('stop b, kill b, kill a, stop a');
    await closing;
  });
});

describe('A significant child', () => {
  const restart = 'temporary' as const;
  const significant = true;

  it('ends its supervisor with its own end, and that is no failure', async () => {
    const parts = new Parts();
    const children = [parts.child('a', { restart, significant }), parts.child('b')];
    const supervisor = await parts.up({ children, autoShutdown: 'any-significant' });
    await parts.crash('a');
    expect(parts.told()).toBe('stop b, b is gone');
    expect(await supervisor.ended).toEqual({ why: 'significant', id: 'a' });
  });

  it('does so as the last of them, where all have to end', async () => {
    const parts = new Parts();
    const children = [
      parts.child('a', { restart, significant }),
      parts.child('b', { restart: 'transient', significant }),
    ];
    const supervisor = await parts.up({ children, autoShutdown: 'all-significant' });
    await parts.finish('a');
    await parts.crash('b');
    expect(parts.told()).toBe('start b');
    await parts.finish('b');
    expect(await supervisor.ended).toEqual({ why: 'significant', id: 'b' });
  });

  it('does not when it was stopped by hand', async () => {
    const parts = new Parts();
    const children = [parts.child('a', { restart, significant }), parts.child('b')];
    const supervisor = await parts.up({ children, autoShutdown: 'any-significant' });
    await parts.during(supervisor.stop('a'));
    expect(supervisor.which()).toMatchObject([{ id: 'b', state: 'running' }]);
  });
});

describe('By hand', () => {
  it('a child is added, stopped, started and removed', async () => {
    const parts = new Parts();
    const supervisor = await parts.up({ children: parts.children('a') });
    await parts.during(supervisor.add(parts.child('b')));
    await expect(supervisor.add(parts.child('b'))).rejects.toMatchObject({ code: 'bad_options', detail: 'b' });
    await expect(supervisor.start('b')).rejects.toMatchObject({ code: 'bad_options' });
    expect(() => supervisor.remove('b')).toThrow('it is running');
    await parts.during(supervisor.stop('b'));
    expect(parts.told()).toBe('start b, stop b, b is gone');
    await parts.during(supervisor.start('b'));
    await parts.during(supervisor.stop('b'));
    supervisor.remove('b');
    expect(supervisor.which().map(({ id }) => id)).toEqual(['a']);
    await expect(supervisor.stop('b')).rejects.toMatchObject({ code: 'bad_options', detail: 'b' });
  });

  it('a child that does not start is not kept, and its error is told', async () => {
    const parts = new Parts();
    const supervisor = await parts.up({ strategy: 'dynamic' });
    parts.starts['a'] = -10;
    await expect(parts.during(supervisor.add(parts.child('a')))).rejects.toMatchObject({ cause: boom });
    expect(supervisor.which()).toEqual([]);
  });

  it('nothing is started when the supervisor ends, and who waits is told', async () => {
    const parts = new Parts();
    const supervisor = await parts.up({ strategy: 'dynamic' });
    parts.starts['a'] = Infinity;
    const adding = supervisor.add(parts.child('a'));
    adding.catch(() => undefined);
    await parts.clock.settle();
    await parts.during(supervisor.close());
    await expect(adding).rejects.toMatchObject({ code: 'closed' });
    await expect(supervisor.add(parts.child('b'))).rejects.toMatchObject({ code: 'closed' });
  });

  it('many children of a kind stop at the same time', async () => {
    const parts = new Parts();
    const supervisor = await parts.up({ strategy: 'dynamic' });
    const ids = Array.from({ length: 1_000 }, (_none, index) => `child ${index}`);
    await parts.during(Promise.all(ids.map((id) => supervisor.add(parts.child(id)))));
    expect(supervisor.count()).toMatchObject({ specs: 1_000, active: 1_000 });
    for (const id of ids) parts.stops[id] = 100;
    await parts.during(supervisor.close(), 100);
    expect(supervisor.count().active).toBe(0);
  });
});

describe('A supervisor below another one', () => {
  const intensity = { maxRestarts: 0, withinMs: 1_000 };

  it('that gives up is started again by its parent, with all its children', async () => {
    const parts = new Parts();
    const inner = parts.options({ children: parts.children('b', 'c'), intensity });
    const supervisor = await parts.up({ children: [parts.child('a'), supervisorChild('lane', inner)] });
    await parts.crash('c');
    expect(parts.told()).toBe('stop b, b is gone, start b, start c');
    expect(supervisor.which()).toMatchObject([
      { id: 'a' },
      { id: 'lane', kind: 'supervisor', restarts: 1, children: [{ id: 'b' }, { id: 'c', state: 'running' }] },
    ]);
    expect(supervisor.count()).toMatchObject({ supervisors: 1, workers: 1, restarts: 1 });
  });

  it('that gives up too often ends the parent, whose end names the first cause', async () => {
    const parts = new Parts();
    const inner = parts.options({ children: parts.children('b'), intensity });
    const supervisor = await parts.up({ children: [parts.child('a'), supervisorChild('lane', inner)], intensity });
    await parts.crash('b');
    expect(parts.told()).toBe('stop a, a is gone');
    expect(await supervisor.ended).toMatchObject({
      why: 'gave-up',
      id: 'lane',
      exit: { how: 'failed', error: { code: 'unavailable', detail: 'b', cause: boom } },
    });
  });

  it('that ends with its significant child is not started again when it is transient', async () => {
    const parts = new Parts();
    const inner = parts.options({
      children: [parts.child('b', { restart: 'transient', significant: true })],
      autoShutdown: 'any-significant',
    });
    const supervisor = await parts.up({ children: [supervisorChild('lane', inner, { restart: 'transient' })] });
    await parts.finish('b');
    expect(supervisor.which()).toMatchObject([{ id: 'lane', state: 'down' }]);
  });

  it('gives its children all their time when the parent closes, and kills them when it is aborted', async () => {
    const parts = new Parts();
    const inner = parts.options({ children: [parts.child('b', { shutdown: 60_000 })] });
    const children = [parts.child('a'), supervisorChild('lane', inner)];
    const closed = await parts.up({ children });
    parts.stops['b'] = 50_000;
    await parts.during(closed.close(), 50_000);
    expect(parts.told()).toBe('stop b, b is gone, stop a, a is gone');
    const aborted = await parts.up({ children });
    await parts.during(aborted.abort('no time'), 5_000);
    expect(parts.told()).toContain('kill b');
  });

  it('that does not start is why its parent does not', async () => {
    const parts = new Parts();
    parts.starts['b'] = -10;
    const inner = parts.options({ children: parts.children('b') });
    const starting = startSupervisor(parts.options({ children: [parts.child('a'), supervisorChild('lane', inner)] }));
    await expect(parts.during(starting)).rejects.toMatchObject({ detail: 'lane', cause: { detail: 'b', cause: boom } });
  });
});

it('What a listener throws keeps no child from its start', async () => {
  const parts = new Parts();
  const uncaught: unknown[] = [];
  const listen = (error: unknown): void => void uncaught.push(error);
  process.on('unhandledRejection', listen);
  const on = (): void => {
    throw boom;
  };
  await parts.during(startSupervisor({ ...parts.options({ children: parts.children('a', 'b') }), on }));
  expect(parts.told()).toBe('start a, start b');
  process.off('unhandledRejection', listen);
  expect(uncaught).toEqual([boom, boom]);
});
