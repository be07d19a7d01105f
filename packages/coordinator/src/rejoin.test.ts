import { ClusterError, constants } from '@muster/rexi';
import { virtualClock } from '@muster/rexi/testing';
import { describe, expect, it } from 'vitest';
import { Rejoin } from './rejoin.ts';

const nobody = new ClusterError('unreachable', 'Nothing listens there.', { detail: 'ECONNREFUSED' });
const silent = new ClusterError('unreachable', 'Nothing answers.', { detail: 'timeout' });

describe('rule 9: nobody who listens', () => {
  it.each([1, 2, 3])(
    'for K is the end of a process when all of its addresses have said so, %d of them',
    async (count) => {
      const clock = virtualClock();
      const table = constants({ kill: 500 });
      const addresses = Array.from({ length: count }, (_, i) => `ws://w.test:${i + 1}`);
      const rejoin = new Rejoin({ clock, constants: table, addresses });
      expect(rejoin.failed(nobody)).toBeGreaterThan(0);
      for (let asked = 1; asked < count; asked += 1) {
        await clock.pass(600);
        expect(rejoin.failed(nobody)).toBeGreaterThan(0);
      }
      await clock.pass(500);
      expect(rejoin.failed(nobody)).toBe(0);
      expect(rejoin.failed(silent)).toBe(Infinity);
      expect(rejoin.failed(nobody)).toBeGreaterThan(0);
    },
  );
});
