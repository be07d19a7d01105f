import { virtualClock } from '@muster/rexi/testing';
import { describe, expect, it, vi } from 'vitest';
import { newSession } from '../../test/jobs-bench.ts';
import type { Executor, Executors } from '../executor/executor.ts';
import type { Job } from './job.ts';
import { newJob } from './job.ts';
import { Lanes } from './lanes.ts';
import { Placing } from './placing.ts';

interface Bench {
  readonly placing: Placing;
  readonly told: string[];
  /** The job, and its way to its place. */
  start(counter: number): [Job, Promise<void>];
  place(counter: number): Promise<Job>;
}

/** One executor for everybody, and what it was told; or whatever others there are. */
function bench(others?: Executors): Bench {
  const told: string[] = [];
  const tell = (what: string) => (): void => void told.push(what);
  const executor = { run: tell('run'), pause: tell('pause'), resume: tell('resume') } as unknown as Executor;
  const one = { acquire: () => Promise.resolve(executor), release: tell('release') } as unknown as Executors;
  const executors = others ?? one;
  const placing = new Placing({
    clock: virtualClock(),
    executors,
    lanes: new Lanes(),
    listen: () => ({}) as never,
    started: () => undefined,
  });
  const session = newSession(1);
  const start = (counter: number): [Job, Promise<void>] => {
    const entry = { name: 'j', stream: true, isolation: 'shared', lane: 'default' } as const;
    const task = {
      id: counter,
      job: 'j',
      ref: `r-${counter}`,
      args: new Uint8Array(),
      shard: new Uint8Array(),
    };
    const job = newJob({ session, counter, entry, task, priority: 128, since: 0 });
    return [job, placing.place(job)];
  };
  return {
    placing,
    told,
    start,
    async place(counter) {
      const [job, placed] = start(counter);
      await placed;
      return job;
    },
  };
}

describe('an executor that is not read', () => {
  it('is read again when its session has room, once', async () => {
    const { placing, told, place } = bench();
    const job = await place(1);
    placing.pause(job);
    placing.drained(job.session);
    placing.drained(job.session);
    expect(told).toEqual(['run', 'pause', 'resume']);
  });

  it('is read again before it is given back, so that its next job is heard', async () => {
    const { placing, told, place } = bench();
    const job = await place(1);
    placing.pause(job);
    placing.leave(job);
    expect(told).toEqual(['run', 'pause', 'resume', 'release']);
  });

  it('is not left unread while one of its jobs is dying', async () => {
    const { placing, told, place } = bench();
    const [job, other] = [await place(1), await place(2)];
    other.state = 'dying';
    placing.pause(job);
    expect(told).toEqual(['run', 'run']);
  });

  it('has neighbours as long as another of its jobs is meant to live', async () => {
    const { placing, place } = bench();
    const [job, other] = [await place(1), await place(2)];
    expect(placing.hasNeighbours(job)).toBe(true);
    other.state = 'dying';
    expect(placing.hasNeighbours(job)).toBe(false);
  });
});

describe('a job on its way to an executor', () => {
  it('asks for another one when that was killed before the job got there', async () => {
    const told: string[] = [];
    const executor = (name: string): Executor =>
      ({ ending: name === 'dead', run: () => void told.push(name) }) as unknown as Executor;
    const given = [executor('dead'), executor('dead'), executor('fresh')];
    const executors = {
      acquire: () => Promise.resolve(given.shift()),
      release: () => undefined,
    } as unknown as Executors;
    await bench(executors).place(1);
    expect([told, given]).toEqual([['fresh'], []]);
  });

  it('takes its wish back when it is parked, as by its end', async () => {
    const wishes: AbortSignal[] = [];
    const acquire = (
      _isolation: string,
      _incarnation: string,
      { left }: { left: () => AbortSignal },
    ): Promise<Executor> => {
      const signal = left();
      wishes.push(signal);
      return new Promise((_resolve, reject) => {
        signal.addEventListener('abort', () => reject(signal.reason as Error));
      });
    };
    const { placing, start } = bench({ acquire, release: () => undefined } as unknown as Executors);
    const [job, placed] = start(1);
    await vi.waitFor(() => expect(wishes).toHaveLength(1));
    placing.park(job);
    await expect(placed).rejects.toMatchObject({ name: 'AbortError' });
  });
});
