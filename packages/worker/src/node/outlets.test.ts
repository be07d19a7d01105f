import type { Message } from '@muster/rexi';
import { ValueCodec } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import { BadWord } from '../executor/bad-word.ts';
import type { Notice } from '../executor/notice.ts';
import { packLine, sizeOf } from '../executor/notice.ts';
import type { Job } from './job.ts';
import { Outlets } from './outlets.ts';
import type { Session } from './sessions.ts';

const codec = new ValueCodec();
const session = { number: 1 } as Session;
const constants = { inFlight: 10_000, noticeQueue: 30_000 };

/** Outlets before a link that takes messages when it is told to. */
class Rig {
  readonly sent: Message[] = [];
  readonly answers: string[] = [];
  /** Lines that were said, whatever has become of them. */
  readonly logged: string[] = [];
  readonly outlets: Outlets;
  readonly #leaving: (() => void)[] = [];
  #jobs = 0;

  constructor() {
    this.outlets = new Outlets({
      constants,
      said: (_job, lines) =>
        this.logged.push(...lines.map((line) => (codec.unpack(line) as { message: string }).message)),
      tell: (_job, message, left) => {
        this.sent.push(message);
        if (left !== undefined) this.#leaving.push(left);
        return true;
      },
    });
  }

  job(): Job {
    const counter = (this.#jobs += 1);
    const noted = (task: number, taken: boolean): void =>
      void this.answers.push(`${task} ${taken ? 'taken' : 'again'}`);
    return {
      session,
      counter,
      state: 'running',
      notices: 0,
      task: { id: counter },
      executor: { noted },
    } as unknown as Job;
  }

  /** The link takes the message that waits longest, and what that lets out. */
  take(): void {
    this.#leaving.shift()?.();
  }

  get said(): string[] {
    return this.sent.map((message) => `${message.type} ${'counter' in message ? message.counter : ''}`);
  }
}

function progress(bytes: number): Notice {
  return { ping: false, lines: [], value: codec.pack('x'.repeat(bytes)) };
}

function lines(...texts: string[]): Notice {
  return { ping: false, value: new Uint8Array(0), lines: texts.map((text) => packLine(codec, text)) };
}

describe('Rule 17: notices of the jobs of a session', () => {
  it('are sent at once while little waits for the link, and answered when they have left', () => {
    const rig = new Rig();
    const [one, two] = [rig.job(), rig.job()];
    rig.outlets.hear(one, { ...lines('a'), ping: true });
    rig.outlets.hear(two, progress(100));
    expect(rig.said).toEqual(['ping 1', 'log 1', 'progress 2']);
    expect(rig.answers).toEqual([]);
    rig.take();
    expect(rig.answers).toEqual(['1 taken']);
  });

  it('say with their progress that the job is alive', () => {
    const rig = new Rig();
    rig.outlets.hear(rig.job(), { ...progress(1), ping: true });
    expect(rig.said).toEqual(['progress 1']);
  });

  it('wait in turn behind those that have not left, however large one is', () => {
    const rig = new Rig();
    const jobs = [rig.job(), rig.job(), rig.job()];
    for (const [i, job] of jobs.entries()) rig.outlets.hear(job, progress(i === 0 ? 50_000 : 9_000));
    expect(rig.said).toEqual(['progress 1']);
    rig.take();
    expect(rig.said).toEqual(['progress 1', 'progress 2']);
    rig.take();
    rig.take();
    expect(rig.answers).toEqual(['1 taken', '2 taken', '3 taken']);
  });

  it('are let go beyond the queue, and asked for again when the link takes what was before them', () => {
    const rig = new Rig();
    const jobs = Array.from({ length: 6 }, () => rig.job());
    for (const job of jobs) rig.outlets.hear(job, progress(9_000));
    for (let i = 0; i < 10; i += 1) rig.take();
    expect(rig.answers.filter((answer) => answer.endsWith('again'))).toEqual(['5 again', '6 again']);
    rig.outlets.hear(jobs[4] as Job, progress(9_000));
    expect(rig.said.at(-1)).toBe('progress 5');
  });

  it('that are copied do not keep what they were read with', () => {
    const rig = new Rig();
    const chunk = Buffer.alloc(65_536);
    const line = packLine(codec, 'short');
    chunk.set(line);
    rig.outlets.hear(rig.job(), { ...lines(), lines: [chunk.subarray(0, line.length)] });
    const [sent] = rig.sent as { value: Uint8Array }[];
    chunk.fill(0);
    expect(codec.unpack(sent?.value as Uint8Array)).toEqual({ message: 'short' });
  });

  it('never come after the end: what waits goes before it, and what there was no room for is counted', () => {
    const rig = new Rig();
    const [first, job] = [rig.job(), rig.job()];
    rig.outlets.hear(first, progress(20_000));
    rig.outlets.hear(job, lines('a'));
    const large = lines(...Array.from({ length: 40 }, () => 'x'.repeat(900)));
    expect(sizeOf(large)).toBeGreaterThan(constants.noticeQueue);
    rig.outlets.hear(job, large);
    rig.outlets.flush(job);
    expect(rig.said).toEqual(['progress 1', 'log 2', 'log 2']);
    expect(codec.unpack((rig.sent.at(-1) as { value: Uint8Array }).value)).toEqual({
      message: '40 lines dropped',
      fields: { dropped: 40 },
    });
    rig.outlets.forget(job);
    for (let i = 0; i < 5; i += 1) rig.take();
    expect(rig.answers).toEqual(['1 taken']);
  });

  it('are told to the log once each, when they are kept and not when they leave, and how many were not', () => {
    const rig = new Rig();
    const [first, job, last] = [rig.job(), rig.job(), rig.job()];
    rig.outlets.hear(first, progress(20_000));
    rig.outlets.hear(job, lines('kept'));
    expect(rig.logged).toEqual(['kept']);
    const large = lines(...Array.from({ length: 40 }, (_, i) => `${i} ${'x'.repeat(900)}`));
    rig.outlets.hear(last, large);
    expect(rig.logged).toEqual(['kept']);
    for (let i = 0; i < 5; i += 1) rig.take();
    expect(rig.answers).toContain('3 again');
    rig.outlets.hear(last, large);
    expect(rig.logged).toHaveLength(41);
    rig.outlets.hear(job, { ...progress(20_000), lines: [] });
    rig.outlets.hear(job, large);
    rig.outlets.flush(job);
    expect(rig.logged.slice(41)).toEqual(['40 lines dropped']);
  });

  it('of a job that is killed are forgotten, and those behind them go on', () => {
    const rig = new Rig();
    const [one, two, three] = [rig.job(), rig.job(), rig.job()];
    for (const job of [one, two, three]) rig.outlets.hear(job, progress(9_000));
    rig.outlets.forget(two);
    rig.take();
    expect(rig.said).toEqual(['progress 1', 'progress 3']);
  });

  it('of an executor that does not wait for the answers are a breach', () => {
    const rig = new Rig();
    const job = rig.job();
    for (let i = 0; i < 2; i += 1) rig.outlets.hear(job, progress(1));
    expect(() => rig.outlets.hear(job, progress(1))).toThrow(BadWord);
  });
});
