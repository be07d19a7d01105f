import { constants } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import { invariants } from '../../checker/check.ts';
import { times } from './table.ts';
import type { Evidence } from './history.ts';
import { checkEvidence, rulesLookedAt } from './history.ts';

const incarnation = '00000000000000aa';
const ref = `${incarnation}-1`;
const t = 1_700_000_000_000;
const table = constants(times);

/** A coordinator is killed after a second, and its jobs are dead 100 ms later. */
const good: Evidence = {
  agents: [
    {
      id: 'n1',
      pid: 10,
      history: [
        { event: 'start', at: t + 100, ref, job: 'spin', pid: 11 },
        { event: 'fence', at: t + 1_050, incarnation },
        { event: 'session-ended', at: t + 1_050, incarnation, session: 1, by: 'guardian' },
        { event: 'gone', at: t + 1_100, ref },
      ],
    },
  ],
  deaths: new Map([[11, t + 1_110]]),
  coordinators: [{ pid: 20, incarnations: [{ incarnation, at: t }], gone: t + 1_000, closed: false, errors: '' }],
  guardians: [{ pid: 30, incarnation, up: t, gone: t + 1_200 }],
  faults: [{ kind: 'kill-coordinator', hits: ['c'], at: t + 1_000, until: t + 1_000 }],
  requests: [],
  left: [],
  end: t + 12_000,
};

const broken = (evidence: Partial<Evidence>): string[] =>
  checkEvidence({ ...good, ...evidence }, table).map(({ rule }) => rule);

function without(event: string): Evidence['agents'] {
  return good.agents.map((agent) => ({ ...agent, history: agent.history.filter((line) => line.event !== event) }));
}

function and(...lines: Evidence['agents'][number]['history']): Evidence['agents'] {
  return good.agents.map((agent) => ({ ...agent, history: [...agent.history, ...lines] }));
}

describe('What was seen of real processes', () => {
  it('satisfies the rules of the simulation when all went well', () => {
    expect(broken({})).toEqual([]);
  });

  it('breaks them where a job lives on', () => {
    expect(broken({ agents: without('gone'), deaths: new Map() })).toEqual(
      expect.arrayContaining(['noOrphans', 'orphansEndAtOnce']),
    );
  });

  it('breaks them where its job dies late, whatever the node has said', () => {
    expect(broken({ agents: without('gone'), deaths: new Map([[11, t + 2_500]]) })).toEqual(['orphansEndAtOnce']);
  });

  it('breaks them where a reference starts twice, or behind a fence', () => {
    const again = { event: 'start', at: t + 1_060, ref, job: 'spin', pid: 12 };
    expect(broken({ agents: and(again) })).toEqual(expect.arrayContaining(['startsOnce', 'noStartAfterFence']));
  });

  it('breaks them where a guardian or a process stays', () => {
    expect(broken({ guardians: [{ pid: 30, incarnation, up: t, gone: undefined }] })).toContain('guardiansLeave');
    expect(broken({ left: [{ node: 'n1', what: 'process 99 sleep' }] })).toEqual(['nothingLeft']);
  });

  it('breaks them where a session ends for no reason', () => {
    const ended = { event: 'session-ended', at: t + 500, incarnation, session: 1, by: 'a whim' };
    expect(broken({ agents: and(ended), faults: [] })).toContain('noNeedlessEnd');
  });

  it('breaks them where an error is no declared one, or nobody has caught it', () => {
    const state = { rows: 0, inOrder: true, ended: true, endedAt: t + 900, error: { code: 'TypeError', message: '?' } };
    expect(broken({ requests: [{ name: 'spin', life: 20, at: t + 10, state, expected: [] }] })).toContain(
      'declaredErrors',
    );
    const [coordinator] = good.coordinators;
    expect(broken({ coordinators: [{ ...coordinator!, errors: 'Uncaught TypeError' }] })).toEqual(['nothingUncaught']);
  });

  it('is looked at by rules that there are', () => {
    expect(Object.keys(invariants)).toEqual(expect.arrayContaining([...rulesLookedAt]));
  });
});
