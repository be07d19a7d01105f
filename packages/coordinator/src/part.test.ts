import type { ErrorCode } from '@muster/rexi';
import { ClusterError, codes } from '@muster/rexi';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { PartEffect } from './part.ts';
import { Part } from './part.ts';

const nodes = ['n0', 'n1', 'n2'];
const lost = new ClusterError('executor_lost', 'lost');

function words(effects: readonly PartEffect[]): string[] {
  return effects.map((effect) => {
    if (effect.do === 'cast') return `cast ${effect.copy} at ${effect.node}`;
    if (effect.do === 'fail') return `fail ${effect.error.code}`;
    return 'copy' in effect ? `${effect.do} ${effect.copy}` : effect.do;
  });
}

describe('a part', () => {
  it('casts one copy, starts it when it is ready, and is complete with it', () => {
    const part = new Part({ nodes, race: false });
    expect(words(part.begin(true))).toEqual(['cast 0 at n0', 'arm']);
    expect(words(part.ready(0))).toEqual(['start 0']);
    expect(part.late()).toEqual([]);
    expect(part.complete(0)).toEqual([]);
    expect(part.replaced).toBe(0);
  });

  it('of a function starts nothing: its value is there when it is ready', () => {
    const part = new Part({ nodes, race: false });
    expect(words(part.begin(false))).toEqual(['cast 0 at n0']);
    expect(part.ready(0)).toEqual([]);
  });

  it('casts the next copy when the first is late, and keeps whichever is ready first', () => {
    const part = new Part({ nodes, race: false });
    part.begin(true);
    expect(words(part.late())).toEqual(['cast 1 at n1', 'arm']);
    expect(words(part.ready(1))).toEqual(['cancel 0', 'start 1']);
    expect(words(part.ready(0))).toEqual(['cancel 0']);
  });

  it('races all copies where that is asked for', () => {
    const part = new Part({ nodes, race: true });
    expect(words(part.begin(true))).toEqual(['cast 0 at n0', 'cast 1 at n1', 'cast 2 at n2']);
    expect(words(part.ready(2))).toEqual(['cancel 0', 'cancel 1', 'start 2']);
  });

  it('replaces a copy that failed, until there is none left', () => {
    const part = new Part({ nodes, race: false });
    part.begin(true);
    part.ready(0);
    expect(words(part.failed(0, lost))).toEqual(['cast 1 at n1', 'arm']);
    expect(words(part.failed(1, lost))).toEqual(['cast 2 at n2']);
    expect(words(part.failed(2, lost))).toEqual(['fail executor_lost']);
    expect(part.replaced).toBe(2);
  });

  it('ends with what happened first to a copy that was cast, and not with why the last one could not be', () => {
    const part = new Part({ nodes, race: false });
    const away = new ClusterError('down', 'The node is dialling.');
    part.begin(false);
    expect(words(part.notCast(0, away))).toEqual(['cast 1 at n1']);
    expect(words(part.failed(1, lost))).toEqual(['cast 2 at n2']);
    expect(words(part.notCast(2, away))).toEqual(['fail executor_lost']);
  });

  it('says why none could be cast where that is all there is to say', () => {
    const part = new Part({ nodes: ['n0'], race: false });
    part.begin(false);
    expect(words(part.notCast(0, new ClusterError('down', 'The node is dialling.')))).toEqual(['fail down']);
  });

  it('does not replace a copy whose row was handed on', () => {
    const part = new Part({ nodes, race: false });
    part.begin(true);
    part.ready(0);
    part.handedOn();
    expect(words(part.failed(0, lost))).toEqual(['fail executor_lost']);
  });

  it('does not cast another while one is still under way', () => {
    const part = new Part({ nodes, race: false });
    part.begin(true);
    part.late();
    expect(part.failed(0, lost)).toEqual([]);
    expect(words(part.failed(1, lost))).toEqual(['cast 2 at n2']);
  });

  it('replaces for what another node may cure, and for nothing that every copy would say', () => {
    const cured = (Object.keys(codes) as ErrorCode[]).filter((code) => {
      const part = new Part({ nodes, race: false });
      part.begin(false);
      return words(part.failed(0, new ClusterError(code, 'x')))[0] === 'cast 1 at n1';
    });
    expect(cured.sort()).toEqual(
      [
        'down',
        'executor_lost',
        'lease_lost',
        'maintenance',
        'overloaded',
        'protocol_error',
        'timeout',
        'unavailable',
        'unknown_job',
        'unreachable',
      ].sort(),
    );
  });
});

