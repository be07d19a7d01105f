import { describe, expect, it } from 'vitest';
import { seededEntropy } from '@muster/rexi/testing';
import { MemoryConnector } from './memory-connector.ts';
import { connectorSuite } from './testing/index.ts';

const open = (budget?: number): MemoryConnector =>
  new MemoryConnector({ entropy: seededEntropy(1), ...(budget === undefined ? {} : { budget }) });

connectorSuite({ describe, it }, 'MemoryConnector', {
  open: () => open(),
  openSmall: () => open(66 * 1024),
  count: (connector) => (connector as MemoryConnector).count,
});

describe('MemoryConnector', () => {
  it('counts what it keeps, refuses by it, and gets it all back', async () => {
    const connector = open(1_000);
    const key = await connector.put(new Uint8Array(700));
    await expect(connector.put(new Uint8Array(200))).rejects.toMatchObject({ code: 'full', store: 'memory' });
    await connector.evict(key);
    await connector.evict(key);
    expect(connector.used).toBe(0);
  });

  it('bounds the number of empty objects as well', async () => {
    const connector = open(1_000);
    const puts = Array.from({ length: 20 }, () => connector.put(new Uint8Array()));
    const results = await Promise.allSettled(puts);
    expect(results.filter(({ status }) => status === 'fulfilled')).toHaveLength(7);
  });

  it('does not know the keys of another instance', async () => {
    const key = await open().put(new Uint8Array([1]));
    const other = new MemoryConnector({ entropy: seededEntropy(2) });
    await other.put(new Uint8Array([2]));
    expect(await other.get(key)).toBeUndefined();
  });
});
