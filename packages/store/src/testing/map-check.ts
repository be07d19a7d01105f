import assert from 'node:assert/strict';
import { valueOf } from './batch-checks.ts';
import type { Owned } from './owned.ts';
import { pattern, same } from './pattern.ts';

const operations = 60;

/**
 * A random sequence of operations, some of them at once, after each of which the connector and a plain Map agree. The whole
 * is a function of the seed.
 */
export async function agreesWithMap(connector: Owned, seed: number): Promise<void> {
  const random = numbers(seed);
  const gone: string[] = [];
  const pick = (): string | undefined => [...connector.objects.keys()][random(Math.max(1, connector.objects.size))];
  for (let step = 0; step < operations; step += 1) {
    switch (random(6)) {
      case 0:
      case 1:
        await connector.put(pattern(sizeOf(random)));
        break;
      case 2:
        await Promise.all([1, 2, 3].map(() => connector.put(pattern(sizeOf(random)))));
        break;
      case 3:
        await connector.putBatch(Array.from({ length: random(5) }, () => pattern(sizeOf(random))));
        break;
      case 4:
        if (connector.defers()) await connector.set(await connector.newKey(), pattern(sizeOf(random)));
        break;
      default: {
        const key = pick() ?? gone[0];
        if (key === undefined) break;
        await connector.evict(key);
        gone.push(key);
      }
    }
    await agree(connector, gone, `seed ${seed}, step ${step}`);
  }
}

async function agree({ inner, objects }: Owned, gone: readonly string[], where: string): Promise<void> {
  const keys = [...objects.keys(), ...gone];
  const found = (await inner.getBatch(keys)).map(valueOf);
  for (const [at, key] of keys.entries()) {
    const expected = objects.get(key);
    assert.ok(expected ? same(found[at], expected) : found[at] === undefined, `${where}: ${key}`);
  }
  const one = keys[keys.length >> 1];
  if (one === undefined) return;
  const expected = objects.get(one);
  assert.equal((await inner.get(one))?.length, expected?.length, where);
  assert.equal(await inner.exists(one), expected !== undefined, where);
}

/** Empty, small, and now and then more than one chunk or page. */
function sizeOf(random: (below: number) => number): number {
  return [0, random(100), random(5_000), random(200_000)][random(4)] ?? 0;
}

/** Numbers below a bound, as mulberry32 gives them. */
function numbers(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return Math.floor((((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32) * below);
  };
}
