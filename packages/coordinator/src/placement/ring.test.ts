import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { ShardMap } from '../request.ts';
import { moveCopy, splitShard } from './change-ring.ts';
import { sharesOf } from './evenness.ts';
import { placeOf, rendezvous, ringSize } from './key-hash.ts';
import type { Ring } from './ring.ts';
import { checkedRing, ring, shardAt, shardOf } from './ring.ts';

const names = (count: number): string[] => Array.from({ length: count }, (_, i) => `n${i}`);
const refused = (what: RegExp): unknown =>
  expect.objectContaining({ code: 'bad_options', message: expect.stringMatching(what) as unknown });

describe('The place of a key', () => {
  it.each([
    ['', 0xe3b0c442],
    ['abc', 0xba7816bf],
    ['Zürich', 0x4251685e],
  ])('of %j is %d, by the SHA-256 of its UTF-8', (key, place) => {
    expect([placeOf(key), placeOf(Buffer.from(key))]).toEqual([place, place]);
  });

  it('is spread so that each hundredth of the ring has about a hundredth of the keys', () => {
    const keys = Array.from({ length: 100_000 }, (_, i) => placeOf(`user-${i}`));
    const counts = Array.from({ length: 100 }, () => 0);
    for (const place of keys) {
      const hundredth = Math.floor((place / ringSize) * 100);
      counts[hundredth] = (counts[hundredth] ?? 0) + 1;
    }
    expect(Math.min(...counts)).toBeGreaterThan(850);
    expect(Math.max(...counts)).toBeLessThan(1_150);
  });
});

describe('Rendezvous hashing', () => {
  it('moves only the keys of a node that goes, and only to nodes that stay', () => {
    const keys = Array.from({ length: 2_000 }, (_, i) => `k${i}`);
    const before = keys.map((key) => rendezvous(names(5), key)[0]);
    const after = keys.map((key) => rendezvous(['n4', 'n0', 'n2', 'n1'], key)[0]);
    const moved = before.filter((name, i) => name !== after[i]);
    expect(new Set(moved)).toEqual(new Set(['n3']));
    expect(moved.length).toBeGreaterThan(300);
  });
});

describe('A ring', () => {
  it('covers all places once, and puts every copy of a shard on another node', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 1, max: 300 }),
        fc.integer({ min: 1, max: 9 }),
        fc.nat(8),
        (shards, nodes, more) => {
          const replicas = 1 + (more % nodes);
          const made = ring({ shards, replicas, nodes: names(nodes) });
          expect(checkedRing(JSON.parse(JSON.stringify(made)) as ShardMap)).toEqual(made);
          for (const shard of made.shards) expect(new Set(shard.nodes).size).toBe(replicas);
          const copies = sharesOf(made).map((share) => share.copies);
          expect(Math.max(...copies) - (copies.length < nodes ? 0 : Math.min(...copies))).toBeLessThanOrEqual(1);
        },
      ),
      { numRuns: 300 },
    );
  });

  it('is the same whatever the order of its nodes', () => {
    const [some, others] = [names(7), names(7).toReversed()];
    expect(ring({ shards: 32, replicas: 3, nodes: some })).toEqual(ring({ shards: 32, replicas: 3, nodes: others }));
  });

  it('has the copies of a shard in different zones as far as there are zones', () => {
    const nodes = names(9).map((name, i) => ({ name, labels: { zone: `z${i % 3}` } }));
    const zones = new Map(nodes.map(({ name, labels }) => [name, labels.zone]));
    const spreadOf = (replicas: number): number[] =>
      ring({ shards: 64, replicas, nodes, spread: 'zone' }).shards.map(
        (shard) => new Set(shard.nodes.map((name) => zones.get(name))).size,
      );
    expect(new Set(spreadOf(2))).toEqual(new Set([2]));
    expect(new Set(spreadOf(3))).toEqual(new Set([3]));
    expect(new Set(spreadOf(5))).toEqual(new Set([3]));
  });

  it('takes the nodes of a shard as they are given by hand', () => {
    const made = ring({ shards: 2, nodes: names(2), overrides: { '80000000-ffffffff': ['far', 'n1'] } });
    expect(made.shards.map(({ id, nodes }) => [id, nodes.length])).toEqual([
      ['00000000-7fffffff', 1],
      ['80000000-ffffffff', 2],
    ]);
    expect(made.shards[1]?.nodes).toEqual(['far', 'n1']);
  });

  it('finds the shard of a place as a look at each would, at the ends of ranges as well', () => {
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 500 }), fc.nat(499), fc.string(), (shards, i, key) => {
        const made = ring({ shards, nodes: ['a'] });
        const slow = (place: number): unknown =>
          made.shards.find(({ range: [first, last] }) => first <= place && place <= last);
        for (const place of [...(made.shards[i % shards]?.range ?? []), placeOf(key)])
          expect(shardAt(made, place)).toBe(slow(place));
        expect(shardOf(made, key)).toBe(slow(placeOf(key)));
      }),
    );
  });

  it.each<[string, Partial<Parameters<typeof ring>[0]>, RegExp]>([
    ['no shard', { shards: 0 }, /1 to 4096 shards, not 0/],
    ['a node twice', { nodes: ['a', 'a'] }, /node a twice/],
    ['more copies than nodes', { replicas: 3 }, /3 copies .* there are 2/],
    ['an override of no shard', { overrides: { x: ['a'] } }, /shard x; there are 00000000-7fffffff, 8/],
  ])('refuses %s', (_, options, sentence) => {
    expect(() => ring({ shards: 2, nodes: ['a', 'b'], ...options })).toThrow(refused(sentence));
  });
});

