import type { Message } from '@muster/rexi';
import { constants, surelyDeadAfter } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import type { GuardianEffect } from './guardian-core.ts';
import { GuardianCore } from './guardian-core.ts';

const table = constants();
const bound = surelyDeadAfter(table);
const a = 'ws://a:1';
const b = 'ws://b:1';
const fenced: Message = { type: 'fenced', killed: 1, left: [] };

function words(effects: readonly GuardianEffect[]): string[] {
  return effects.map((effect) => {
    if (effect.do === 'send') return `${effect.address} ${inWords(effect.message)}`;
    if (effect.do === 'say') return `say ${Object.values(effect.message).join(' ')}`;
    return effect.do === 'exit' ? `exit ${effect.code}` : `dial ${effect.address} as ${effect.node}`;
  });
}

function inWords(message: Message): string {
  if (message.type === 'renew') return `renew ${message.session} at ${message.stamp}`;
  if (message.type === 'guard') return `guard ${message.number}`;
  return message.type === 'end' ? `end ${message.session}` : message.type;
}

/** A guardian that is linked to these nodes, and vouches for session 1 of each. */
function linked(...addresses: string[]): GuardianCore {
  const core = new GuardianCore(table, 4, 0);
  for (const address of addresses) {
    core.told({ do: 'node', address, node: 'n' }, 0);
    core.linked(address);
    core.told({ do: 'session', address, session: 1, bound: 6_000 }, 0);
  }
  return core;
}

/** Ticks each heartbeat up to `until`; what it did, with the time in front. */
function ticks(core: GuardianCore, from: number, until: number): string[] {
  const done: string[] = [];
  for (let now = from; now <= until; now += table.heartbeat)
    done.push(...words(core.tick(now)).map((line) => `${now} ${line}`));
  return done;
}

describe('a guardian', () => {
  it('dials a node that it is told of, says its number there, and only then that it is linked', () => {
    const core = new GuardianCore(table, 4, 0);
    expect(words(core.told({ do: 'node', address: a, node: 'w1' }, 0))).toEqual([`dial ${a} as w1`]);
    expect(words(core.linked(a))).toEqual([`${a} guard 4`, `say linked ${a}`]);
    expect(words(core.told({ do: 'node', address: a, node: 'w1' }, 0))).toEqual([`say linked ${a}`]);
  });

  it('does not dial twice while it is not linked, and answers once it is', () => {
    const core = new GuardianCore(table, 1, 0);
    core.told({ do: 'node', address: a, node: 'w1' }, 0);
    expect(core.told({ do: 'node', address: a, node: 'w1' }, 0)).toEqual([]);
    expect(words(core.linked(a))).toEqual([`${a} guard 1`, `say linked ${a}`]);
    core.unlinked(a);
    expect(core.wants(a)).toBe(true);
    expect(words(core.linked(a))).toEqual([`${a} guard 1`]);
  });

  it('acknowledges a block of counters', () => {
    expect(words(linked().told({ do: 'block', to: 4_096 }, 0))).toEqual(['say registered 4096']);
  });

  it('answers every beat, also while it fences', () => {
    const core = linked(a);
    expect(words(core.told({ do: 'beat' }, 0))).toEqual(['say alive']);
    core.pipeEnded(1);
    expect(words(core.told({ do: 'beat' }, 2))).toEqual(['say alive']);
  });
});

describe('a guardian that cannot reach a node', () => {
  it('waits for as long as that node’s own lease needs, where it is longer than ours', () => {
    const core = linked(a);
    core.told({ do: 'session', address: a, session: 2, bound: 60_000 }, 0);
    core.unlinked(a);
    core.pipeEnded(0);
    expect(core.tick(59_000)).toEqual([]);
    expect(words(core.tick(60_001))).toEqual(['exit 3']);
  });
});

