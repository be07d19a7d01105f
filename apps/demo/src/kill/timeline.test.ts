import { describe, expect, it } from 'vitest';
import { timeline } from './timeline.ts';

describe('a timeline', () => {
  it('is full until jobs end, and dots when there are none', () => {
    const samples = [
      { ms: 0, running: 8 },
      { ms: 50, running: 4 },
      { ms: 80, running: 0 },
    ];
    expect(timeline(samples, 8, 100, 10)).toBe('█████▄▄▄··');
  });

  it('shows one job among many', () => {
    expect(timeline([{ ms: 0, running: 1 }], 64, 100, 2)).toBe('▁▁');
  });

  it('shows what ran only for a part of a cell', () => {
    const samples = [
      { ms: 0, running: 8 },
      { ms: 1, running: 0 },
    ];
    expect(timeline(samples, 8, 100, 2)).toBe('█·');
  });
});
