import { CloseCode, constants } from '@muster/rexi';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { LinkId, Session, SessionEffect } from './sessions.ts';
import { Sessions } from './sessions.ts';

const table = constants();
const who = 'aaaaaaaaaaaaaaaa';
const coordinator: LinkId = 1;
const guardian: LinkId = 2;
const other: LinkId = 3;

/** Sessions whose ended ones have no jobs, unless they are said to be busy. */
function bench(): {
  sessions: Sessions;
  /** Takes effects as the agent would, and writes down what a link or the job table would see. */
  take(effects: readonly SessionEffect[], now?: number): string[];
  busy: Set<number>;
  ended: Session[];
} {
  const sessions = new Sessions({ constants: table, jobs: () => [] });
  const busy = new Set<number>();
  const ended: Session[] = [];
  function take(effects: readonly SessionEffect[], now = 0): string[] {
    return effects.flatMap((effect) => {
      if (effect.do === 'send') return [`${effect.link} ${said(effect.message)}`];
      if (effect.do === 'close') return [`${effect.link} closed ${effect.code}`];
      if (effect.do === 'opened') return [`opened ${effect.session.number}`];
      if (effect.do === 'move') return [`${effect.link} carries ${effect.session.number} on from ${effect.read}`];
      ended.push(effect.session);
      const line = `end ${effect.session.number} ${effect.code} by ${effect.by}`;
      return busy.has(effect.session.number) ? [line] : [line, ...take(sessions.jobsGone(effect.session, 0, now))];
    });
  }
  return { sessions, take, busy, ended };
}

function said(message: Extract<SessionEffect, { do: 'send' }>['message']): string {
  switch (message.type) {
    case 'session-accepted':
      return `accepted ${message.session} at ${message.stamp}`;
    case 'session-refused':
      return `refused ${message.session} ${message.code}`;
    case 'fenced':
      return `fenced killed ${message.killed} left [${message.left.join()}]`;
    case 'ended':
      return `ended ${message.session}`;
    default:
      return message.type;
  }
}

describe('rule 19: a session whose link broke', () => {
  const resume = (sessions: Sessions, session: number, now: number): SessionEffect[] =>
    sessions.resuming({ incarnation: who, link: other, session, read: 70 }, now);

  it('is carried on over another, and keeps its conversation', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 1, 0));
    expect(take(sessions.linkBroke(who, coordinator, true, 100))).toEqual([]);
    expect(take(resume(sessions, 1, 500), 500)).toEqual([`${other} carries 1 on from 70`]);
    expect(sessions.current(who, coordinator)?.number).toBe(1);
  });

  it('is carried on as well when the node has not missed the link', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 1, 0));
    expect(take(resume(sessions, 1, 500))).toEqual([`${other} carries 1 on from 70`]);
  });

  it('stays on the newest link, whichever is read last', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 1, 0));
    const at = (link: LinkId): string[] =>
      take(sessions.resuming({ incarnation: who, link, session: 1, read: 70 }, 500));
    expect(at(9)).toEqual(['9 carries 1 on from 70']);
    expect(at(8)).toEqual([`8 closed ${CloseCode.replaced}`]);
    expect(at(10)).toEqual(['10 carries 1 on from 70']);
  });

  it('lives until its lease ends, and is not known after that', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 1, 0));
    take(sessions.linkBroke(who, coordinator, false, 100));
    expect(take(resume(sessions, 1, table.lease), table.lease)).toEqual([
      'end 1 lease_lost by lease',
      `${coordinator} closed ${CloseCode.leaseLost}`,
      `${other} refused 1 session_unknown`,
    ]);
  });

  it('rule 11: ends a moment after both links were closed, unless it is carried on before', () => {
    const closed = (): ReturnType<typeof bench> => {
      const one = bench();
      one.take(one.sessions.opening(who, coordinator, 1, 0));
      one.take(one.sessions.guard(who, guardian, 1, 0));
      one.take(one.sessions.linkEnded(who, guardian, true, 100));
      one.take(one.sessions.linkBroke(who, coordinator, true, 100));
      return one;
    };
    const ends = closed();
    expect(ends.take(ends.sessions.expire(100 + table.closedGrace))).toContain('end 1 down by closed links');
    const goesOn = closed();
    goesOn.take(resume(goesOn.sessions, 1, 500));
    expect(goesOn.sessions.nextExpiry).toBe(table.lease);
  });

  it.each([
    ['fenced', (sessions: Sessions) => sessions.fence(who, guardian, 100), 'fenced'],
    ['given up', (sessions: Sessions) => sessions.endedByGuardian(who, guardian, 1, 100), 'session_unknown'],
    ['followed by a newer one', (sessions: Sessions) => sessions.opening(who, 9, 2, 100), 'session_unknown'],
    [
      'over, and its conversation with it',
      (sessions: Sessions) => sessions.linkEnded(who, coordinator, true, 100),
      'session_unknown',
    ],
  ])('is refused when it was %s', (_how, end, code) => {
    const { sessions, take } = bench();
    take(sessions.guard(who, guardian, 1, 0));
    take(sessions.opening(who, coordinator, 1, 0));
    take(sessions.linkBroke(who, coordinator, true, 50));
    take(end(sessions));
    expect(take(resume(sessions, 1, 200), 200)).toEqual([`${other} refused 1 ${code}`]);
  });

  it('is refused as long as it waits for the jobs of an older one: it was never accepted', () => {
    const { sessions, take, busy } = bench();
    busy.add(1);
    take(sessions.opening(who, coordinator, 1, 0));
    take(sessions.opening(who, 9, 2, 0));
    expect(take(resume(sessions, 2, 100))).toEqual([`${other} refused 2 session_unknown`]);
  });
});

