import { describe, expect, it } from 'vitest';
import { connect } from './connect.ts';
import { checkNodes, secretBytes, shardMap } from './options.ts';

const badOptions = (says: RegExp) =>
  expect.objectContaining({ code: 'bad_options', message: expect.stringMatching(says) as string }) as Error;

describe('options that are wrong are refused at the door, with a sentence', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['no node', () => checkNodes([]), /at least one node/],
    ['an address that is none', () => checkNodes(['127.0.0.1:7101']), /no address of a node/],
    ['a node without an address', () => checkNodes([[]]), /at least one address/],
    ['an address of two nodes', () => checkNodes(['ws://a:1', ['ws://b:1', 'ws://a:1']]), /named twice/],
    ['a node named twice', () => checkNodes(['ws://a:1', 'ws://a:1']), /named twice/],
    [
      'a node named twice in other words',
      () => checkNodes(['ws://a:80', 'WS://A:080/']),
      /ws:\/\/a:80 is the same address/,
    ],
    ['a node instead of a list of them', () => checkNodes('ws://a:1' as never), /at least one node/],
    ...['ws:', 'wss:', 'wss://a', 'ws://a', 'ws://a/', 'ws://a:99999', 'ws://a:0', 'ws://a:1/x', 7].map(
      (address): [string, () => unknown, RegExp] => [
        `the address ${address}`,
        () => checkNodes([address as string]),
        /no address of a node; one looks like "ws:\/\/127\.0\.0\.1:7101" or "wss:\/\/node-a:7101", port included/,
      ],
    ),
    ['no secret', () => secretBytes(undefined), /secret is the cluster's secret/],
    ['a secret that is too short', () => secretBytes('short'), /at least 16/],
    ['a shard named twice', () => shardMap([1, 1].map((id) => ({ id, nodes: ['a'] }))), /names shard 1 twice/],
    ['a map that is none', () => shardMap({ a: ['n'] } as never), /shards is a list like/],
    ['a shard without an id', () => shardMap([{ nodes: ['a'] }] as never), /has an id.*not undefined/],
    ['a shard that is a name', () => shardMap(['a'] as never), /has an id/],
    ['a shard with one node for a list', () => shardMap([{ id: 1, nodes: 'a' }] as never), /no node for shard 1/],
    ['a shard at nobody', () => shardMap([{ id: 1, nodes: [''] }]), /shard 1 is at "", which is no name/],
    ['a shard at a number', () => shardMap([{ id: 1, nodes: [7] }] as never), /shard 1 is at 7, which is no name/],
    ['a shard at one node twice', () => shardMap([{ id: 1, nodes: ['a', 'a'] }]), /names node a twice for shard 1/],
    ...[5, 'a-f', [1], [1, 2, 3], { from: 1 }].map((range): [string, () => unknown, RegExp] => [
      `the range ${JSON.stringify(range)}`,
      () => shardMap([{ id: 1, nodes: ['a'], range }] as never),
      /The range of shard 1 is a pair like \[0, 9\]/,
    ]),
    ['a shard without a node', () => shardMap([{ id: 1, nodes: [] }]), /no node for shard 1/],
  ])('%s', (_which, check, says) => {
    expect(check).toThrow(badOptions(says));
  });

  it('and nothing is said about those that are right', () => {
    expect(checkNodes(['ws://a:1', 'ws://a:2/', 'ws://[::1]:1', 'wss://b:443'])).toHaveLength(4);
    expect(checkNodes(['ws://a:1', ['ws://b:1', 'ws://c:1']])).toEqual([['ws://a:1'], ['ws://b:1', 'ws://c:1']]);
    expect(secretBytes('  sixteen bytes are enough \n')).toHaveLength(24);
  });
});

describe('what connect is given', () => {
  const good = { nodes: ['ws://127.0.0.1:9'], secret: 'a secret of some length' };

  it.each<[string, unknown, RegExp]>([
    ['nothing', undefined, /options of connect are an object, not undefined/],
    ['an address', 'ws://127.0.0.1:9', /options of connect are an object/],
    ['no nodes', { secret: good.secret }, /at least one node/],
    ['no secret', { nodes: good.nodes }, /secret is the cluster's secret/],
    ['a slip', { ...good, minnodes: 2 }, /no option "minnodes" for connect; did you mean "minNodes"\?.*shards/],
    ['an option of something else', { ...good, listen: 1 }, /no option "listen" for connect; there are nodes, secret/],
    ['TLS without certificates', { ...good, nodes: ['wss://a:1'] }, /wss:\/\/a:1 needs certificates; give tls/],
    ['half of the certificates', { ...good, tls: { ca: 'x', cert: 'y' } }, /tls\.key is missing/],
    [
      'a slip in them',
      { ...good, tls: { ca: 'x', crt: 'y' } },
      /no option "tls\.crt" for tls; did you mean "tls\.cert"/,
    ],
    ['certificates that are not there', { ...good, tls: { ca: '/no', cert: 'y', key: 'z' } }, /"\/no" cannot be read/],
    ['no pins at all', { ...good, tls: { ca: 'x', cert: 'y', key: 'z', pins: [] } }, /tls\.pins is a list/],
    ['a number for a name', { ...good, id: 7 }, /id is a text, not 7/],
    [
      'a range that is none',
      { ...good, shards: [{ id: 1, nodes: ['a'], range: 'a-f' }] },
      /range of shard 1 is a pair like \[0, 9\].*not "a-f"/,
    ],
  ])('is refused with a sentence: %s', async (_what, options, says) => {
    await expect(connect(options as never)).rejects.toEqual(badOptions(says));
  });

  it('is refused for a range that cannot travel, before anything is dialled', async () => {
    const shards = [{ id: 1, nodes: ['a'], range: [0, () => 9] as const }];
    await expect(connect({ ...good, shards })).rejects.toMatchObject({
      code: 'not_serializable',
      detail: 'shard 1.range[1]',
    });
  });
});
