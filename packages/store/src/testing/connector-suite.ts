import type { Connector } from '../connector.ts';
import { maxKeyBytes } from '../object-key.ts';
import { pattern, same } from './pattern.ts';

/** What the suite asks of an assertion library; those of vitest and jest have it. */
export interface Matchers {
  toBe(expected: unknown): void;
  toEqual(expected: unknown): void;
  toBeUndefined(): void;
  toMatch(form: RegExp): void;
  readonly rejects: { toMatchObject(expected: object): Promise<void> };
}

/** The test runner, handed in so that the suite depends on none: `import { describe, expect, it } from 'vitest'`. */
export interface TestTools {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (name: string, body: () => Promise<void>) => void;
  readonly expect: (actual: unknown) => Matchers;
}

type Open = () => Promise<Connector> | Connector;

export interface SuiteOptions {
  /** Opens a connector over a store of its own, empty. The suite closes it. */
  readonly open: Open;
  /** The same with room for 64 KiB and not for 1 MiB; leave it out where the room cannot be bounded. */
  readonly openSmall?: Open;
}

const KiB = 1024;

/**
 * What every connector has to do. A new one proves itself with
 *
 *     connectorSuite({ describe, it, expect }, 'mine', { open: () => new MyConnector() });
 */
export function connectorSuite(tools: TestTools, name: string, options: SuiteOptions): void {
  tools.describe(`${name} is a connector:`, () => {
    const check = (sentence: string, body: (connector: Connector) => Promise<void>): void =>
      tools.it(sentence, () => withConnector(options.open, body));
    keepsBytes(tools, check);
    makesKeys(tools, check);
    evicts(tools, check);
    ends(tools, check);
    const { openSmall } = options;
    if (openSmall) tools.it('refuses what does not fit, and keeps nothing of it', () => refuses(tools, openSmall));
  });
}

type Check = (sentence: string, body: (connector: Connector) => Promise<void>) => void;

function keepsBytes({ expect }: TestTools, check: Check): void {
  check('gives back the bytes that were put', async (connector) => {
    const key = await connector.put(pattern(1000));
    expect(same(await connector.get(key), pattern(1000))).toBe(true);
    expect(await connector.exists(key)).toBe(true);
  });
  check('keeps an empty object, which is not the same as none', async (connector) => {
    const key = await connector.put(new Uint8Array());
    expect((await connector.get(key))?.length).toBe(0);
    expect(await connector.exists(key)).toBe(true);
  });
  check('keeps a view and not what lies around it', async (connector) => {
    const key = await connector.put(pattern(1000).subarray(100, 200));
    expect(same(await connector.get(key), pattern(1000).subarray(100, 200))).toBe(true);
  });
  check('keeps a megabyte', async (connector) => {
    const key = await connector.put(pattern(KiB * KiB));
    expect(same(await connector.get(key), pattern(KiB * KiB))).toBe(true);
  });
  check('keeps many at once apart', async (connector) => {
    const sizes = Array.from({ length: 64 }, (_, index) => index * 7);
    const keys = await Promise.all(sizes.map((size) => connector.put(pattern(size))));
    const found = await Promise.all(keys.map((key) => connector.get(key)));
    expect(found.map((bytes, index) => same(bytes, pattern(sizes[index] ?? -1)))).toEqual(sizes.map(() => true));
  });
}

function makesKeys({ expect }: TestTools, check: Check): void {
  check('makes a new key each time, also for the same bytes', async (connector) => {
    const keys = [await connector.put(pattern(10)), await connector.put(pattern(10))];
    expect(new Set(keys).size).toBe(2);
  });
  check(`makes keys of at most ${maxKeyBytes} printable ASCII characters`, async (connector) => {
    expect(await connector.put(pattern(10))).toMatch(new RegExp(`^[!-~]{1,${maxKeyBytes}}$`));
  });
  check('has nothing under a key that it did not make', async (connector) => {
    await connector.put(pattern(10));
    expect(await connector.get('nothing-here')).toBeUndefined();
    expect(await connector.exists('nothing-here')).toBe(false);
  });
}

function evicts({ expect }: TestTools, check: Check): void {
  check('has nothing under an evicted key; evicting it again is no error', async (connector) => {
    const key = await connector.put(pattern(10));
    await connector.evict(key);
    expect(await connector.get(key)).toBeUndefined();
    expect(await connector.exists(key)).toBe(false);
    await connector.evict(key);
  });
  check('evicts one object and no other', async (connector) => {
    const gone = await connector.put(pattern(10));
    const kept = await connector.put(pattern(20));
    await connector.evict(gone);
    await connector.evict('nothing-here');
    expect(same(await connector.get(kept), pattern(20))).toBe(true);
  });
}

function ends({ expect }: TestTools, check: Check): void {
  check('does nothing for a call that was cancelled before', async (connector) => {
    const key = await connector.put(pattern(10));
    const signal = AbortSignal.abort(new Error('enough'));
    const cancelled = { name: 'StoreError', code: 'cancelled' };
    await expect(connector.put(pattern(10), { signal })).rejects.toMatchObject(cancelled);
    await expect(connector.get(key, { signal })).rejects.toMatchObject(cancelled);
    await expect(connector.exists(key, { signal })).rejects.toMatchObject(cancelled);
    await expect(connector.evict(key, { signal })).rejects.toMatchObject(cancelled);
    expect(await connector.exists(key)).toBe(true);
  });
  check('can be closed twice, and refuses everything afterwards', async (connector) => {
    const key = await connector.put(pattern(10));
    await connector.close();
    await connector.close();
    const closed = { name: 'StoreError', code: 'closed' };
    await expect(connector.put(pattern(10))).rejects.toMatchObject(closed);
    await expect(connector.get(key)).rejects.toMatchObject(closed);
    await expect(connector.exists(key)).rejects.toMatchObject(closed);
    await expect(connector.evict(key)).rejects.toMatchObject(closed);
  });
}

function refuses({ expect }: TestTools, openSmall: Open): Promise<void> {
  return withConnector(openSmall, async (connector) => {
    const kept = await connector.put(pattern(16 * KiB));
    await expect(connector.put(pattern(KiB * KiB))).rejects.toMatchObject({ name: 'StoreError', code: 'full' });
    expect(same(await connector.get(kept), pattern(16 * KiB))).toBe(true);
    await connector.evict(kept);
    const next = await connector.put(pattern(60 * KiB));
    expect(same(await connector.get(next), pattern(60 * KiB))).toBe(true);
  });
}

async function withConnector(open: Open, body: (connector: Connector) => Promise<void>): Promise<void> {
  const connector = await open();
  try {
    await body(connector);
  } finally {
    await connector.close();
  }
}