describe('a session', () => {
  it('is accepted with the stamp from which its first lease counts', () => {
    const { sessions, take } = bench();
    expect(take(sessions.opening(who, coordinator, 1, 1_000.7))).toEqual(['opened 1', '1 accepted 1 at 1000']);
    expect(sessions.current(who, coordinator)?.number).toBe(1);
    expect(sessions.current(who, other)).toBeUndefined();
    expect(sessions.open(who)?.number).toBe(1);
    expect(sessions.nextExpiry).toBe(1_000 + table.lease);
  });

  it('waits until the jobs of the older one are dead', () => {
    const { sessions, take, busy, ended } = bench();
    busy.add(1);
    take(sessions.opening(who, coordinator, 1, 0));
    expect(take(sessions.opening(who, other, 2, 100))).toEqual(['end 1 down by newer session', '1 closed 4008']);
    expect(sessions.current(who, other)).toBeUndefined();
    expect(sessions.open(who)).toBeUndefined();
    expect(take(sessions.jobsGone(ended[0] as Session, 3, 350))).toEqual(['opened 2', '3 accepted 2 at 350']);
    expect(sessions.current(who, other)?.number).toBe(2);
  });

  it('waits for the jobs of every older one', () => {
    const { sessions, take, busy, ended } = bench();
    busy.add(1).add(2);
    take(sessions.opening(who, 11, 1, 0));
    take(sessions.opening(who, 12, 2, 0));
    expect(take(sessions.opening(who, 13, 3, 0))).toEqual(['12 closed 4008']);
    expect(ended.map(({ number }) => number)).toEqual([1]);
    expect(take(sessions.jobsGone(ended[0] as Session, 0, 10))).toEqual(['opened 3', '13 accepted 3 at 10']);
  });

  it('rule 8: is refused when a newer number was seen, although it arrives later', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 2, 0));
    expect(take(sessions.opening(who, other, 1, 1))).toEqual(['3 refused 1 stale']);
    expect(take(sessions.opening(who, other, 2, 2))).toEqual(['3 refused 2 stale']);
    expect(sessions.current(who, coordinator)?.number).toBe(2);
  });

  it('is not accepted once its link is gone', () => {
    const { sessions, take, busy, ended } = bench();
    busy.add(1);
    take(sessions.opening(who, coordinator, 1, 0));
    take(sessions.opening(who, other, 2, 0));
    take(sessions.linkEnded(who, other, false, 1));
    expect(take(sessions.jobsGone(ended[0] as Session, 0, 2))).toEqual([]);
    expect(take(sessions.expire(table.lease))).toEqual([]);
    expect(sessions.nextExpiry).toBe(Infinity);
  });

  it('says nothing of other incarnations', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 5, 0));
    expect(take(sessions.opening('bbbbbbbbbbbbbbbb', other, 1, 0))).toEqual(['opened 1', '3 accepted 1 at 0']);
    expect(sessions.current(who, coordinator)?.number).toBe(5);
  });
});

