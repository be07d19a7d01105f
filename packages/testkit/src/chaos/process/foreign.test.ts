import { expect, it } from 'vitest';
import { busyShare, ticksIn } from './foreign.ts';

it('A machine is as busy as its processors were between two looks', () => {
  const before = ticksIn('cpu  100 0 50 800 50 0 0 0 0 0\ncpu0 1 2 3\n');
  const after = ticksIn('cpu  110 0 60 870 50 0 5 5 0 0\ncpu0 1 2 3\n');
  expect(before).toEqual({ busy: 150, idle: 850 });
  expect(busyShare(before, after)).toBe(0.3);
  expect(busyShare(before, before)).toBe(0);
});
