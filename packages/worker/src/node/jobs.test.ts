import { CloseCode } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import { JobsBench, newSession } from '../../test/jobs-bench.ts';
import type { Script } from '../testing/script.ts';

const hang: Script = { steps: [{ do: 'hang' }] };
const scripts = {
  answer: { steps: [{ do: 'end', value: 42 }] },
  slow: {
    steps: [
      { do: 'wait', ms: 1_000 },
      { do: 'end', value: 'late' },
    ],
  },
  throws: { steps: [{ do: 'fail', message: 'boom' }] },
  dies: { steps: [{ do: 'die' }] },
  hang,
  deaf: { ...hang, stops: Infinity },
  deafNeighbour: { ...hang, isolation: 'shared', stops: Infinity },
  neighbour: { ...hang, isolation: 'shared' },
  untaken: { ...hang, takes: Infinity },
  narrow: { ...hang, lane: 'one' },
  quick: { lane: 'one', steps: [{ do: 'end', value: 'quick' }] },
  stream: { stream: true, lane: 'one', steps: [{ do: 'rows', rows: [1, 2, 3] }, { do: 'hang' }] },
} satisfies Record<string, Script>;

const bench = (executors = {}): JobsBench =>
  new JobsBench({ scripts, lanes: { one: { concurrency: 1, queue: 3 } }, executors });

describe('while too much waits for the link', () => {
  it.each(['answer', 'throws'])('no executor of the session is read beyond the first end: %s', async (job) => {
    const b = bench();
    b.waiting = b.constants.inFlightMax;
    await b.cast(job, [1, 2, 3]);
    await b.cast(job, 4);
    expect(b.sent).toHaveLength(1);
    expect(b.executors.executors.map(({ paused }) => paused)).toEqual([true, true, true]);
    b.waiting = 0;
    b.jobs.drained(b.session);
    await b.clock.settle();
    expect(b.sent).toHaveLength(4);
    expect(b.jobs.all).toEqual([]);
  });

  it('other sessions are heard, and so is a job that is killed', async () => {
    const b = bench();
    b.waiting = b.constants.inFlightMax;
    await b.cast('answer', [1, 2]);
    await b.kill(2);
    expect(b.jobs.all).toEqual([]);
    b.waiting = 0;
    await b.cast('answer', 1, {}, newSession(7));
    expect(b.sent).toHaveLength(2);
  });

  it('nothing of a session that has ended stays unread', async () => {
    const b = bench();
    b.waiting = b.constants.inFlightMax;
    await b.cast('answer', [1, 2, 3]);
    b.jobs.endSession(b.session, 'down', 'guardian');
    await b.clock.pass(1_000);
    expect([b.jobs.all, b.gone.length, b.executors.executors]).toEqual([[], 1, []]);
  });
});