describe('a lease', () => {
  it('rule 8: ends at the newest echoed stamp and L', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 1, 0));
    take(sessions.renew(who, 1, 2_000, 2_100));
    expect(take(sessions.expire(2_000 + table.lease - 1))).toEqual([]);
    expect(take(sessions.expire(2_000 + table.lease))).toEqual(['end 1 lease_lost by lease', '1 closed 4010']);
  });

  it('rule 8: is not extended by a renewal that was delayed', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 1, 0));
    take(sessions.renew(who, 1, 1_000, 1_000));
    take(sessions.renew(who, 1, 500, 5_900));
    expect(sessions.nextExpiry).toBe(1_000 + table.lease);
    take(sessions.renew(who, 1, 1_000, 5_950));
    expect(sessions.nextExpiry).toBe(1_000 + table.lease);
  });

  it('rule 8: is not revived by a renewal after its end', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 1, 0));
    expect(take(sessions.renew(who, 1, 5_000, 5_000))).toEqual(['end 1 lease_lost by lease', '1 closed 4010']);
    expect(sessions.open(who)).toBeUndefined();
    expect(take(sessions.renew(who, 1, 5_001, 5_001))).toEqual([]);
    expect(sessions.nextExpiry).toBe(Infinity);
  });

  it('believes no stamp that this node has not made yet, and no other session number', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 1, 0));
    take(sessions.renew(who, 1, 9_000, 100));
    take(sessions.renew(who, 2, 90, 100));
    expect(sessions.nextExpiry).toBe(table.lease);
  });

  it('rule 8: ends the session and not the incarnation', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 1, 0));
    take(sessions.expire(table.lease));
    expect(take(sessions.opening(who, other, 2, 6_000))).toEqual(['opened 2', '3 accepted 2 at 6000']);
  });

  it('ends before anything else is believed by a node that was stopped', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 1, 0));
    expect(take(sessions.opening(who, other, 2, 20_000), 20_000)).toEqual([
      'end 1 lease_lost by lease',
      'opened 2',
      '3 accepted 2 at 20000',
      '1 closed 4010',
    ]);
  });

  it('is at every moment the newest stamp, of those that came in time, and L', () => {
    const renewals = fc.array(
      fc.record({ after: fc.nat(3_000), age: fc.nat(8_000), session: fc.integer({ min: 1, max: 2 }) }),
    );
    fc.assert(
      fc.property(renewals, (all) => {
        const { sessions, take } = bench();
        take(sessions.opening(who, coordinator, 1, 0));
        let now = 0;
        let end = table.lease;
        for (const { after, age, session } of all) {
          now += after;
          const stamp = Math.max(0, now - age);
          if (now < end && session === 1) end = Math.max(end, stamp + table.lease);
          take(sessions.renew(who, session, stamp, now));
          expect(sessions.open(who) !== undefined).toBe(now < end);
        }
      }),
    );
  });
});

describe('a fence', () => {
  it('rule 8: ends the session, refuses the incarnation, and is answered when its jobs are dead', () => {
    const { sessions, take, busy, ended } = bench();
    busy.add(1);
    take(sessions.opening(who, coordinator, 1, 0));
    take(sessions.guard(who, guardian, 1, 0));
    expect(take(sessions.fence(who, guardian, 100))).toEqual(['end 1 fenced by fence', '1 closed 4009']);
    expect(take(sessions.opening(who, other, 2, 101))).toEqual(['3 refused 2 fenced']);
    expect(take(sessions.jobsGone(ended[0] as Session, 4, 300))).toEqual(['2 fenced killed 4 left []']);
  });

  it('is answered at once where nothing runs', () => {
    const { sessions, take } = bench();
    take(sessions.guard(who, guardian, 1, 0));
    expect(take(sessions.fence(who, guardian, 100))).toEqual(['2 fenced killed 0 left []']);
  });

  it('names after K what is still alive, once', () => {
    const { sessions, take, busy, ended } = bench();
    busy.add(1);
    take(sessions.opening(who, coordinator, 1, 0));
    take(sessions.fence(who, guardian, 100));
    expect(take(sessions.fenceOverdue(who, [7, 9]))).toEqual(['2 fenced killed 0 left [7,9]']);
    expect(take(sessions.fenceOverdue(who, [7, 9]))).toEqual([]);
    expect(take(sessions.jobsGone(ended[0] as Session, 2, 900))).toEqual([]);
    expect(take(sessions.fence(who, guardian, 901))).toEqual(['2 fenced killed 2 left []']);
  });

  it('is answered to every guardian that has asked, but to none that is gone', () => {
    const { sessions, take, busy, ended } = bench();
    busy.add(1);
    take(sessions.opening(who, coordinator, 1, 0));
    take(sessions.guard(who, 21, 1, 0));
    take(sessions.fence(who, 21, 1));
    take(sessions.guard(who, 22, 2, 2));
    take(sessions.fence(who, 22, 3));
    take(sessions.linkEnded(who, 21, true, 4));
    expect(take(sessions.jobsGone(ended[0] as Session, 1, 5))).toEqual(['22 fenced killed 1 left []']);
  });

  it('rule 8: is kept for an hour, and then forgotten with the incarnation', () => {
    const { sessions, take } = bench();
    take(sessions.guard(who, guardian, 3, 0));
    take(sessions.fence(who, guardian, 1_000));
    take(sessions.linkEnded(who, guardian, true, 2_000));
    expect(take(sessions.opening(who, coordinator, 1, 1_000 + table.fence - 1))).toEqual(['1 refused 1 fenced']);
    // The refusal was a sign of it: the hour counts from there.
    expect(take(sessions.opening(who, coordinator, 1, 1_000 + 2 * table.fence - 1))).toEqual([
      'opened 1',
      `1 accepted 1 at ${1_000 + 2 * table.fence - 1}`,
    ]);
  });
});

