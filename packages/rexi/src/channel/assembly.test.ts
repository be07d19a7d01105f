import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, it } from 'vitest';
import { Assembly } from './assembly.ts';

/** Bytes in use once everything that nobody holds is gone. */
function memory(): number {
  setFlagsFromString('--expose-gc');
  (runInNewContext('gc') as () => void)();
  const { heapUsed, external } = process.memoryUsage();
  return heapUsed + external;
}

it('a message that comes a byte at a time takes a few times its bytes of memory, and not a hundred times', () => {
  const count = 200_000;
  const before = memory();
  const assembly = new Assembly(Buffer.of(0));
  for (let at = 1; at < count; at++) assembly.add(Buffer.of(at & 255));
  expect(memory() - before).toBeLessThan(10 * count);
  expect(assembly.bytes).toEqual(Buffer.from(Array.from({ length: count }, (_, at) => at & 255)));
});

it('a message grows by pieces of any size', () => {
  const pieces = [1, 500, 3, 70_000, 2].map((size, index) => Buffer.alloc(size, index + 1));
  const [first, ...rest] = pieces as [Buffer, ...Buffer[]];
  const assembly = new Assembly(first);
  for (const piece of rest) assembly.add(piece);
  expect(assembly.size).toBe(70_506);
  expect(Buffer.compare(assembly.bytes, Buffer.concat(pieces))).toBe(0);
});
