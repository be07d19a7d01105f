import { describe, expect, it } from 'vitest';
import { seededEntropy } from '@muster/rexi/testing';
import type { CallOptions, PutOptions, Reply } from '../connector.ts';
import { MemoryConnector } from '../memory-connector.ts';
import { connectorSuite } from './connector-suite.ts';

/** Sentences of the suite that do not hold for a connector. */
async function failures(open: () => MemoryConnector, openSmall?: () => MemoryConnector): Promise<string[]> {
  const tests: [string, () => Promise<void>][] = [];
  const tools = {
    describe: (_: string, body: () => void) => body(),
    it: (name: string, body: () => Promise<void>) => void tests.push([name, body]),
  };
  const count = (connector: unknown): number => (connector as MemoryConnector).count;
  connectorSuite(tools, 'it', { open, openSmall, count, seeds: [1], patience: 50 });
  const failed: string[] = [];
  for (const [name, body] of tests) await body().catch(() => failed.push(name));
  return failed;
}

const options = { entropy: seededEntropy(1) };

class Leaks extends MemoryConnector {
  override async putBatch(objects: readonly Uint8Array[], options?: PutOptions): Promise<Reply<string>[]> {
    const replies = await super.putBatch(objects, options);
    await super.put(new Uint8Array(1)).catch(() => {});
    return replies;
  }
}

class Reverses extends MemoryConnector {
  override async getBatch(keys: readonly string[], options?: CallOptions): Promise<Reply<Uint8Array | undefined>[]> {
    return (await super.getBatch(keys, options)).toReversed();
  }
}

class Forgets extends MemoryConnector {
  override async get(key: string, options?: CallOptions): Promise<Uint8Array | undefined> {
    const found = await super.get(key, options);
    return found?.length === 0 ? undefined : found;
  }
}

class KeepsEvicted extends MemoryConnector {
  override async evict(key: string, options?: CallOptions): Promise<void> {
    if (((await super.get(key, options))?.length ?? 0) < 100) await super.evict(key, options);
  }
}

class GoesOn extends MemoryConnector {
  override async close(): Promise<void> {}
}

class Lives extends MemoryConnector {
  override async put(bytes: Uint8Array): Promise<string> {
    return super.put(bytes);
  }
}

describe('the suite', () => {
  it('has nothing against what is right', async () => {
    expect(
      await failures(
        () => new MemoryConnector(options),
        () => new MemoryConnector({ ...options, budget: 66_000 }),
      ),
    ).toEqual([]);
  });

  it.each([
    ['leaks', Leaks, 'keeps a batch in order, with a reply for each'],
    ['mixes up a batch', Reverses, 'keeps a batch in order, with a reply for each'],
    ['takes empty for missing', Forgets, 'keeps an empty object, which is not the same as none'],
    ['keeps what was evicted', KeepsEvicted, 'agrees with a plain Map through any sequence of operations (seed 1)'],
    ['does not close', GoesOn, 'can be closed twice, and refuses everything afterwards'],
    ['does not hear its signal', Lives, 'does nothing for a call that was cancelled before'],
  ] as const)('finds a connector that %s', async (_which, Broken, sentence) => {
    expect(await failures(() => new Broken(options))).toContain(sentence);
  });

  it('finds a connector that is never full', async () => {
    const open = (): MemoryConnector => new MemoryConnector(options);
    expect(await failures(open, open)).toEqual(['refuses what does not fit, keeps nothing of it, and loses nothing']);
  });
});
