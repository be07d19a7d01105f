import { ClusterError } from '@muster/rexi';
import { StoreError } from '@muster/store';
import { describe, expect, it } from 'vitest';
import { framed } from '../node/objects.ts';
import { Questions } from './questions.ts';

/** The error of a question that the agent refuses in these words. */
async function refusedWith(words: string): Promise<unknown> {
  const questions = new Questions();
  const asked = questions.ask((request) => queueMicrotask(() => questions.answer(request, false, Buffer.from(words))));
  return asked.catch((error: unknown) => error);
}

describe('what the agent refuses', () => {
  it("is the store's own error, said once", async () => {
    const error = new StoreError('full', { detail: 'there are 2: and more', store: 'a' });
    const again = await refusedWith(`full: ${error.message}`);
    expect(again).toBeInstanceOf(StoreError);
    expect(again).toMatchObject({ code: 'full', message: error.message });
  });

  it('is a whole sentence also where the agent only says what it found', async () => {
    expect(await refusedWith('closed: the job has ended')).toMatchObject({
      code: 'closed',
      message: new StoreError('closed', { detail: 'the job has ended' }).message,
    });
  });

  it("is one of the cluster's errors where its code is", async () => {
    const limit = await refusedWith('limit: An object is too large.');
    expect(limit).toBeInstanceOf(ClusterError);
    expect(limit).toMatchObject({ code: 'limit', message: 'An object is too large.' });
  });

  it('is a plain error where no code of ours leads it', async () => {
    expect(await refusedWith('EIO: no: really')).toEqual(new Error('EIO: no: really'));
  });

  it('for an object that no frame can carry names the limit', () => {
    expect(framed(Buffer.of(5, 6), 2)).toEqual(Buffer.of(1, 5, 6));
    expect(() => framed(Buffer.alloc(3), 2)).toThrow(/An object of 3 bytes is larger than the 2 that a job can get/);
  });
});