describe('a guardian that vouches', () => {
  it('rule 8: echoes stamps for live sessions, and for no others', () => {
    const core = linked(a);
    expect(words(core.heard(a, { type: 'heartbeat', stamp: 77 }, 10))).toEqual([`${a} renew 1 at 77`]);
    core.told({ do: 'node', address: b, node: 'n' }, 0);
    core.linked(b);
    expect(core.heard(b, { type: 'heartbeat', stamp: 5 }, 10)).toEqual([]);
  });

  it('rule 9: stops after `end`, tells the node, and answers with the newest stamp it echoed', () => {
    const core = linked(a);
    core.heard(a, { type: 'heartbeat', stamp: 90 }, 10);
    core.heard(a, { type: 'heartbeat', stamp: 80 }, 11);
    expect(words(core.told({ do: 'end', address: a, session: 1 }, 20))).toEqual([`${a} end 1`, `say ended ${a} 1 90`]);
    expect(core.heard(a, { type: 'heartbeat', stamp: 99 }, 30)).toEqual([]);
  });

  it('rule 9: answers `end` also for a node that it does not reach', () => {
    const core = linked(a);
    core.unlinked(a);
    expect(words(core.told({ do: 'end', address: a, session: 1 }, 20))).toEqual([`say ended ${a} 1 0`]);
  });

  it('rule 9: does not stop for the end of an older session', () => {
    const core = linked(a);
    core.told({ do: 'session', address: a, session: 2, bound: 6_000 }, 5);
    expect(words(core.told({ do: 'end', address: a, session: 1 }, 20))).toEqual([`${a} end 1`, `say ended ${a} 1 0`]);
    expect(words(core.heard(a, { type: 'heartbeat', stamp: 99 }, 30))).toEqual([`${a} renew 2 at 99`]);
  });

  it('does so for a coordinator that stalls, up to V, and no longer', () => {
    const core = linked(a);
    core.told({ do: 'beat' }, 500);
    expect(ticks(core, 1_000, 30_000)).toEqual([]);
    expect(core.heard(a, { type: 'heartbeat', stamp: 1 }, 500 + table.vouch)).toHaveLength(1);
    expect(core.heard(a, { type: 'heartbeat', stamp: 2 }, 501 + table.vouch)).toEqual([]);
  });
});

describe('a guardian fences', () => {
  it('when its pipe ends: every node, and goes when all have answered', () => {
    const core = linked(a, b);
    expect(words(core.pipeEnded(100))).toEqual([`${a} fence`, `${b} fence`]);
    expect(core.pipeEnded(101)).toEqual([]);
    expect(words(core.heard(a, fenced, 120))).toEqual([]);
    expect(words(core.heard(b, fenced, 130))).toEqual(['exit 0']);
  });

  it('nobody where it knows nobody, and goes at once', () => {
    expect(words(new GuardianCore(table, 1, 0).pipeEnded(1))).toEqual(['exit 0']);
  });

  it('when it is released, and says nothing of it', () => {
    expect(words(linked(a).told({ do: 'release' }, 5))).toEqual([`${a} fence`]);
  });

  it('a coordinator that has stalled for more than V, and says so first', () => {
    const core = linked(a);
    expect(ticks(core, 1_000, 31_000)).toEqual([
      '31000 say fencing the coordinator gave no sign of life',
      `31000 ${a} fence`,
    ]);
    expect(core.told({ do: 'block', to: 9 }, 31_001)).toEqual([]);
    expect(words(core.heard(a, fenced, 31_010))).toEqual(['exit 0']);
  });

  it('rule 10: not at a tick that is late, for what was said meanwhile may wait in the pipe', () => {
    const core = linked(a);
    ticks(core, 1_000, 5_000);
    expect(core.tick(60_000)).toEqual([]);
    core.told({ do: 'beat' }, 60_001);
    expect(core.tick(61_000)).toEqual([]);
  });

  it('and asks again where jobs took longer than K', () => {
    const core = linked(a);
    core.pipeEnded(0);
    expect(words(core.heard(a, { type: 'fenced', killed: 0, left: [3] }, 500))).toEqual([`${a} fence`]);
    expect(words(core.heard(a, fenced, 600))).toEqual(['exit 0']);
  });

  it('a node that it links to only afterwards, with its number first', () => {
    const core = linked(a);
    core.told({ do: 'node', address: b, node: 'n' }, 0);
    expect(words(core.pipeEnded(10))).toEqual([`${a} fence`]);
    expect(core.wants(b)).toBe(true);
    expect(words(core.linked(b))).toEqual([`${b} guard 4`, `${b} fence`]);
    core.heard(a, fenced, 20);
    expect(core.wants(a)).toBe(false);
    expect(words(core.heard(b, fenced, 30))).toEqual(['exit 0']);
  });

  it('and leaves with 3 when a node cannot be told, but not before its leases must have ended', () => {
    const core = linked(a, b);
    core.heard(b, { type: 'heartbeat', stamp: 1 }, 2_000);
    core.unlinked(b);
    core.pipeEnded(1_000);
    core.heard(a, fenced, 1_010);
    const done = ticks(core, 2_000, 12_000);
    const first = Number(done[0]?.split(' ')[0]);
    expect(done[0]).toMatch(/ exit 3$/);
    expect(first).toBeGreaterThan(2_000 + bound);
    expect(first).toBeLessThanOrEqual(2_000 + bound + table.heartbeat);
  });

  it('renews nothing from then on', () => {
    const core = linked(a);
    core.pipeEnded(0);
    expect(core.heard(a, { type: 'heartbeat', stamp: 9 }, 1)).toEqual([]);
  });
});
