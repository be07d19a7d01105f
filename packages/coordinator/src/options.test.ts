import { seededEntropy } from '@muster/rexi/testing';
import { describe, expect, it } from 'vitest';
import { backoff } from './backoff.ts';
import { checkNodes, secretBytes, shardMap } from './options.ts';

const bad = expect.objectContaining({ code: 'bad_options' }) as Error;

describe('options', () => {
  it('want a secret that is one', () => {
    expect(secretBytes('  0123456789abcdef\n')).toEqual(Buffer.from('0123456789abcdef'));
    expect(() => secretBytes('0123456789abcde ')).toThrow(bad);
  });

  it.each([[[]], [['w1:7101']], [['ws://a:1', 'ws://a:1']]])('refuse the nodes %j', (nodes) => {
    expect(() => checkNodes(nodes)).toThrow(bad);
  });

  it.each([
    [[{ id: 1, nodes: [] }]],
    [
      [
        { id: 1, nodes: ['a'] },
        { id: 1, nodes: ['b'] },
      ],
    ],
  ])('refuse the shards %j', (shards) => {
    expect(() => shardMap(shards)).toThrow(bad);
  });
});

describe('the wait before the next attempt', () => {
  it('doubles from 50 ms to 5 s, and up to half of it is random', () => {
    const entropy = seededEntropy('backoff');
    for (let attempt = 0; attempt < 40; attempt += 1) {
      const whole = Math.min(5_000, 50 * 2 ** attempt);
      const wait = backoff(attempt, entropy);
      expect(wait).toBeGreaterThanOrEqual(Math.floor(whole / 2));
      expect(wait).toBeLessThanOrEqual(whole);
    }
  });
});
