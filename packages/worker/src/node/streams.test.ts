import { CloseCode } from '@muster/rexi';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { JobsBench } from '../../test/jobs-bench.ts';
import type { Script } from '../testing/script.ts';

const rows = (count: number): number[] => Array.from({ length: count }, (_, i) => i);

function bench(script: Partial<Script> = {}, concurrency = 64): JobsBench {
  const scripts: Record<string, Script> = {
    stream: { stream: true, steps: [{ do: 'rows', rows: rows(7) }], ...script },
    empty: { stream: true, steps: [] },
    hang: { steps: [{ do: 'hang' }] },
    flood: { stream: true, isolation: 'exclusive', steps: [{ do: 'flood', rows: rows(7) }] },
  };
  return new JobsBench({ scripts, lanes: { default: { concurrency } } });
}

describe('a stream', () => {
  it('says that it is ready, and computes no row before its start', async () => {
    const b = bench();
    await b.cast('stream', 1);
    await b.clock.pass(1_000);
    expect(b.said(1)).toEqual(['stream-init']);
    await b.start(1);
    expect(b.said(1)).toEqual(['stream-init', ...rows(7).map((row) => `rows ${row}`), 'last after 7']);
    expect(b.jobs.all).toEqual([]);
  });

  it('without rows does the same', async () => {
    const b = bench();
    await b.cast('empty', 1);
    await b.start(1);
    expect(b.said(1)).toEqual(['stream-init', 'last after 0']);
  });

  it('that is cancelled ends without a word', async () => {
    const b = bench();
    await b.cast('stream', 1);
    b.jobs.cancel(b.session, 1);
    await b.clock.pass(1_000);
    expect(b.said(1)).toEqual(['stream-init']);
    expect(b.jobs.all).toEqual([]);
    expect(b.jobs.failures.list).toEqual([]);
  });

  it('rule 4: sends a window and not a row more, and goes on with each ack', async () => {
    const b = bench();
    await b.cast('stream', 1);
    await b.start(1, 5);
    expect(b.said(1).slice(1)).toEqual(['rows 0', 'rows 1', 'rows 2', 'rows 3', 'rows 4']);
    expect(b.stateOf(1)).toBe('parked');
    await b.ack(1, 1);
    expect(b.said(1).slice(6)).toEqual(['rows 5']);
    await b.ack(1, 2);
    expect(b.said(1).slice(7)).toEqual(['rows 6', 'last after 7']);
  });

  it('rule 4: sends one row that is larger than the window has bytes', async () => {
    const b = bench({ steps: [{ do: 'rows', rows: ['x'.repeat(5_000), 'y'.repeat(5_000)] }] });
    await b.cast('stream', 1);
    await b.start(1, 10, 1_000);
    expect(b.said(1)).toHaveLength(2);
    await b.ack(1, 1);
    expect(b.said(1)).toHaveLength(4);
  });

  it.each([
    ['more rows than were sent', 6, 0],
    ['more bytes than were sent', 5, 1_000_000],
    ['fewer rows than before', 0, 4],
  ])('rule 4: takes an ack of %s for a violation', async (_name, ackRows, bytes) => {
    const b = bench();
    await b.cast('stream', 1);
    await b.start(1, 5);
    if (ackRows === 0) await b.ack(1, 1);
    expect(() => b.jobs.ack(b.session, { type: 'ack', counter: 1, rows: ackRows, bytes })).toThrow(
      expect.objectContaining({ closeCode: CloseCode.badState }),
    );
  });

  it('takes a window without a row for a violation', async () => {
    const b = bench();
    await b.cast('stream', 1);
    await expect(b.start(1, 0)).rejects.toMatchObject({ closeCode: CloseCode.badState });
  });

  it('rule 4: whose executor sends more than its window ends in `limit`, and the executor with it', async () => {
    const b = bench();
    await b.cast('flood', 1);
    await b.start(1, 5);
    await b.clock.pass(1_000);
    expect(b.said(1)).toEqual(['stream-init', ...rows(5).map((row) => `rows ${row}`), 'exit limit window']);
    expect(b.executors.executors).toEqual([]);
    expect(b.jobs.all).toEqual([]);
  });

  it('stays in the table until an executor that broke its window is gone', async () => {
    const scripts: Record<string, Script> = {
      flood: { stream: true, steps: [{ do: 'flood', rows: rows(3) }, { do: 'hang' }], stops: Infinity },
    };
    const b = new JobsBench({ scripts, executors: { dies: 100 } });
    await b.cast('flood', 1);
    await b.start(1, 1);
    const confirmed = await b.kill(1);
    await b.clock.pass(99);
    expect(confirmed).toEqual([]);
    await b.clock.pass(1);
    expect(confirmed).toEqual(['killed']);
  });

  it('rule 6: that nobody starts ends in `timeout` after its start wait', async () => {
    const b = bench();
    await b.cast('stream', 1);
    await b.clock.pass(b.constants.startWait - 1);
    expect(b.said(1)).toEqual(['stream-init']);
    await b.clock.pass(1);
    expect(b.said(1)).toEqual(['stream-init', 'exit timeout start']);
    expect(b.jobs.failures.list[0]).toMatchObject({ code: 'timeout', detail: 'start' });
    await b.clock.pass(1_000);
    expect(b.jobs.all).toEqual([]);
  });

  it('rule 6: that hears no ack ends in `timeout`, sixty seconds after the last', async () => {
    const b = bench();
    await b.cast('stream', 1);
    await b.start(1, 5);
    await b.clock.pass(40_000);
    await b.ack(1, 1);
    await b.clock.pass(b.constants.ackWait - 1);
    expect(b.ends(1)).toEqual([]);
    await b.clock.pass(1);
    expect(b.ends(1)).toEqual(['exit timeout ack']);
  });

  it('rule 6: lives on under acks that are repeated unchanged', async () => {
    const b = bench();
    await b.cast('stream', 1);
    await b.start(1, 5);
    for (let minute = 0; minute < 30; minute += 1) {
      await b.clock.pass(b.constants.stillWanted);
      await b.ack(1, 0);
    }
    expect(b.stateOf(1)).toBe('parked');
    expect(b.ends(1)).toEqual([]);
  });

  it('that is parked does not go on for an ack that says nothing new', async () => {
    const b = bench();
    await b.cast('stream', 1);
    await b.start(1, 2);
    await b.ack(1, 0);
    expect(b.stateOf(1)).toBe('parked');
    expect(b.executors.executors[0]?.heard).not.toContain('credit 1 0');
  });

  it('rule 5: is not read further while its link is full, and goes on when that has room', async () => {
    const b = bench({
      steps: [
        { do: 'rows', rows: rows(3) },
        { do: 'wait', ms: 10 },
        { do: 'rows', rows: [3] },
      ],
    });
    await b.cast('stream', 1);
    b.waiting = b.constants.inFlightMax;
    await b.start(1);
    await b.clock.pass(10);
    expect(b.said(1)).toEqual(['stream-init', 'rows 0']);
    b.waiting = 0;
    b.jobs.drained(b.session);
    expect(b.said(1)).toEqual(['stream-init', ...rows(4).map((row) => `rows ${row}`), 'last after 4']);
  });

  it('rule 5: does not keep an executor from being read that its next job has', async () => {
    const b = bench({ steps: [{ do: 'rows', rows: rows(2) }] });
    await b.cast('stream', [1, 2]);
    const [executor] = b.executors.executors;
    b.waiting = b.constants.inFlightMax;
    await b.start(1);
    expect(executor?.paused).toBe(true);
    b.jobs.cancel(b.session, 2);
    await b.clock.pass(1);
    b.waiting = 0;
    expect(executor?.paused).toBe(false);
    expect(b.ends(1)).toEqual(['last after 2']);
  });
});

