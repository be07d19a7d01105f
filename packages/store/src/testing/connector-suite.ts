import assert from 'node:assert/strict';
import type { Connector, ConnectorConfig } from '../connector.ts';
import { maxKeyBytes } from '../object-key.ts';
import { openConnector } from '../open-connector.ts';
import { batchChecks } from './batch-checks.ts';
import { agreesWithMap } from './map-check.ts';
import { Owned } from './owned.ts';
import { pattern, same } from './pattern.ts';

/** The test runner, handed in so that the suite depends on none: those of vitest, jest and node:test fit. */
export interface TestTools {
  readonly describe: (name: string, body: () => void) => void;
  readonly it: (name: string, body: () => Promise<void>) => void;
}

type Open = () => Promise<Connector> | Connector;

export interface SuiteOptions {
  /** Opens a connector over a store of its own, empty. The suite closes it. */
  readonly open: Open;
  /** The same with room for 64 KiB and not for 1 MiB; leave it out where the room cannot be bounded. */
  readonly openSmall?: Open | undefined;
  /** Opens a connector from what `config()` gave. Default `openConnector`, which knows the kinds that are registered. */
  readonly reopen?: ((config: ConnectorConfig) => Promise<Connector> | Connector) | undefined;
  /**
   * Objects in the store behind a connector, asked of the store itself: the suite then looks after every test whether the
   * objects alive are the objects owned.
   */
  readonly count?: ((connector: Connector) => Promise<number> | number) | undefined;
  /** Milliseconds within which what was undone must be gone. Default 5 s. */
  readonly patience?: number | undefined;
  /** Seeds of the random sequences. Default 1 to 5. */
  readonly seeds?: readonly number[] | undefined;
}

/** A check of the suite: a sentence, and what must hold for a connector that was opened for it. */
export type Check = (sentence: string, body: (connector: Owned) => Promise<void>) => void;

const KiB = 1024;
const defaultPatience = 5_000;

/**
 * What every connector has to do. A new one proves itself with
 *
 *     connectorSuite({ describe, it }, 'mine', { open: () => new MyConnector() });
 */
export function connectorSuite({ describe, it }: TestTools, name: string, options: SuiteOptions): void {
  const { open, openSmall, reopen = (config) => openConnector(config), seeds = [1, 2, 3, 4, 5] } = options;
  const checkWith =
    (open: Open): Check =>
    (sentence, body) =>
      it(sentence, () => withConnector({ ...options, open }, body));
  describe(`${name} is a connector:`, () => {
    const check = checkWith(open);
    keepsBytes(check);
    makesKeys(check);
    evicts(check);
    batchChecks(check);
    defers(check);
    ends(check);
    isRebuilt(check, reopen);
    for (const seed of seeds) {
      check(`agrees with a plain Map through any sequence of operations (seed ${seed})`, (connector) =>
        agreesWithMap(connector, seed),
      );
    }
    if (openSmall) refuses(checkWith(openSmall), options.patience ?? defaultPatience);
  });
}

function keepsBytes(check: Check): void {
  check('gives back the bytes that were put', async (connector) => {
    const key = await connector.put(pattern(1000));
    assert.ok(same(await connector.get(key), pattern(1000)));
    assert.equal(await connector.exists(key), true);
    assert.deepEqual(await connector.stat(key), { size: 1000 });
  });
  check('keeps an empty object, which is not the same as none', async (connector) => {
    const key = await connector.put(new Uint8Array());
    assert.equal((await connector.get(key))?.length, 0);
    assert.equal(await connector.exists(key), true);
    assert.deepEqual(await connector.stat(key), { size: 0 });
  });
  check('keeps a view and not what lies around it', async (connector) => {
    const key = await connector.put(pattern(1000).subarray(100, 200));
    assert.ok(same(await connector.get(key), pattern(1000).subarray(100, 200)));
  });
  check('keeps a megabyte, and nine', async (connector) => {
    for (const size of [KiB * KiB, Math.min(9 * KiB * KiB, connector.capabilities.largest)]) {
      const key = await connector.put(pattern(size));
      assert.ok(same(await connector.get(key), pattern(size)));
      assert.deepEqual(await connector.stat(key), { size });
    }
  });
  check('keeps many at once apart', async (connector) => {
    const sizes = Array.from({ length: 64 }, (_, index) => index * 7);
    const keys = await Promise.all(sizes.map((size) => connector.put(pattern(size))));
    const found = await Promise.all(keys.map((key) => connector.get(key)));
    assert.deepEqual(
      found.map((bytes, index) => same(bytes, pattern(sizes[index] ?? -1))),
      sizes.map(() => true),
    );
  });
  check('gives bytes that later calls do not change', async (connector) => {
    const key = await connector.put(pattern(2000));
    const found = await connector.get(key);
    const other = await connector.put(new Uint8Array(2000).fill(1));
    await connector.get(other);
    await connector.evict(key);
    await connector.put(new Uint8Array(2000).fill(2));
    assert.ok(same(found, pattern(2000)));
  });
}

