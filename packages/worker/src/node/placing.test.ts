import { virtualClock } from '@muster/rexi/testing';
import { describe, expect, it } from 'vitest';
import { newSession } from '../../test/jobs-bench.ts';
import type { Executor, Executors } from '../executor/executor.ts';
import type { Job } from './job.ts';
import { newJob } from './job.ts';
import { Lanes } from './lanes.ts';
import { Placing } from './placing.ts';

/** One executor for everybody, and what it was told. */
function bench(): { placing: Placing; told: string[]; place(counter: number): Promise<Job> } {
  const told: string[] = [];
  const tell = (what: string) => (): void => void told.push(what);
  const executor = { run: tell('run'), pause: tell('pause'), resume: tell('resume') } as unknown as Executor;
  const executors = { acquire: () => Promise.resolve(executor), release: tell('release') } as unknown as Executors;
  const placing = new Placing({
    clock: virtualClock(),
    executors,
    lanes: new Lanes(),
    listen: () => ({}) as never,
    started: () => undefined,
  });
  const session = newSession(1);
  return {
    placing,
    told,
    async place(counter) {
      const entry = { name: 'j', stream: true, isolation: 'shared', lane: 'default' } as const;
      const task = {
        id: counter,
        job: 'j',
        ref: `r-${counter}`,
        args: new Uint8Array(),
        shard: new Uint8Array(),
        byKey: false,
      };
      const job = newJob({ session, counter, entry, task, priority: 128, since: 0 });
      await placing.place(job);
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