describe('a cast', () => {
  it('rule 1: of a function ends in its reply', async () => {
    const b = bench();
    await b.cast('answer', 1);
    expect(b.said(1)).toEqual(['reply 42']);
    expect(b.jobs.all).toEqual([]);
    expect(b.executors.executors).toEqual([]);
    expect(b.released).toEqual([1]);
  });

  it('rule 1: of a job that throws ends in one exit', async () => {
    const b = bench();
    await b.cast('throws', 1);
    expect(b.said(1)).toEqual(['exit job_failed']);
    expect(b.jobs.all).toEqual([]);
  });

  it('rule 1: of a job whose executor dies ends in one exit', async () => {
    const b = bench();
    await b.cast('dies', 1);
    expect(b.said(1)).toEqual(['exit executor_lost it died']);
  });

  it('rule 1: of a name that the node does not have ends in one exit', async () => {
    const b = bench();
    await b.cast('nobody', 1);
    expect(b.said(1)).toEqual(['exit unknown_job']);
  });

  it('rule 2: starts a reference once, however often it arrives', async () => {
    const b = bench();
    await b.cast('answer', [1, 2]);
    await b.cast('answer', [2, 1, 2]);
    await b.cast('answer', [2, 3]);
    expect(b.executors.started.map(({ ref }) => ref)).toEqual([
      'aaaaaaaaaaaaaaaa-1',
      'aaaaaaaaaaaaaaaa-2',
      'aaaaaaaaaaaaaaaa-3',
    ]);
    expect(b.sent).toHaveLength(3);
  });

  it('rule 3: that its kill has overtaken does not run, and is answered', async () => {
    const b = bench();
    expect(await b.kill(2)).toEqual(['killed']);
    expect(b.jobs.tombstones).toBe(1);
    await b.cast('answer', [1, 2, 3]);
    expect(b.executors.started.map(({ ref }) => ref.at(-1))).toEqual(['1', '3']);
    expect(b.said(2)).toEqual(['exit killed coordinator']);
    expect(b.jobs.tombstones).toBe(0);
  });

  it('finds no room in a full lane before anything is made for it', async () => {
    const b = bench();
    await b.cast('narrow', [1, 2, 3, 4]);
    const counters = Array.from({ length: 4_096 }, (_, i) => i + 5);
    const made: unknown[] = [];
    const clock = b.clock as { after: typeof b.clock.after };
    const after = clock.after.bind(b.clock);
    clock.after = (ms, fire) => (made.push(ms), after(ms, fire));
    await b.cast('narrow', counters, { timeLeft: 60_000 });
    expect(made).toEqual([]);
    expect(b.said(4_100)).toEqual(['exit overloaded']);
    expect(b.jobs.all).toHaveLength(4);
  });

  it('finds no room beyond the jobs that a session may have, however they wait', async () => {
    const b = new JobsBench({ scripts, constants: { jobs: 3 } });
    await b.cast('stream', [1, 2, 3, 4]);
    expect([1, 2, 3].map((counter) => b.stateOf(counter))).toEqual(['waiting', 'waiting', 'waiting']);
    expect(b.said(4)).toEqual(['exit overloaded']);
  });

  it('finds no room in a full lane: `overloaded`, at once', async () => {
    const b = bench();
    await b.cast('narrow', [1, 2, 3, 4, 5]);
    expect([1, 2, 3, 4, 5].map((counter) => b.stateOf(counter))).toEqual([
      'running',
      'queued',
      'queued',
      'queued',
      'gone',
    ]);
    expect(b.said(5)).toEqual(['exit overloaded']);
  });

  it('finds room in a lane whose waiting jobs were killed', async () => {
    const b = bench();
    await b.cast('narrow', [1, 2, 3, 4]);
    await b.kill([2, 3, 4]);
    await b.cast('narrow', [5, 6, 7]);
    expect([5, 6, 7].map((counter) => b.stateOf(counter))).toEqual(['queued', 'queued', 'queued']);
  });

  it('that needs one executor too many is `overloaded`', async () => {
    const b = bench({ most: 1 });
    await b.cast('hang', [1, 2]);
    expect(b.stateOf(1)).toBe('running');
    expect(b.said(2)).toEqual(['exit overloaded']);
  });

  it('rule 15: has its deadline as a backstop, with the grace', async () => {
    const b = bench();
    await b.cast('deaf', 1, { timeLeft: 400 });
    await b.clock.pass(399);
    expect(b.said(1)).toEqual([]);
    await b.clock.pass(1);
    expect(b.said(1)).toEqual(['exit deadline']);
    expect(b.stateOf(1)).toBe('dying');
    await b.clock.pass(b.constants.killGrace);
    expect(b.jobs.all).toEqual([]);
    expect(b.said(1)).toHaveLength(1);
  });

  it('that is killed while it waits for an executor leaves its place to the next', async () => {
    const b = bench({ starts: 300, most: 1 });
    await b.cast('answer', 1);
    expect(await b.kill(1)).toEqual(['killed']);
    await b.cast('answer', 2);
    await b.clock.pass(300);
    expect([b.said(1), b.said(2)]).toEqual([[], ['reply 42']]);
  });

  it('rule 15: tells its executor what is left of its time after it has waited', async () => {
    const b = bench({ starts: 300 });
    await b.cast('hang', 1, { timeLeft: 1_000 });
    await b.clock.pass(300);
    expect(b.executors.started.map(({ timeLeft }) => timeLeft)).toEqual([700]);
  });

  it('leaves no timer behind', async () => {
    const b = bench();
    await b.cast('answer', 1, { timeLeft: 60_000 });
    expect(b.clock.waiting).toBe(0);
  });
});

