import type { Kill } from '@muster/rexi';
import { mostListed, mostTombstones } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import { Kills } from './kills.ts';

const numbers = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, i) => from + i);
const most = mostTombstones - mostListed;

function bench(): { kills: Kills; said: Kill[]; counters(): number[]; done: string[] } {
  const said: Kill[] = [];
  const kills = new Kills(4, (kill) => said.push(kill));
  return { kills, said, counters: () => said.flatMap((kill) => kill.counters), done: [] };
}

describe('kills', () => {
  it('overtake the casts that have not left, as many as the node can keep in mind', () => {
    const { kills, said, counters } = bench();
    void kills.kill(numbers(1, most + 10), 250, false);
    expect(counters()).toEqual(numbers(1, most));
    expect(Math.max(...said.map((kill) => kill.counters.length))).toBe(mostListed);
  });

  it('follow their casts where there are more, and make room as casts leave', () => {
    const { kills, said } = bench();
    void kills.kill(numbers(1, most + 3), 250, false);
    void kills.kill([most + 2], 0, false);
    said.length = 0;
    kills.left(numbers(1, 2));
    expect(said).toEqual([]);
    void kills.kill([most + 4], 250, false);
    expect(said.map((kill) => kill.counters)).toEqual([[most + 4]]);
    kills.left(numbers(3, most + 1));
    kills.left([most + 2, most + 3]);
    expect(said.slice(1)).toEqual([
      { type: 'kill', confirm: 0, grace: 250, counters: [most + 1] },
      { type: 'kill', confirm: 0, grace: 0, counters: [most + 2, most + 3] },
    ]);
  });

  it('are not held back where the cast has left', () => {
    const { kills, counters } = bench();
    kills.left(numbers(1, most + 10));
    void kills.kill(numbers(1, most + 10), 250, false);
    expect(counters()).toHaveLength(most + 10);
  });

  it('that follow their casts are confirmed as well', async () => {
    const { kills, said, done } = bench();
    void kills.kill(numbers(1, most), 0, false);
    void kills.kill([most + 1], 0, true).then(() => done.push('gone'));
    kills.left(numbers(1, most + 1));
    await Promise.resolve();
    expect([said.at(-1)?.counters, done]).toEqual([[most + 1], []]);
    kills.confirmed(said.at(-1)?.confirm ?? 0);
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toEqual(['gone']);
  });

  it('to be confirmed wait for their turn where the node has as many open as it takes', () => {
    const { kills, said } = bench();
    for (const counter of numbers(1, 6)) void kills.kill([counter], 0, true);
    expect(said.map((kill) => kill.counters)).toEqual([[1], [2], [3], [4]]);
    kills.confirmed(said[1]?.confirm ?? 0);
    expect(said.at(-1)?.counters).toEqual([5]);
  });

  it('are done with when the session is over, said or not', async () => {
    const { kills, done } = bench();
    void kills.kill(numbers(1, most), 0, false);
    for (const counter of numbers(most + 1, most + 6))
      void kills.kill([counter], 0, true).then(() => done.push('gone'));
    void kills.kill([1], 0, true).then(() => done.push('gone'));
    kills.over();
    await new Promise((resolve) => setImmediate(resolve));
    expect(done).toHaveLength(7);
  });
});
