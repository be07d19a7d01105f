import { describe, expect, it } from 'vitest';
import { readOptions } from './options.ts';

describe('options', () => {
  it('are four nodes, two copies, sixteen shards and a lease of five seconds when nothing is said', () => {
    expect(readOptions([])).toMatchObject({ nodes: 4, replicas: 2, shards: 16, lease: 5_000, kill: true, keep: false });
  });

  it('keep one copy where there is one node', () => {
    expect(readOptions(['--nodes', '1'])).toMatchObject({ nodes: 1, replicas: 1 });
  });

  it.each([
    [['--nodes', 'four'], '--nodes takes a whole number from 1 to 16, not "four".'],
    [['--nodes', '2', '--replicas', '3'], '--replicas takes a whole number from 1 to 2, not "3".'],
    [['--lease', '100'], '--lease takes a whole number from 2000 to 60000, not "100".'],
    [['--key', 'id'], '--key id says something about a file of yours, but --data FILE is missing.'],
  ])('%j are refused with a sentence', (argv, sentence) => {
    expect(() => readOptions(argv)).toThrow(sentence);
  });

  it('that are unknown are named, with the way to those that are known', () => {
    expect(() => readOptions(['--node', '3'])).toThrow(/'--node'.*--help lists the options/);
  });
});