describe('a kill', () => {
  it('rule 1: of its own coordinator ends the job without a word, and is confirmed', async () => {
    const b = bench();
    await b.cast('hang', 1);
    const confirmed = await b.kill(1);
    await b.clock.pass(1);
    expect(confirmed).toEqual(['killed']);
    expect(b.said(1)).toEqual([]);
    expect(b.executors.executors).toEqual([]);
  });

  it('rule 1: of anybody else is an exit that says who', async () => {
    const b = bench();
    await b.cast('hang', 1);
    await b.kill(1, 0, 'guardian');
    expect(b.said(1)).toEqual(['exit killed guardian']);
  });

  it('is confirmed only when the processes are gone', async () => {
    const b = bench({ dies: 100 });
    await b.cast('deaf', 1);
    const confirmed = await b.kill(1, 250);
    await b.clock.pass(349);
    expect(confirmed).toEqual([]);
    await b.clock.pass(1);
    expect(confirmed).toEqual(['killed']);
  });

  it('without grace does not ask', async () => {
    const b = bench({ dies: 100 });
    await b.cast('hang', 1);
    const [executor] = b.executors.executors;
    await b.kill(1, 0);
    expect(executor?.heard.slice(1)).toEqual(['kill kill of aaaaaaaaaaaaaaaa-1']);
  });

  it('hurries one that was given a grace', async () => {
    const b = bench();
    await b.cast('deaf', 1);
    await b.kill(1, 10_000);
    const confirmed = await b.kill(1, 0);
    expect(confirmed).toEqual(['killed']);
  });

  it('asks in a shared executor first, so that neighbours live', async () => {
    const b = bench();
    await b.cast('neighbour', [1, 2]);
    expect(b.executors.executors).toHaveLength(1);
    await b.kill(1, 0);
    await b.clock.pass(1_000);
    expect(b.stateOf(1)).toBe('gone');
    expect(b.stateOf(2)).toBe('running');
    expect(b.sent).toEqual([]);
  });

  it('that is not heeded takes the whole shared executor, and its neighbours are `executor_lost`', async () => {
    const b = bench();
    await b.cast('deafNeighbour', 1);
    await b.cast('neighbour', 2);
    await b.kill(1, 250);
    await b.clock.pass(250);
    expect(b.jobs.all).toEqual([]);
    expect(b.said(1)).toEqual([]);
    expect(b.said(2)).toEqual(['exit executor_lost grace of aaaaaaaaaaaaaaaa-1']);
  });

  it('is heard although its executor is not read, and spares the neighbours', async () => {
    const b = new JobsBench({
      scripts: {
        neighbour: scripts.neighbour,
        rows: { stream: true, steps: [{ do: 'rows', rows: [1, 2] }, { do: 'hang' }] },
      },
    });
    await b.cast('rows', 1);
    await b.cast('neighbour', 2);
    b.waiting = b.constants.inFlightMax;
    await b.start(1);
    expect(b.executors.executors[0]?.paused).toBe(true);
    await b.kill(1);
    await b.clock.pass(1_000);
    expect(b.stateOf(1)).toBe('gone');
    expect(b.stateOf(2)).toBe('running');
  });

  it('rule 3: of an ended or a foreign job is confirmed and does nothing', async () => {
    const b = bench();
    await b.cast('answer', 1);
    await b.cast('hang', 2);
    b.jobs.cast(newSession(9), {
      type: 'cast',
      job: 'hang',
      timeLeft: 0,
      priority: 128,
      args: new Uint8Array(),
      parts: [],
    });
    expect(await b.kill(1)).toEqual(['killed']);
    expect(b.stateOf(2)).toBe('running');
    expect(b.jobs.tombstones).toBe(0);
  });

  it('of more unread casts than can be kept is a violation, and not a crash', () => {
    const b = bench();
    const counters = Array.from({ length: 65_537 }, (_, i) => i + 1);
    expect(() => b.jobs.kill(b.session, { type: 'kill', confirm: 0, grace: 0, counters })).toThrow(
      expect.objectContaining({ closeCode: CloseCode.badState }),
    );
  });

  it('before its job has an executor leaves nobody with one', async () => {
    const b = bench({ starts: 100 });
    await b.cast('hang', 1);
    expect(b.stateOf(1)).toBe('placing');
    expect(await b.kill(1)).toEqual(['killed']);
    await b.clock.pass(100);
    expect(b.executors.started).toEqual([]);
    expect(b.executors.executors).toEqual([]);
    expect(b.lanes.load['default']).toEqual({ running: 0, waiting: 0 });
  });
});

