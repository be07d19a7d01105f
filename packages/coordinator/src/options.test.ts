import { describe, expect, it } from 'vitest';
import { checkNodes, checkRequest, secretBytes, shardMap } from './options.ts';

const badOptions = (says: RegExp) =>
  expect.objectContaining({ code: 'bad_options', message: expect.stringMatching(says) as string }) as Error;

describe('options that are wrong are refused at the door, with a sentence', () => {
  it.each<[string, () => unknown, RegExp]>([
    ['no node', () => checkNodes([]), /at least one node/],
    ['an address that is none', () => checkNodes(['127.0.0.1:7101']), /no address of a node/],
    ['a node named twice', () => checkNodes(['ws://a:1', 'ws://a:1']), /named twice/],
    ['a secret that is too short', () => secretBytes('short'), /at least 16/],
    ['a shard named twice', () => shardMap([1, 1].map((id) => ({ id, nodes: ['a'] }))), /names shard 1 twice/],
    ['a shard without a node', () => shardMap([{ id: 1, nodes: [] }]), /no node for shard 1/],
    ['a priority out of range', () => checkRequest('j', { priority: 256 }, 1), /priority is 0 to 255, not 256/],
    ['a timeout of nothing', () => checkRequest('j', { timeout: 0 }, 1), /timeout is/],
    [
      'a message timeout that is no number',
      () => checkRequest('j', { messageTimeout: Number.NaN }, 1),
      /messageTimeout is/,
    ],
    ['a limit below zero', () => checkRequest('j', {}, -1), /limit is/],
    ['a name that is too long', () => checkRequest('ä'.repeat(65), {}, 1), /1 to 128 bytes, not 130/],
  ])('%s', (_which, check, says) => {
    expect(check).toThrow(badOptions(says));
  });

  it('and nothing is said about those that are right', () => {
    expect(() => checkRequest('j', { priority: 0, timeout: 5, messageTimeout: Infinity }, Infinity)).not.toThrow();
    expect(secretBytes('  sixteen bytes are enough \n')).toHaveLength(24);
  });
});