describe('what no message can carry', () => {
  const tooLarge = (b: JobsBench): void => {
    b.largest = 100;
  };

  it('ends its job in `limit`, and not the node', async () => {
    const scripts: Record<string, Script> = {
      reply: { steps: [{ do: 'end', value: 'x'.repeat(200) }] },
      rows: { stream: true, steps: [{ do: 'rows', rows: [1, 'x'.repeat(200), 3] }] },
      progress: { steps: [{ do: 'progress', value: 'x'.repeat(200) }, { do: 'hang' }] },
    };
    const b = new JobsBench({ scripts });
    tooLarge(b);
    await b.cast('reply', 1);
    await b.cast('rows', 2);
    await b.start(2);
    await b.cast('progress', 3);
    await b.clock.pass(1_000);
    expect(b.said(1)).toEqual(['exit limit message']);
    expect(b.said(2)).toEqual(['stream-init', 'rows 1', 'exit limit message']);
    expect(b.said(3)).toEqual(['exit limit message']);
    expect(b.jobs.all).toEqual([]);
  });

  it('is left out where it is the error of an exit', async () => {
    const b = new JobsBench({ scripts: { throws: { steps: [{ do: 'fail', message: 'x'.repeat(200) }] } } });
    tooLarge(b);
    await b.cast('throws', 1);
    expect(b.said(1)).toEqual(['exit job_failed']);
  });
});