describe('the end that a guardian tells', () => {
  it('rule 8: ends the session and is answered', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 1, 0));
    expect(take(sessions.endedByGuardian(who, guardian, 1, 10))).toEqual([
      'end 1 down by guardian',
      '1 closed 4008',
      '2 ended 1',
    ]);
    expect(take(sessions.endedByGuardian(who, guardian, 1, 20))).toEqual(['2 ended 1']);
  });

  it('keeps a session from opening that was given up before it was seen', () => {
    const { sessions, take } = bench();
    take(sessions.endedByGuardian(who, guardian, 2, 0));
    expect(take(sessions.opening(who, coordinator, 2, 1))).toEqual(['1 refused 2 stale']);
    expect(take(sessions.opening(who, coordinator, 3, 1))).toEqual(['opened 3', '1 accepted 3 at 1']);
  });

  it('does not touch a newer session', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 1, 0));
    take(sessions.opening(who, other, 2, 0));
    expect(take(sessions.endedByGuardian(who, guardian, 1, 10))).toEqual(['2 ended 1']);
    expect(sessions.current(who, other)?.number).toBe(2);
  });
});

describe('guardians', () => {
  it('are numbered: a lower number than one seen is turned away', () => {
    const { sessions, take } = bench();
    expect(take(sessions.guard(who, 21, 2, 0))).toEqual([]);
    expect(take(sessions.guard(who, 22, 1, 1))).toEqual([`22 closed ${CloseCode.staleGuardian}`]);
    expect(sessions.isGuardian(who, 21)).toBe(true);
    expect(sessions.isGuardian(who, 22)).toBe(false);
  });

  it('replace the one before, also on a second link of the same', () => {
    const { sessions, take } = bench();
    take(sessions.guard(who, 21, 1, 0));
    expect(take(sessions.guard(who, 22, 1, 1))).toEqual([`21 closed ${CloseCode.replaced}`]);
    expect(take(sessions.guard(who, 23, 2, 2))).toEqual([`22 closed ${CloseCode.replaced}`]);
    expect(sessions.isGuardian(who, 22)).toBe(false);
    expect(sessions.isGuardian(who, 23)).toBe(true);
  });
});