describe('A ring that is given as data', () => {
  const made = ring({ shards: 4, nodes: ['a'] });
  const [a, b, c, d] = made.shards as [Ring['shards'][0], Ring['shards'][0], Ring['shards'][0], Ring['shards'][0]];

  it.each<[string, Partial<Ring>, RegExp]>([
    ['a hole', { shards: [a, c, d] }, /a hole: no shard holds 40000000-7fffffff\.$/],
    ['a hole at its beginning', { shards: [b, c, d] }, /a hole: no shard holds 00000000-3fffffff\.$/],
    ['a hole at its end', { shards: [a, b, c] }, /a hole: no shard holds c0000000-ffffffff\.$/],
    [
      'places held twice',
      { shards: [a, b, { ...b, id: 'again' }, c, d] },
      /holds 40000000-7fffffff twice, once in shard/,
    ],
    [
      'one place held twice',
      { shards: [a, { ...b, range: [0x3fffffff, 0x7fffffff] }, c, d] },
      /holds 3fffffff-3fffffff twice/,
    ],
    ['a range that is none', { shards: [a, b, c, { ...d, range: [9, 1] }] }, /first and last place.*not \[9,1\]/],
    ['another hash', { hash: 'md5' as 'sha256-32' }, /'sha256-32', not "md5"/],
  ])('is refused with %s', (_, change, sentence) => {
    expect(() => checkedRing({ ...made, ...change })).toThrow(refused(sentence));
  });

  it('may name its shards in any order', () => {
    expect(checkedRing({ ...made, shards: [d, a, c, b] }).shards).toEqual([a, b, c, d]);
  });
});

describe('A ring that changes', () => {
  const made = ring({ shards: 2, replicas: 2, nodes: names(4) });

  it('cuts a shard into parts where it was, as the next version', () => {
    const next = splitShard(made, '00000000-7fffffff', 3);
    expect(checkedRing(next)).toEqual(next);
    expect([next.version, next.shards.length]).toEqual([2, 4]);
    expect(next.shards.slice(0, 3).every(({ nodes }) => nodes === made.shards[0]?.nodes)).toBe(true);
  });

  it('moves one copy, as the next version', () => {
    const [{ id, nodes } = { id: '', nodes: [] }] = made.shards;
    const [from = '', stays = ''] = nodes;
    const next = moveCopy(made, id, from, 'new');
    expect([next.version, next.shards[0]?.nodes, made.shards[0]?.nodes]).toEqual([2, ['new', stays], nodes]);
    expect(() => moveCopy(made, id, 'nobody', 'new')).toThrow(refused(/has no copy at nobody/));
    expect(() => moveCopy(made, id, from, stays)).toThrow(refused(/has a copy at .* already/));
    expect(() => moveCopy(made, 'x', from, 'new')).toThrow(refused(/no shard x/));
  });

  it('refuses parts without a place each', () => {
    expect(() => splitShard(made, made.shards[0]?.id ?? '', 1)).toThrow(refused(/2 to 2147483648 parts, not 1/));
  });
});