describe('parked is not running', () => {
  it('lets more parts than slots become ready, and all of them end', async () => {
    const b = bench({}, 2);
    const parts = Array.from({ length: 20 }, (_, i) => i + 1);
    await b.cast('stream', parts);
    expect(parts.map((part) => b.stateOf(part))).toEqual(parts.map(() => 'waiting'));
    expect(b.lanes.load['default']).toEqual({ running: 0, waiting: 0 });
    for (const part of parts) await b.start(part, 2);
    for (let acked = 1; acked <= 7; acked += 1)
      for (const part of parts) if (b.stateOf(part) === 'parked') await b.ack(part, acked);
    for (const part of parts) expect(b.ends(part)).toEqual(['last after 7']);
  });

  it('goes on ahead of casts that are new', async () => {
    const b = bench({}, 1);
    await b.cast('stream', 1);
    await b.start(1, 1);
    await b.cast('hang', [2, 3]);
    await b.ack(1, 1);
    expect([1, 2, 3].map((counter) => b.stateOf(counter))).toEqual(['resuming', 'running', 'queued']);
    await b.kill(2, 0);
    await b.clock.pass(1);
    expect(b.said(1)).toEqual(['stream-init', 'rows 0', 'rows 1']);
  });

  it('gets the newest credit when its turn comes', async () => {
    const b = bench({}, 1);
    await b.cast('stream', 1);
    await b.start(1, 2);
    await b.cast('hang', 2);
    await b.ack(1, 1);
    await b.ack(1, 2);
    await b.kill(2, 0);
    await b.clock.pass(1);
    expect(b.executors.executors[0]?.heard.filter((line) => line.startsWith('credit'))).toEqual(['credit 1 2']);
    expect(b.said(1)).toEqual(['stream-init', 'rows 0', 'rows 1', 'rows 2', 'rows 3']);
  });
});

describe('a stream under any window and any acks', () => {
  it('rule 4: never has more unacked than the window, and rule 5: sends every row once and in order', async () => {
    const plan = fc.record({
      total: fc.integer({ min: 0, max: 30 }),
      batch: fc.integer({ min: 1, max: 4 }),
      window: fc.integer({ min: 4, max: 9 }),
      acks: fc.array(fc.nat(5), { maxLength: 40 }),
    });
    await fc.assert(
      fc.asyncProperty(plan, async ({ total, batch, window, acks }) => {
        const b = bench({ steps: [{ do: 'rows', rows: rows(total), batch }] });
        await b.cast('stream', 1);
        await b.start(1, window);
        let acked = 0;
        const sent = (): number => b.sent.reduce((sum, one) => sum + (one.type === 'rows' ? one.count : 0), 0);
        for (const step of [...acks, ...Array.from({ length: total }, () => 5)]) {
          expect(sent() - acked).toBeLessThanOrEqual(window);
          if (b.stateOf(1) === 'gone') break;
          // Acks come at the ends of batches: the bytes of half a batch are nobody's.
          acked = Math.min(sent(), Math.ceil((acked + step) / batch) * batch);
          await b.ack(1, acked);
        }
        expect(
          b.said(1).flatMap((line) => (line.startsWith('rows ') ? line.slice(5).split(',').map(Number) : [])),
        ).toEqual(rows(total));
        expect(b.ends(1)).toEqual([`last after ${total}`]);
      }),
      { numRuns: 60 },
    );
  });
});
