import type { Failpoint } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import { failpointNames, Failpoints } from './faults/failpoints.ts';
import { faultKinds } from './faults/fault.ts';
import { planFaults } from './faults/plan.ts';
import type { HistoryEvent } from './history/history.ts';
import { plantedBug, plantedBugs } from './planted/planted.ts';
import { runSeed } from './seeds/run-seed.ts';
import { runSeeds } from './seeds/run-seeds.ts';
import { shrink } from './seeds/shrink.ts';
import { Tally } from './seeds/tally.ts';
import { simulate } from './simulate.ts';
import { Random } from './simulation/random.ts';

const named = (events: readonly HistoryEvent[], name: string): HistoryEvent[] =>
  events.filter(({ event }) => event === name);

describe('A simulation', () => {
  it('is a function of its seed', async () => {
    const one = await simulate({ seed: 5 });
    const again = await simulate({ seed: 5 });
    const other = await simulate({ seed: 6 });
    expect(again.history.hash()).toBe(one.history.hash());
    expect(again.events).toBe(one.events);
    expect(other.history.hash()).not.toBe(one.history.hash());
  });

  it('without faults answers everybody as his kind of request is answered', async () => {
    const { history, violations } = await simulate({ seed: 1, scenario: 'mixed', faults: [] });
    expect(violations).toEqual([]);
    const asked = new Map(named(history.events, 'asked').map((event) => [event['request'], event]));
    const answered = named(history.events, 'answered');
    expect(answered.length).toBeGreaterThan(50);
    expect(answered.length).toBe(asked.size);
  });

  it('plays the schedule that it is given, and counts what found something to hurt', async () => {
    const { fired, history } = await simulate({
      seed: 3,
      duration: 10_000,
      faults: [
        { at: 2_000, kind: 'kill-agent', node: 'w1', down: 500 },
        { at: 2_100, kind: 'kill-agent', node: 'w1', down: 500 },
      ],
    });
    expect([...fired]).toEqual([['kill-agent', 1]]);
    expect(named(history.events, 'node-up').filter(({ on }) => on === 'w1')).toHaveLength(2);
  });

  it('in liveness mode asks a core fifty times while the rest is broken', async () => {
    const { history, violations } = await simulate({ seed: 2, mode: 'liveness', duration: 10_000 });
    expect(violations).toEqual([]);
    expect(named(history.events, 'canary').map(({ how }) => how)).toEqual(Array.from({ length: 50 }, () => 'complete'));
  });

  it('with objects sees them arrive whole, gone with their owners, and refused', async () => {
    const { history, violations } = await simulate({ seed: 1, scenario: 'objects' });
    expect(violations).toEqual([]);
    const told = named(history.events, 'object-told');
    expect(told.some(({ whole }) => whole !== undefined)).toBe(true);
    expect(new Set(told.map(({ there }) => there))).toContain(false);
    expect(new Set(told.map(({ refused }) => refused))).toContain('evicted');
  });

  it('writes its history as one JSON object a line', async () => {
    const { history } = await simulate({ seed: 4, duration: 2_000 });
    const lines = history.toJsonl().trimEnd().split('\n');
    expect(lines.map((line) => (JSON.parse(line) as HistoryEvent).seq)).toEqual(lines.map((_, i) => i));
  });
});

describe('Failpoints of the code', () => {
  it('fire where they are on, and nowhere else', async () => {
    const { failpoints, violations } = await simulate({ seed: 5, duration: 10_000, failpoints: ['small-frame'] });
    expect([...failpoints.keys()]).toEqual(['small-frame']);
    expect(violations).toEqual([]);
  });

  it('are one in four by the seed, and each is on in some run', () => {
    const on = Array.from({ length: 40 }, (_, seed) => {
      const points = new Failpoints(new Random(seed));
      for (const name of failpointNames) points.chance(name, 1);
      return [...points.fired.keys()];
    });
    expect(on.flat().length).toBeLessThan((40 * failpointNames.length) / 2);
    expect(new Set(on.flat())).toEqual(new Set(failpointNames));
  });
});