function makesKeys(check: Check): void {
  check('makes a new key each time, also for the same bytes', async (connector) => {
    assert.notEqual(await connector.put(pattern(10)), await connector.put(pattern(10)));
  });
  check(`makes keys of at most ${maxKeyBytes} printable ASCII characters`, async (connector) => {
    assert.match(await connector.put(pattern(10)), new RegExp(`^[!-~]{1,${maxKeyBytes}}$`));
  });
  check('has nothing under a key that it did not make', async (connector) => {
    const key = await connector.put(pattern(10));
    for (const other of [
      'nothing-here',
      `${key}x`,
      key.slice(0, -1),
      key.replace(/.$/, '*'),
      '../x',
      '*',
      'constructor',
    ]) {
      assert.equal(await connector.get(other), undefined);
      assert.equal(await connector.exists(other), false);
      assert.equal(await connector.stat(other), undefined);
    }
  });
}

function evicts(check: Check): void {
  check('has nothing under an evicted key; evicting it again is no error', async (connector) => {
    const key = await connector.put(pattern(10));
    await connector.evict(key);
    assert.equal(await connector.get(key), undefined);
    assert.equal(await connector.exists(key), false);
    await connector.evict(key);
  });
  check('evicts one object and no other', async (connector) => {
    const gone = await connector.put(pattern(10));
    const kept = await connector.put(pattern(20));
    await connector.evict(gone);
    for (const key of ['nothing-here', '*', `${kept.slice(0, -2)}*`]) await connector.evict(key);
    assert.ok(same(await connector.get(kept), pattern(20)));
  });
}

function defers(check: Check): void {
  check('keeps an object under a key that was made before, where it says so', async (connector) => {
    const { deferrable } = connector.capabilities;
    assert.equal(connector.defers(), deferrable);
    if (!deferrable) return;
    const [key, other] = [await connector.newKey(), await connector.newKey()];
    assert.notEqual(key, other);
    assert.equal(await connector.get(key), undefined);
    assert.equal(await connector.exists(key), false);
    await connector.set(key, pattern(10));
    assert.ok(same(await connector.get(key), pattern(10)));
    assert.equal(await connector.exists(other), false);
    await assert.rejects(connector.set('nothing-here', pattern(10)), { name: 'StoreError', code: 'bad_key' });
    await connector.evict(key);
    assert.equal(await connector.exists(key), false);
  });
}

function ends(check: Check): void {
  check('does nothing for a call that was cancelled before', async (connector) => {
    const key = await connector.put(pattern(10));
    const signal = AbortSignal.abort(new Error('enough'));
    for (const call of callsOf(connector, key, { signal })) {
      await assert.rejects(call(), { name: 'StoreError', code: 'cancelled' });
    }
    assert.equal(await connector.exists(key), true);
  });
  check('leaves nothing behind when a put is cancelled on its way', async (connector) => {
    const bytes = [pattern(300_000), pattern(300)];
    for (const put of [
      (signal: AbortSignal) => connector.inner.put(bytes[0] ?? pattern(1), { signal }),
      (signal: AbortSignal) => connector.inner.putBatch(bytes, { signal }),
    ]) {
      const controller = new AbortController();
      const putting = put(controller.signal);
      controller.abort();
      await assert.rejects(putting, { name: 'StoreError', code: 'cancelled' });
    }
  });
  check('fails a call whose time is up, with a sentence', async (connector) => {
    // A connector may be faster than any time that can be given: it has to do what it does by then, or to say so.
    const puts = Array.from({ length: 20 }, () => connector.put(pattern(100_000), { timeout: 1 }));
    for (const put of await Promise.allSettled(puts)) {
      if (put.status === 'rejected') assert.equal((put.reason as { code: string }).code, 'timeout');
    }
  });
  check('can be closed twice, and refuses everything afterwards', async (connector) => {
    const key = await connector.put(pattern(10));
    await connector.evict(key);
    await connector.close();
    await connector.close();
    for (const call of callsOf(connector, key, {})) {
      await assert.rejects(call(), { name: 'StoreError', code: 'closed' });
    }
  });
  check('lets what is under way finish when it is closed', async (connector) => {
    const putting = Promise.all(Array.from({ length: 8 }, (_, n) => connector.put(pattern(n * 1000))));
    await connector.close();
    assert.equal(new Set(await putting).size, 8);
    if (connector.capabilities.reach === 'instance') connector.forget();
  });
}

