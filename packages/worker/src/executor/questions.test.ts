import { StoreError } from '@muster/store';
import { describe, expect, it } from 'vitest';
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

  it('is a plain error where it is not about the store', async () => {
    expect(await refusedWith('job_failed: no: really')).toMatchObject({
      name: 'Error',
      message: 'job_failed: no: really',
    });
  });
});