describe('links that the peer closes', () => {
  const closed = true;
  const silent = false;

  function guarded(): ReturnType<typeof bench> {
    const it = bench();
    it.take(it.sessions.opening(who, coordinator, 1, 0));
    it.take(it.sessions.guard(who, guardian, 1, 0));
    return it;
  }

  it('rule 11: both, and the session ends one second later', () => {
    const { sessions, take } = guarded();
    take(sessions.linkEnded(who, coordinator, closed, 100));
    expect(sessions.nextExpiry).toBe(table.lease);
    take(sessions.linkEnded(who, guardian, closed, 200));
    expect(take(sessions.expire(200 + table.closedGrace - 1))).toEqual([]);
    expect(take(sessions.expire(200 + table.closedGrace))).toEqual(['end 1 down by closed links']);
  });

  it.each([
    ["the coordinator's", silent, closed],
    ["the guardian's", closed, silent],
  ])('rule 11: not when %s link fell silent', (_whose, first, second) => {
    const { sessions, take } = guarded();
    take(sessions.linkEnded(who, coordinator, first, 100));
    take(sessions.linkEnded(who, guardian, second, 100));
    expect(take(sessions.expire(table.lease - 1))).toEqual([]);
    expect(sessions.nextExpiry).toBe(table.lease);
  });

  it('rule 11: not when the guardian comes back in time', () => {
    const { sessions, take } = guarded();
    take(sessions.linkEnded(who, coordinator, closed, 100));
    take(sessions.linkEnded(who, guardian, closed, 100));
    take(sessions.guard(who, other, 1, 900));
    expect(take(sessions.expire(table.lease - 1))).toEqual([]);
  });

  it('rule 11: not when the coordinator comes back in time', () => {
    const { sessions, take } = guarded();
    take(sessions.linkEnded(who, coordinator, closed, 100));
    take(sessions.linkEnded(who, guardian, closed, 100));
    expect(take(sessions.opening(who, other, 2, 900), 900)).toEqual([
      'end 1 down by newer session',
      'opened 2',
      '3 accepted 2 at 900',
    ]);
    expect(take(sessions.expire(1_100))).toEqual([]);
    expect(sessions.open(who)?.number).toBe(2);
  });

  it('rule 11: also where there never was a guardian', () => {
    const { sessions, take } = bench();
    take(sessions.opening(who, coordinator, 1, 0));
    take(sessions.linkEnded(who, coordinator, closed, 100));
    expect(take(sessions.expire(1_100))).toEqual(['end 1 down by closed links']);
  });

  it('rule 11: counts from when both were closed, whatever else ends later', () => {
    const { sessions, take } = guarded();
    take(sessions.guard(who, other, 2, 0));
    take(sessions.linkEnded(who, coordinator, closed, 100));
    take(sessions.linkEnded(who, other, closed, 100));
    // The older guardian's link, which was replaced, is over only now.
    take(sessions.linkEnded(who, guardian, silent, 900));
    expect(take(sessions.expire(1_100))).toEqual(['end 1 down by closed links']);
  });

  it('lets a session whose link is gone go on under its lease', () => {
    const { sessions, take } = guarded();
    take(sessions.linkEnded(who, coordinator, closed, 100));
    take(sessions.renew(who, 1, 4_000, 4_000));
    expect(take(sessions.expire(8_999))).toEqual([]);
    expect(take(sessions.expire(9_000))).toEqual(['end 1 lease_lost by lease']);
  });
});

describe('what is remembered of many incarnations', () => {
  const nameOf = (i: number): string => i.toString(16).padStart(16, '0');

  it('costs those that speak nothing', () => {
    const { sessions, take } = bench();
    const many = 50_000;
    for (let i = 0; i < many; i += 1) take(sessions.fence(nameOf(i), guardian, 1), 1);
    take(sessions.opening(who, coordinator, 1, 1), 1);
    const since = performance.now();
    for (let i = 0; i < many; i += 1) {
      take(sessions.renew(who, 1, 1 + i / many, 2));
      expect(sessions.nextExpiry).toBeGreaterThan(table.lease);
    }
    // Looking at each of them with each message takes a minute.
    expect(performance.now() - since).toBeLessThan(3_000);
  });

  it('is forgotten when nothing of them can arrive any more, and not before', () => {
    const { sessions, take } = bench();
    take(sessions.fence(who, guardian, 1_000));
    sessions.linkEnded(who, guardian, true, 2_000);
    const again = (now: number): string[] => take(sessions.opening(who, coordinator, 1, now));
    expect(again(2_000 + table.fence - 1)).toEqual(['1 refused 1 fenced']);
    expect(again(2_000 + 2 * table.fence)).toEqual(['opened 1', expect.stringContaining('accepted 1')]);
  });

  it('names of the jobs that a fence has left as many as a message takes', () => {
    const { sessions, take, busy } = bench();
    take(sessions.opening(who, coordinator, 1, 0));
    busy.add(1);
    take(sessions.fence(who, guardian, 1));
    const left = Array.from({ length: 5_000 }, (_, i) => i + 1);
    const [said] = sessions.fenceOverdue(who, left);
    expect(said).toMatchObject({ message: { type: 'fenced', left: left.slice(0, 4_096) } });
  });
});
