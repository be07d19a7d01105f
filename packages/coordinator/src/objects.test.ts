import { ValueCodec } from '@muster/rexi';
import { virtualClock } from '@muster/rexi/testing';
import { formatObjectKey } from '@muster/store';
import { describe, expect, it } from 'vitest';
import { ClusterObjects } from './objects.ts';

const key = formatObjectKey({
  node: 'w1',
  address: 'ws://w1:1',
  incarnation: '0123456789abcdef',
  id: 'A'.repeat(22),
  size: 1,
});

function objects(isClosed: boolean): ClusterObjects {
  return new ClusterObjects({
    clock: virtualClock(),
    codec: () => new ValueCodec(),
    find: () => undefined,
    held: (work) => work(),
    isClosed: () => isClosed,
  });
}

describe('an object', () => {
  it('of a node that is not there is lost', async () => {
    await expect(objects(false).get(key, {})).rejects.toMatchObject({ code: 'lost' });
  });

  it('that is asked for after the cluster handle was closed says so, and not that its node has lost it', async () => {
    const closed = objects(true);
    await expect(closed.get(key, {})).rejects.toMatchObject({ code: 'closed', key });
    await expect(closed.exists(key, {})).rejects.toMatchObject({ code: 'closed' });
    await expect(closed.drop(key, {})).rejects.toMatchObject({ code: 'closed' });
  });
});
