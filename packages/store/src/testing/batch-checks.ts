import assert from 'node:assert/strict';
import type { Reply } from '../connector.ts';
import type { Check } from './connector-suite.ts';
import { pattern, same } from './pattern.ts';

/** What a batch of a connector has to do. */
export function batchChecks(check: Check): void {
  check('keeps a batch in order, with a reply for each', async (connector) => {
    const objects = [10, 0, 70_000, 20].map(pattern);
    const keys = (await connector.putBatch(objects)).map(valueOf);
    assert.equal(new Set(keys).size, 4);
    const found = (await connector.getBatch(keys)).map(valueOf);
    assert.deepEqual(
      found.map((bytes, at) => same(bytes, objects[at] ?? pattern(1))),
      [true, true, true, true],
    );
  });
  check('has nothing in the place of what is not there', async (connector) => {
    const keys = (await connector.putBatch([10, 20, 30].map(pattern))).map(valueOf);
    await connector.evict(keys[1] ?? '');
    const found = (await connector.getBatch([...keys, 'nothing-here', keys[0] ?? ''])).map(valueOf);
    assert.deepEqual(
      found.map((bytes) => bytes?.length),
      [10, undefined, 30, undefined, 10],
    );
  });
  check('takes an empty batch', async (connector) => {
    assert.deepEqual(await connector.putBatch([]), []);
    assert.deepEqual(await connector.getBatch([]), []);
  });
  check('takes a batch of a thousand', async (connector) => {
    const objects = Array.from({ length: 1000 }, (_, n) => pattern(n % 90));
    const keys = (await connector.putBatch(objects)).map(valueOf);
    const found = (await connector.getBatch(keys)).map(valueOf);
    assert.ok(found.every((bytes, at) => same(bytes, objects[at] ?? pattern(1))));
  });
}

/** @throws what the reply says went wrong. */
export function valueOf<T>(reply: Reply<T>): T {
  if (reply.ok) return reply.value;
  throw reply.error;
}