type Arrange = (b: JobsBench) => Promise<void>;

/** Brings job 2 into each state. */
const states: Record<string, Arrange> = {
  async queued(b) {
    await b.cast('narrow', [1, 2]);
  },
  async placing(b) {
    await b.cast('hang', 2, { timeLeft: 60_000 });
  },
  async sent(b) {
    await b.cast('untaken', 2);
  },
  async running(b) {
    await b.cast('hang', 2);
  },
  async waiting(b) {
    await b.cast('stream', 2);
  },
  async resuming(b) {
    await b.cast('stream', 2);
    await b.cast('narrow', 3);
    await b.start(2);
  },
  async streaming(b) {
    await b.cast('stream', 2);
    await b.start(2);
  },
  async parked(b) {
    await b.cast('stream', 2);
    await b.start(2, 1);
  },
  async dying(b) {
    await b.cast('deaf', 2);
    await b.kill(2, 10_000);
  },
};

/** What may happen to it, and how its coordinator hears of that. */
const events: Record<string, { does: Arrange; ends: readonly string[] }> = {
  'a kill': { does: async (b) => void (await b.kill(2)), ends: [] },
  'a kill without grace': { does: async (b) => void (await b.kill(2, 0)), ends: [] },
  'a kill by the guardian': {
    does: async (b) => void (await b.kill(2, 0, 'guardian')),
    ends: ['exit killed guardian'],
  },
  'a cancel': { does: async (b) => b.jobs.cancel(b.session, 2), ends: [] },
  'the end of its lease': {
    does: async (b) => b.jobs.endSession(b.session, 'lease_lost', 'lease'),
    ends: ['exit lease_lost lease'],
  },
  'a fence': { does: async (b) => b.jobs.endSession(b.session, 'fenced', 'fence'), ends: ['exit fenced fence'] },
  'the end of the drain': {
    does: async (b) => (b.jobs.drain(100), await b.clock.pass(100)),
    ends: ['exit maintenance drain'],
  },
};

describe.each(Object.entries(states))('a job that is %s', (state, arrange) => {
  async function arranged(): Promise<JobsBench> {
    const b = bench(state === 'placing' ? { starts: 5_000 } : {});
    await arrange(b);
    expect(b.stateOf(2)).toBe(state);
    return b;
  }

  it.each(Object.entries(events))('is gone after %s, and ends once', async (_name, { does, ends }) => {
    const b = await arranged();
    await does(b);
    await b.clock.pass(11_000);
    expect(b.stateOf(2)).toBe('gone');
    expect(b.ends(2)).toEqual(state === 'dying' ? [] : ends);
    expect(b.executors.running.filter((ref) => ref.endsWith('-2'))).toEqual([]);
    await b.kill([1, 3], 0);
    await b.clock.pass(1_000);
    for (const { running, waiting } of Object.values(b.lanes.load))
      expect({ running, waiting }).toEqual({ running: 0, waiting: 0 });
    expect(b.executors.executors.filter(({ isolation }) => isolation === 'exclusive')).toEqual([]);
  });

  it('hears nothing of a start or an ack that is not for it', async () => {
    const b = await arranged();
    const expected = b.stateOf(2);
    if (state !== 'waiting') await b.start(2);
    b.jobs.ack(b.session, { type: 'ack', counter: 2, rows: 0, bytes: 0 });
    b.jobs.ack(b.session, { type: 'ack', counter: 99, rows: 5, bytes: 5 });
    await b.clock.settle();
    expect(b.stateOf(2)).toBe(expected);
  });

  it('is in the way of no kill that was confirmed', async () => {
    const b = await arranged();
    const confirmed = await b.kill(2, 0);
    await b.clock.pass(1);
    expect(confirmed).toEqual(['killed']);
  });
});

