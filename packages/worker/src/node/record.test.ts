import { ValueCodec } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import type { Facts, Log } from '../log/log.ts';
import type { Job } from './job.ts';
import { recordEvent, recordLines } from './record.ts';

const codec = new ValueCodec();
const traceparent = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

class Written implements Log {
  level = 'debug' as const;
  readonly lines: [string, string, Facts | undefined][] = [];
  readonly above: readonly string[];

  constructor(above: readonly string[] = ['error', 'warn', 'info', 'debug']) {
    this.above = above;
  }

  has(level: string): boolean {
    return this.above.includes(level);
  }

  write(level: string, message: string, facts?: Facts): void {
    this.lines.push([level, message, facts]);
  }
}

const job = {
  entry: { name: 'count' },
  task: { ref: 'r-1', trace: { traceparent, correlationId: 'c' } },
} as unknown as Job;

describe('a line that a job has said', () => {
  it('is logged with the job, its reference and its trace', () => {
    const log = new Written();
    recordLines(log, job, [codec.pack({ message: 'counted', fields: { files: 3 } }), codec.pack({ message: 'bare' })]);
    const about = { job: 'count', ref: 'r-1', trace: traceparent, correlationId: 'c' };
    expect(log.lines).toEqual([
      ['info', 'counted', { ...about, tracestate: undefined, fields: { files: 3 } }],
      ['info', 'bare', { ...about, tracestate: undefined, fields: undefined }],
    ]);
  });

  it('is not even read where nobody would see it', () => {
    const log = new Written(['error']);
    const line = new Proxy(codec.pack({ message: 'x' }), { get: () => expect.fail('It was read.') });
    recordLines(log, job, [line]);
    expect(log.lines).toEqual([]);
  });

  it('may be anything, since user code shares the executor: the node goes on', () => {
    const log = new Written();
    const odd = [codec.pack(undefined), codec.pack(7), codec.pack({ message: { toString: 1 } }), Buffer.of(0xff, 1)];
    recordLines(log, job, odd);
    expect(log.lines.map(([, message]) => message)).toEqual(odd.map(() => 'the job has said what is no line'));
  });
});

describe('an event of the history', () => {
  it('is logged in words, with what it is about', () => {
    const log = new Written();
    recordEvent(log, 'exit', { ref: 'r-1', job: 'count', code: 'job_failed', trace: { traceparent } });
    expect(log.lines).toMatchObject([['info', 'a job has failed', { code: 'job_failed', trace: traceparent }]]);
  });

  it('is not where it is told for machines alone', () => {
    const log = new Written();
    recordEvent(log, 'something else', {});
    expect(log.lines).toEqual([]);
  });
});
