import { describe, expect, it } from 'vitest';
import { constants } from '../constants.ts';
import { Liveness } from './liveness.ts';

describe('a queue', () => {
  it('that is refilled as fast as the kernel takes from it is not stalled', () => {
    const liveness = new Liveness(constants(), 0);
    for (let now = 0; now < 60_000; now += 1_000) expect(liveness.stalled(now, 500_000 + now, 400_000)).toBe(false);
  });

  it('that only grows is stalled after the write deadline', () => {
    const liveness = new Liveness(constants(), 0);
    liveness.stalled(0, 100, 0);
    const verdicts = Array.from({ length: 11 }, (_, i) => liveness.stalled((i + 1) * 1_000, 200 + i, 100 + i));
    // The first says that its kernel has taken 100 bytes or fewer before; from then on it takes none.
    expect(verdicts).toEqual([...Array.from({ length: 10 }, () => false), true]);
  });

  it('that is empty is never stalled, however long', () => {
    const liveness = new Liveness(constants(), 0);
    expect(liveness.stalled(3_600_000, 100, 0)).toBe(false);
  });
});

describe('a peer that is heard and acks nothing', () => {
  const { heartbeat, suspectAfter } = constants();
  const deaf = (suspectAfter + 1) * heartbeat;

  it('is suspect a heartbeat later than a silent one, until it acks again; what it says clears nothing', () => {
    const liveness = new Liveness(constants(), 0, true);
    liveness.hear(deaf);
    expect([liveness.falls(deaf), liveness.falls(deaf + 1), liveness.falls(deaf + 2)]).toEqual([false, true, false]);
    expect([liveness.hear(deaf + 3), liveness.suspect]).toEqual([false, true]);
    expect([liveness.reaches(deaf + 4), liveness.suspect]).toEqual([true, false]);
  });

  it('is not where nobody waits for acks, nor to somebody who was stopped', () => {
    const other = new Liveness(constants(), 0);
    other.hear(deaf + 1);
    expect(other.falls(deaf + 1)).toBe(false);
    const stopped = new Liveness(constants(), 0, true);
    stopped.wasStopped(deaf);
    stopped.hear(deaf);
    expect(stopped.falls(deaf + 1)).toBe(false);
  });
});
