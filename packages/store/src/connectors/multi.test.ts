import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import type { Connector, ConnectorConfig } from '../connector.ts';
import { openConnector } from '../open-connector.ts';
import { connectorSuite } from '../testing/index.ts';
import { pattern, same } from '../testing/pattern.ts';
import { multiConnector, type Choice } from './multi.ts';
import { accepts, isOpenAt, type Policy } from './policy.ts';

const root = mkdtempSync(join(tmpdir(), 'multi-connector-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let directories = 0;
const file = (name: string): ConnectorConfig => ({
  kind: 'file',
  name,
  directory: join(root, `${(directories += 1)}`),
});
const memory = (name: string, budget = 2 ** 28): ConnectorConfig => ({ kind: 'memory', name, budget });

function bySize(): Choice[] {
  return [
    { config: file('small'), policy: { maxSize: 1000, priority: 1 } },
    { config: file('large'), policy: {} },
  ];
}

function filesOf(connector: Connector): number {
  const choices = connector.config()['connectors'] as Choice[];
  return choices.map(({ config }) => readdirSync(config['directory'] as string).length).reduce((sum, n) => sum + n, 0);
}

connectorSuite({ describe, it }, 'multiConnector', {
  open: () => multiConnector({ connectors: bySize() }),
  openSmall: () => multiConnector({ connectors: [{ config: memory('a', 20_000) }, { config: memory('b', 70_000) }] }),
  count: (connector) =>
    (connector.config()['connectors'] as Choice[])[0]?.config.kind === 'file' ? filesOf(connector) : 1,
});

const of = (key: string): string | undefined => key.split(':')[1];

describe('a multi connector', () => {
  it('chooses by size, tags and priority, item by item', async () => {
    const connector = await multiConnector({
      connectors: [
        { config: memory('rest'), policy: { priority: -1 } },
        { config: memory('hot'), policy: { supersetTags: ['hot'], priority: 2 } },
        { config: memory('small'), policy: { maxSize: 10, subsetTags: [] } },
      ],
    });
    expect(of(await connector.put(pattern(5)))).toBe('small');
    expect(of(await connector.put(pattern(5), { tags: ['odd'] }))).toBe('rest');
    expect(of(await connector.put(pattern(5), { tags: ['hot', 'odd'] }))).toBe('hot');
    const replies = await connector.putBatch([5, 500, 6].map(pattern));
    expect(replies.map((reply) => reply.ok && of(reply.value))).toEqual(['small', 'rest', 'small']);
  });

  it('goes on to the next when one is full, and refuses when none is left', async () => {
    const connectors = [{ config: memory('a', 1_000) }, { config: memory('b', 10_000) }];
    const connector = await multiConnector({ connectors });
    const keys = [await connector.put(pattern(800)), await connector.put(pattern(800))];
    expect(keys.map(of)).toEqual(['a', 'b']);
    await expect(connector.put(pattern(20_000))).rejects.toMatchObject({ code: 'full' });
    expect(same(await connector.get(keys[1] ?? ''), pattern(800))).toBe(true);
  });

  it('says that no policy takes an object', async () => {
    const connector = await multiConnector({ connectors: [{ config: memory('a'), policy: { maxSize: 10 } }] });
    const failure = { code: 'full', detail: 'no connector takes 11 bytes with the tags [x]' };
    await expect(connector.put(pattern(11), { tags: ['x'] })).rejects.toMatchObject(failure);
    await expect(connector.newKey?.()).rejects.toMatchObject({ code: 'full' });
  });

  it('is rebuilt where some of its connectors are dormant, and passes their configs on', async () => {
    const connectors = [
      { config: file('west'), policy: { zones: ['west'], priority: 1 } },
      { config: file('all'), policy: {} },
    ];
    const west = await multiConnector({ connectors, zone: 'west' });
    const key = await west.put(pattern(10));
    expect(of(key)).toBe('west');
    const elsewhere = await openConnector(west.config());
    await expect(elsewhere.get(key)).rejects.toMatchObject({
      code: 'lost',
      detail: expect.stringContaining('dormant'),
    });
    expect(await elsewhere.getBatch([key])).toMatchObject([{ ok: false, error: { code: 'lost' } }]);
    expect(of(await elsewhere.put(pattern(10)))).toBe('all');
    const back = await multiConnector({ ...(elsewhere.config() as unknown as { connectors: Choice[] }), zone: 'west' });
    expect(same(await back.get(key), pattern(10))).toBe(true);
  });

  it('refuses two connectors of one name', async () => {
    const connectors = [{ config: memory('a') }, { config: memory('a') }];
    await expect(multiConnector({ connectors })).rejects.toMatchObject({ code: 'bad_options' });
  });
});

describe('a policy', () => {
  const at = (policy: Policy): boolean => isOpenAt(policy, { host: 'node-17.example', zone: 'west' });

  it('knows machines by names with stars, and zones by name', () => {
    const hosts = (...names: string[]): boolean => at({ hosts: names });
    expect([hosts('node-17.example'), hosts('x', 'node-*'), hosts('*'), hosts('n*1*e')]).toEqual([
      true,
      true,
      true,
      true,
    ]);
    expect([hosts('node-17'), hosts(), hosts('node-*7.example.org'), hosts('node-17.*.example')]).toEqual([
      false,
      false,
      false,
      false,
    ]);
    expect([at({ zones: ['west'] }), at({ zones: ['east'] }), isOpenAt({ zones: ['west'] }, { host: 'x' })]).toEqual([
      true,
      false,
      false,
    ]);
  });

  it('takes its bounds with both ends', () => {
    const policy = { minSize: 10, maxSize: 20 };
    expect([9, 10, 20, 21].map((size) => accepts(policy, size, []))).toEqual([false, true, true, false]);
    expect(accepts(policy, undefined, [])).toBe(false);
  });
});