describe('what a job has thrown', () => {
  const thrown = new ClusterError('job_failed', 'thrown');

  it('is the answer of a part that is no shard, and may be the fault of one copy of a part that is', () => {
    const [plain, sharded] = [new Part({ nodes, race: false }), new Part({ nodes, race: false, sharded: true })];
    plain.begin(false);
    sharded.begin(false);
    expect(words(plain.failed(0, thrown))).toEqual(['fail job_failed']);
    expect(words(sharded.failed(0, thrown))).toEqual(['cast 1 at n1']);
    sharded.failed(1, thrown);
    expect(words(sharded.failed(2, thrown))).toEqual(['fail job_failed']);
  });
});

type Event =
  | { readonly on: 'ready' | 'failed' | 'complete'; readonly copy: number }
  | { readonly on: 'late' | 'handedOn' | 'end' };
const copy = fc.nat(3);
const event: fc.Arbitrary<Event> = fc.oneof(
  fc.record({ on: fc.constantFrom('ready' as const, 'failed' as const, 'complete' as const), copy }),
  fc.record({ on: fc.constantFrom('late' as const, 'handedOn' as const) }),
  { arbitrary: fc.record({ on: fc.constant('end' as const) }), weight: 1 },
);

describe('a part under any events', () => {
  it('answers a shard at most once, and every copy that was cast ends in complete, failed or cancel', () => {
    const plan = fc.record({ race: fc.boolean(), stream: fc.boolean(), events: fc.array(event, { maxLength: 30 }) });
    fc.assert(
      fc.property(plan, ({ race, stream, events }) => {
        const part = new Part({ nodes, race });
        /** What became of each copy, seen from outside. */
        const open = new Set<number>();
        const cast = new Set<number>();
        let running: number | undefined;
        let handed = false;
        let over = false;
        const take = (effects: readonly PartEffect[]): void => {
          for (const effect of effects) {
            if (effect.do === 'cast') {
              expect(cast.has(effect.copy)).toBe(false);
              expect(over).toBe(false);
              expect(handed).toBe(false);
              cast.add(effect.copy);
              open.add(effect.copy);
            } else if (effect.do === 'start') {
              expect(stream && open.has(effect.copy) && running === undefined).toBe(true);
              running = effect.copy;
            } else if (effect.do === 'cancel') {
              open.delete(effect.copy);
              if (running === effect.copy) running = undefined;
            } else if (effect.do === 'fail') {
              expect(over).toBe(false);
              over = true;
            }
          }
        };
        take(part.begin(stream));
        for (const step of events) {
          // Only what can happen: an ended copy says nothing, and only the chosen one completes or is read.
          if ('copy' in step && !open.has(step.copy)) continue;
          if (step.on === 'ready' && step.copy === part.chosen) continue;
          if (step.on === 'ready') take(part.ready(step.copy));
          else if (step.on === 'failed') {
            open.delete(step.copy);
            if (running === step.copy) running = undefined;
            take(part.failed(step.copy, lost));
          } else if (step.on === 'complete' && step.copy === part.chosen) {
            open.delete(step.copy);
            running = undefined;
            over = true;
            take(part.complete(step.copy));
          } else if (step.on === 'late') take(part.late());
          else if (step.on === 'handedOn' && part.chosen !== undefined && !over) {
            handed = true;
            part.handedOn();
          } else if (step.on === 'end') {
            over = true;
            take(part.end());
          }
          if (part.chosen !== undefined && !over) expect([...open]).toEqual([part.chosen]);
        }
        over = true;
        take(part.end());
        expect([...open]).toEqual([]);
      }),
      { numRuns: 2_000 },
    );
  });
});

describe('a copy that was cancelled because another one was faster', () => {
  it('is asked again when that one fails before a row was handed on', () => {
    const part = new Part({ nodes: ['slow', 'broken'], race: true, sharded: true });
    part.begin(true);
    expect(part.ready(1)).toEqual([
      { do: 'cancel', copy: 0 },
      { do: 'start', copy: 1 },
    ]);
    const [again] = part.failed(1, new ClusterError('executor_lost', 'gone'));
    expect(again).toEqual({ do: 'cast', copy: 2, node: 'slow' });
  });
});
