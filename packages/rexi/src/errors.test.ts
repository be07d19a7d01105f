import { describe, expect, it } from 'vitest';
import { CloseCode } from './close-code.ts';
import { ClusterError, codes, JobError, ProtocolError, type ErrorCode } from './errors.ts';

/** What another node, or the same one later, may well do better. Written down once more, because callers act on it. */
const retryable = ['down', 'executor_lost', 'lease_lost', 'maintenance', 'overloaded', 'unavailable', 'unreachable'];

describe('an error of the cluster', () => {
  it.each(Object.keys(codes) as ErrorCode[])('%s knows whether it is worth another try', (code) => {
    expect(new ClusterError(code, 'x').retryable).toBe(retryable.includes(code));
  });

  it('says what it is about, as far as that is known', () => {
    const about = { job: 'count', node: 'w1', shard: 0, ref: '0-1', detail: 'rows' };
    const error = new ClusterError('limit', 'Too much.', about);
    expect(error.message).toBe('Too much. (job count, node w1, shard 0, ref 0-1)');
    expect(error).toMatchObject({ name: 'ClusterError', code: 'limit', ...about });
    expect(new ClusterError('limit', 'Too much.').message).toBe('Too much.');
  });

  it('keeps its cause, and has none where none was given', () => {
    const cause = new Error('underneath');
    expect(new ClusterError('down', 'x', { cause }).cause).toBe(cause);
    expect('cause' in new ClusterError('down', 'x', { job: 'j' })).toBe(false);
  });
});

it('the user’s own error is a job_failed of its own name', () => {
  const error = new JobError('boom', { job: 'count' });
  expect(error).toBeInstanceOf(ClusterError);
  expect(error).toMatchObject({ name: 'JobError', code: 'job_failed', retryable: false });
});

it('a peer’s violation carries the close code', () => {
  const error = new ProtocolError(CloseCode.tooLarge, 'x');
  expect(error).toMatchObject({ name: 'ProtocolError', code: 'protocol_error', closeCode: 4001 });
});

it('close codes are different, and ours are of the private range', () => {
  const all = Object.values(CloseCode);
  expect(new Set(all).size).toBe(all.length);
  for (const code of all) expect(code === 1000 || code === 1001 || (code >= 4000 && code < 5000)).toBe(true);
});
