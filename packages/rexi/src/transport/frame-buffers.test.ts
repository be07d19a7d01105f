import { describe, expect, it } from 'vitest';
import { FrameBuffers } from './frame-buffers.ts';

const memoryOf = (frame: Uint8Array): ArrayBufferLike => frame.buffer;
const parts = (size: number, fill = 0): Uint8Array[] => [Buffer.alloc(1, fill), Buffer.alloc(size - 1, fill)];

describe('buffers of large frames', () => {
  it('are used again when the kernel has taken what they held, and not before', () => {
    const buffers = new FrameBuffers();
    const [first, second] = [buffers.join(parts(40_000, 1)), buffers.join(parts(65_536, 2))];
    expect(memoryOf(second)).not.toBe(memoryOf(first));
    buffers.taken();
    const third = buffers.join(parts(50_000, 3));
    expect(memoryOf(third)).toBe(memoryOf(first));
    expect([third.length, new Set(third), new Set(second)]).toEqual([50_000, new Set([3]), new Set([2])]);
  });

  it('come back in the order of all frames, the small ones among them', () => {
    const buffers = new FrameBuffers();
    buffers.join(parts(10));
    const large = buffers.join(parts(40_000));
    buffers.taken();
    expect(memoryOf(buffers.join(parts(40_000)))).not.toBe(memoryOf(large));
    buffers.taken();
    expect(memoryOf(buffers.join(parts(40_000)))).toBe(memoryOf(large));
  });

  it('are not many once a burst is over', () => {
    const buffers = new FrameBuffers();
    const burst = Array.from({ length: 64 }, () => memoryOf(buffers.join(parts(40_000))));
    for (const _ of burst) buffers.taken();
    const again = Array.from({ length: 64 }, () => memoryOf(buffers.join(parts(40_000))));
    expect(again.filter((memory) => burst.includes(memory)).length).toBe(4);
  });

  it('are not taken for small frames, each of which would hold a whole one', () => {
    const frame = new FrameBuffers().join(parts(32_767));
    expect(memoryOf(frame).byteLength).toBeLessThan(33_000);
  });
});