describe('the end of a session', () => {
  it('kills all of its jobs at once, neighbours included, and says when they are gone', async () => {
    const b = bench({ dies: 20 });
    await b.cast('deafNeighbour', [1, 2]);
    await b.cast('deaf', 3);
    await b.cast('answer', 4);
    b.jobs.endSession(b.session, 'fenced', 'fence');
    expect(b.gone).toEqual([]);
    await b.clock.pass(20);
    expect(b.gone).toEqual([{ session: 1, killed: 3 }]);
    expect([1, 2, 3].flatMap((counter) => b.ends(counter))).toEqual(
      Array.from({ length: 3 }, () => 'exit fenced fence'),
    );
    expect(b.executors.retired).toEqual(['aaaaaaaaaaaaaaaa']);
  });

  it('is said once, also where nothing ran', () => {
    const b = bench();
    b.jobs.endSession(b.session, 'down', 'guardian');
    expect(b.gone).toEqual([{ session: 1, killed: 0 }]);
  });

  it('takes its tombstones along', async () => {
    const b = bench();
    await b.kill([7, 8]);
    b.jobs.endSession(b.session, 'down', 'guardian');
    expect(b.jobs.tombstones).toBe(0);
  });

  it('touches no other session', async () => {
    const b = bench();
    const other = { ...newSession(1), incarnation: 'bbbbbbbbbbbbbbbb' };
    await b.cast('hang', 1);
    await b.cast('hang', 1, {}, other);
    b.jobs.endSession(b.session, 'fenced', 'fence');
    await b.clock.pass(1_000);
    expect(b.jobs.all.map(({ session }) => session)).toEqual([other]);
    expect(b.jobs.left('bbbbbbbbbbbbbbbb')).toEqual([1]);
  });

  it('leaves nothing of a job that was refused an executor only after it', async () => {
    const b = bench({ starts: 100 });
    await b.cast('hang', 1);
    b.jobs.endSession(b.session, 'down', 'guardian');
    await b.clock.pass(200);
    expect(b.gone).toEqual([{ session: 1, killed: 1 }]);
    expect(b.jobs.all).toEqual([]);
  });
});

describe('a draining node', () => {
  it('rule 7: answers casts with `maintenance`, and lets what runs go on', async () => {
    const b = bench();
    await b.cast('slow', 1);
    b.jobs.drain(30_000);
    await b.cast('answer', 2);
    expect(b.said(2)).toEqual(['exit maintenance']);
    await b.clock.pass(1_000);
    expect(b.said(1)).toEqual(['reply late']);
  });

  it('rule 7: ends what still runs after its time', async () => {
    const b = bench();
    await b.cast('hang', 1);
    b.jobs.drain(30_000);
    let idle = false;
    void b.jobs.idle().then(() => (idle = true));
    await b.clock.pass(29_999);
    expect([b.said(1), idle]).toEqual([[], false]);
    await b.clock.pass(1);
    expect([b.said(1), idle]).toEqual([['exit maintenance drain'], true]);
  });
});

describe('the failures that a node remembers', () => {
  it('are the last hundred, newest first, with code, who and why', async () => {
    const b = bench();
    await b.cast(
      'throws',
      Array.from({ length: 120 }, (_, i) => i + 1),
    );
    await b.cast('hang', 121);
    await b.kill(121, 0, 'guardian');
    const { list } = b.jobs.failures;
    expect(list).toHaveLength(100);
    expect(list[0]).toEqual({
      ref: 'aaaaaaaaaaaaaaaa-79',
      job: 'hang',
      code: 'killed',
      detail: 'guardian',
      message: 'Killed by its guardian.',
      at: 1_000,
    });
    expect(list[1]).toMatchObject({ ref: 'aaaaaaaaaaaaaaaa-78', job: 'throws', code: 'job_failed', message: 'boom' });
    expect(list.at(-1)?.ref).toBe('aaaaaaaaaaaaaaaa-16');
  });
});
