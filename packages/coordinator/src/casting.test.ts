import { ClusterError } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import { Casting } from './casting.ts';
import { Lane } from './lane.ts';

/** Casts over a registry that knows so many references. */
function bench(known: number): {
  casting: Casting;
  cast: string[];
  lane(...nodes: string[]): Lane;
  want(lane: Lane, copy?: number): void;
  register(count: number): void;
  refuse(error: Error): void;
} {
  const cast: string[] = [];
  const waiting: { resolve(): void; reject(error: Error): void }[] = [];
  let left = known;
  const registry = {
    has: (count: number) => count <= left,
    reserve: () => new Promise<void>((resolve, reject) => waiting.push({ resolve, reject })),
  };
  const casting = new Casting(registry, (node, casts) => cast.push(`${casts.length} at ${node}`));
  return {
    casting,
    cast,
    lane(...nodes) {
      const lane = new Lane({ shard: 1, value: new Uint8Array(), nodes }, 0, false);
      lane.part.begin(true);
      return lane;
    },
    want: (lane, copy = 0) => casting.want({ lane, copy, node: lane.order.nodes[copy] ?? '' }),
    register(count) {
      left = count;
      for (const { resolve } of waiting.splice(0)) resolve();
    },
    refuse: (error) => waiting.splice(0).forEach(({ reject }) => reject(error)),
  };
}

describe('casts that were decided on', () => {
  it('leave with one message a node', async () => {
    const { casting, cast, lane, want } = bench(10);
    for (const node of ['a', 'b', 'a', 'a']) want(lane(node));
    await casting.flush();
    expect(cast).toEqual(['3 at a', '1 at b']);
  });

  it('leave with at most 4096 a message', async () => {
    const { casting, cast, lane, want } = bench(10_000);
    const wanted = lane('a');
    for (let i = 0; i < 9_000; i += 1) want(wanted);
    await casting.flush();
    expect(cast).toEqual(['4096 at a', '4096 at a', '808 at a']);
  });

  it('wait until the guardian knows their references', async () => {
    const { casting, cast, lane, want, register } = bench(1);
    want(lane('a'));
    want(lane('a'));
    const flushed = casting.flush();
    await Promise.resolve();
    expect(cast).toEqual([]);
    register(2);
    await flushed;
    expect(cast).toEqual(['2 at a']);
  });

  it('do not leave when their copy was given up meanwhile: it would run for nobody', async () => {
    const { casting, cast, lane, want, register } = bench(0);
    const [given, kept] = [lane('a', 'b'), lane('a', 'b')];
    want(given);
    want(kept);
    const flushed = casting.flush();
    given.part.end();
    register(10);
    await flushed;
    expect(cast).toEqual(['1 at a']);
  });

  it('fail when nobody can register them, and can be tried again', async () => {
    const { casting, cast, lane, want, refuse, register } = bench(0);
    want(lane('a'));
    const flushed = casting.flush();
    refuse(new ClusterError('unavailable', 'no guardian'));
    await expect(flushed).rejects.toMatchObject({ code: 'unavailable' });
    register(1);
    await casting.flush();
    expect(cast).toEqual(['1 at a']);
  });
});