describe('A schedule of faults', () => {
  const plan = (seed: number): ReturnType<typeof planFaults> =>
    planFaults({ random: new Random(seed), nodes: ['w1', 'w2'], duration: 60_000 });

  it('is a function of its seed, and in order', () => {
    expect(plan(1)).toEqual(plan(1));
    const times = plan(1).map(({ at }) => at);
    expect(times).toEqual([...times].sort((a, b) => a - b));
  });

  it('draws every kind sooner or later', () => {
    const kinds = new Set(
      Array.from({ length: 60 }, (_, seed) => plan(seed)).flatMap((faults) => faults.map(({ kind }) => kind)),
    );
    expect([...kinds].sort()).toEqual([...faultKinds].sort());
  });
});

describe('Planted bugs', () => {
  it('have names of their own', () => {
    expect(new Set(plantedBugs.map(({ name }) => name)).size).toBe(plantedBugs.length);
    expect(() => plantedBug('no-such-bug')).toThrow('There is no planted bug');
  });

  it('are all taken out again', () => {
    const undo = plantedBugs.map(({ plant }) => plant());
    for (const one of undo.toReversed()) one();
    return expect(runSeed({ seed: 1, mode: 'safety', duration: 5_000 })).resolves.toMatchObject({ violations: [] });
  });

  it.each([
    ['no-counter', 'startsOnce', 1],
    ['no-lease', 'noOrphans', 1],
    ['killed-refs-are-kept', 'oneEnd', 1],
    ['ack-before-delivery', 'ackedWasDelivered', 1],
    ['kill-not-sent', 'killedEnds', 1],
    // Rarer ones: from where they are not far to seek.
    ['no-vouching', 'noNeedlessEnd', 37],
    ['key-released-with-its-job', 'objectsStay', 16],
  ])('such as %s are caught by %s', async (planted, rule, from) => {
    const rules = new Set<string>();
    for (let seed = from; seed < from + 60 && !rules.has(rule); seed += 1) {
      const { violations } = await runSeed({ seed, mode: 'safety', duration: 60_000, planted });
      for (const violation of violations) rules.add(violation.rule);
    }
    expect([...rules]).toContain(rule);
  });
});

describe('A run over many seeds', () => {
  it('adds up, and says which faults were not run', async () => {
    const tally = new Tally();
    const orders = [1, 2].map((seed) => ({
      seed,
      mode: 'safety' as const,
      duration: 20_000,
      kinds: ['reset' as const],
      twice: seed === 1,
    }));
    for await (const report of runSeeds(orders, 0)) tally.add(report);
    expect([tally.seeds, tally.twice, tally.failed]).toEqual([2, 1, 0]);
    expect(tally.notRun.filter((name) => !failpointNames.includes(name as Failpoint))).toEqual(
      faultKinds.filter((kind) => kind !== 'reset'),
    );
    expect(tally.table(1_000)).toMatch(/fault partition +not run/);
    expect(tally.table(1_000)).toMatch(/failpoint \S+ +(not run|\d)/);
  });

  it('counts seeds by the rule that they broke', () => {
    const tally = new Tally();
    const violation = { rule: 'noOrphans', at: 1, what: '' };
    const report = { mode: 'safety' as const, events: 1, simulated: 1, fired: {}, failpoints: {} };
    for (const seed of [1, 2]) tally.add({ seed, ...report, violations: [violation, violation] });
    expect(tally.failures.get('noOrphans')).toMatchObject({ seeds: 2, report: { seed: 1 } });
  });

  it('shrinks the schedule of one that failed to the faults that it takes', async () => {
    const order = { seed: 1, mode: 'safety' as const, duration: 20_000, kinds: ['reset' as const] };
    const none = { ...order, planted: 'window-off-by-one-row' };
    expect((await shrink(none, 'windowGranted')).kept).toEqual([]);
  });

  it('leaves those in without which it would not have failed', async () => {
    const kinds = ['kill-agent' as const, 'slow' as const];
    const order = { mode: 'safety' as const, duration: 20_000, kinds, planted: 'down-told-to-nobody' };
    let seed = 1;
    while ((await runSeed({ seed, ...order })).violations.every(({ rule }) => rule !== 'oneEnd')) seed += 1;
    const { faults } = await shrink({ seed, ...order }, 'oneEnd');
    expect(faults.map(({ kind }) => kind)).toContain('kill-agent');
    expect(faults.map(({ kind }) => kind)).not.toContain('slow');
  });
});