/** One call of each kind. */
function callsOf(connector: Owned, key: string, options: { signal?: AbortSignal }): (() => Promise<unknown>)[] {
  const { inner } = connector;
  return [
    () => inner.put(pattern(10), options),
    () => inner.get(key, options),
    () => inner.exists(key, options),
    () => inner.stat(key, options),
    () => inner.evict(key, options),
    () => inner.putBatch([pattern(10)], options),
    () => inner.getBatch([key], options),
    ...(inner.newKey ? [() => connector.newKey(options), () => connector.set(key, pattern(10), options)] : []),
  ];
}

function isRebuilt(check: Check, reopen: NonNullable<SuiteOptions['reopen']>): void {
  check('is rebuilt from its config as JSON: keys made before resolve, as far as it reaches', async (connector) => {
    const key = await connector.put(pattern(100));
    const config = JSON.parse(JSON.stringify(connector.inner.config())) as ConnectorConfig;
    const other = await reopen(config);
    try {
      assert.deepEqual(other.capabilities, connector.capabilities);
      assert.deepEqual(JSON.parse(JSON.stringify(other.config())), config);
      const found = await other.get(key);
      if (connector.capabilities.reach === 'instance') return assert.equal(found, undefined);
      assert.ok(same(found, pattern(100)));
      await other.evict(key);
      connector.objects.delete(key);
      assert.equal(await connector.exists(key), false);
    } finally {
      await other.close();
    }
  });
  check('closes without an effect on others over the same store', async (connector) => {
    if (connector.capabilities.reach === 'instance') return;
    const other = await reopen(connector.inner.config());
    const [mine, theirs] = [await connector.put(pattern(10)), connector.own(await other.put(pattern(20)), pattern(20))];
    await other.close();
    assert.ok(same(await connector.get(mine), pattern(10)));
    assert.ok(same(await connector.get(theirs), pattern(20)));
  });
}

function refuses(check: Check, patience: number): void {
  check('refuses what does not fit, keeps nothing of it, and loses nothing', async (connector) => {
    const kept = await connector.put(pattern(16 * KiB));
    const [small, large] = await connector.putBatch([pattern(100), pattern(KiB * KiB)]);
    assert.equal(small?.ok, true);
    assert.equal(!large?.ok && large?.error.code, 'full');
    await assert.rejects(connector.put(pattern(KiB * KiB)), { name: 'StoreError', code: 'full' });
    assert.ok(same(await connector.get(kept), pattern(16 * KiB)));
    assert.ok(same(await connector.get(small.value), pattern(100)));
    await connector.evict(kept);
    await connector.evict(small.value);
    const next = await whenRoom(() => connector.put(pattern(60 * KiB)), patience);
    assert.ok(same(await connector.get(next), pattern(60 * KiB)));
  });
}

/** A server may give back the memory of what it has refused a moment later. */
async function whenRoom<T>(put: () => Promise<T>, patience: number): Promise<T> {
  const end = Date.now() + patience;
  for (;;) {
    try {
      return await put();
    } catch (error) {
      if (Date.now() > end) throw error;
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  }
}

async function withConnector(
  { open, count, patience = defaultPatience }: SuiteOptions,
  body: (connector: Owned) => Promise<void>,
): Promise<void> {
  const connector = new Owned(await open());
  try {
    await body(connector);
    if (count) await connector.settles(count, patience);
  } finally {
    await connector.close();
  }
}
