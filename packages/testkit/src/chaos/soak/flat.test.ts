import { describe, expect, it } from 'vitest';
import { courseOf } from './flat.ts';

const mib = 1 << 20;

function course(count: number, memory: (i: number) => number, descriptors: (i: number) => number = () => 30) {
  const samples = Array.from({ length: count }, (_, i) => ({
    at: i * 1_000,
    memory: memory(i) * mib,
    descriptors: descriptors(i),
  }));
  return courseOf('agent of n1', samples).verdict;
}

describe('A process in a soak', () => {
  it('is flat when its memory breathes and warms up', () => {
    expect(course(40, (i) => (i < 8 ? 50 + 10 * i : 130 + (i % 5)))).toBe('flat');
  });

  it('is told when its memory grows all the time', () => {
    expect(course(40, (i) => 80 + 3 * i)).toBe('memory grows');
  });

  it('is told when it opens more and more', () => {
    expect(
      course(
        40,
        () => 80,
        (i) => 30 + Math.floor(i / 3),
      ),
    ).toBe('descriptors grow');
  });

  it('is not judged when it is young', () => {
    expect(course(5, (i) => 80 * i)).toBe('too young');
  });
});
