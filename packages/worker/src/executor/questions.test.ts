import { ClusterError } from '@muster/rexi';
import { StoreError } from '@muster/store';
import { describe, expect, it } from 'vitest';
import { framed } from '../node/objects.ts';
import { Questions } from './questions.ts';
import { packRefusal } from './refusal.ts';

/** The error of a question that the agent refuses for this one. */
async function refusedFor(refused: unknown): Promise<unknown> {
  const questions = new Questions();
  const asked = questions.ask((request) =>
    queueMicrotask(() => questions.answer(request, false, packRefusal(refused))),
  );
  return asked.catch((error: unknown) => error);
}

describe('what the agent refuses', () => {
  it("is the store's own error, said once, with all that it is about", async () => {
    const context = { detail: 'there are 2: and more', store: 'a', key: 'a/1' };
    const error = new StoreError('full', { ...context, cause: new Error('disk') });
    const again = await refusedFor(error);
    expect(again).toBeInstanceOf(StoreError);
    expect(again).toMatchObject({ code: 'full', message: error.message, ...context });
    expect((again as Error).cause).toBe(undefined);
  });

  it("is one of the cluster's errors where it was, with its detail", async () => {
    const limit = await refusedFor(
      new ClusterError('limit', 'An object is too large.', { detail: 'object', node: 'a' }),
    );
    expect(limit).toBeInstanceOf(ClusterError);
    expect(limit).toMatchObject({ code: 'limit', message: 'An object is too large. (node a)', detail: 'object' });
    const timeout = await refusedFor(new ClusterError('timeout', 'Too late.'));
    expect(timeout).not.toBeInstanceOf(StoreError); // whose list has a code of this name as well
  });

  it('is a plain error where it is none of ours', async () => {
    expect(await refusedFor(Object.assign(new Error('no: really'), { code: 'EIO' }))).toEqual(new Error('no: really'));
    expect(await refusedFor('no')).toEqual(new Error('no'));
  });

  it('for an object that no frame can carry names the limit', () => {
    expect(framed(Buffer.of(5, 6), 2)).toEqual(Buffer.of(1, 5, 6));
    expect(() => framed(Buffer.alloc(3), 2)).toThrow(/An object of 3 bytes is larger than the 2 that a job can get/);
  });
});
