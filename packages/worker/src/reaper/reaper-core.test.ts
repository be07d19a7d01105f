import { describe, expect, it } from 'vitest';
import { virtualClock } from '../../../rexi/src/testing/virtual-clock.ts';
import type { Prey } from './hunter.ts';
import type { ReaperEffect, ReaperEvent, ReaperState } from './reaper-core.ts';
import { interval, newReaper, reap } from './reaper-core.ts';
import type { ToReaper } from './words.ts';
import { lines } from './words.ts';

const lease = 1_000;
const prey: Prey = { pid: 42, start: 7, marker: 'MUSTER_EXECUTOR=n/1' };

/** A reaper on a clock that stands still until it is moved. */
class Rig {
  readonly clock = virtualClock(5_000);
  readonly effects: ReaperEffect[] = [];
  state: ReaperState = newReaper(this.clock.now());

  constructor() {
    this.tell({ type: 'hello', lease, scratch: '/data/executors' });
    this.tell({ type: 'watch', prey, dir: '/data/executors/1' });
    this.tick();
  }

  tell(word: ToReaper): void {
    this.handle({ type: 'told', word, now: this.clock.now() });
  }

  handle(event: ReaperEvent): void {
    const [state, effects] = reap(this.state, event);
    this.state = state;
    this.effects.push(...effects);
  }

  tick(): void {
    this.handle({ type: 'tick', now: this.clock.now() });
    this.clock.after(interval(lease), () => this.tick());
  }

  beat(ms: number): void {
    this.clock.after(ms, () => {
      this.tell({ type: 'beat' });
      this.beat(ms);
    });
  }

  get reaped(): Extract<ReaperEffect, { do: 'reap' }>[] {
    return this.effects.filter((effect) => effect.do === 'reap');
  }
}

describe('a reaper', () => {
  it('answers what it is told to watch', () => {
    expect(new Rig().effects).toEqual([{ do: 'answer', word: { type: 'watching', pid: 42 } }]);
  });

  it('answers every beat, so that its agent knows that it lives', () => {
    const rig = new Rig();
    rig.tell({ type: 'beat' });
    rig.tell({ type: 'beat' });
    const beat = { do: 'answer', word: { type: 'beat' } };
    expect(rig.effects.slice(1)).toEqual([beat, beat]);
  });

  it('leaves an agent alone that beats, for as long as it does', () => {
    const rig = new Rig();
    rig.beat(lease / 5);
    rig.clock.advance(100 * lease);
    expect(rig.reaped).toEqual([]);
  });

  it('kills when the agent was silent for one lease, not before, and once', () => {
    const rig = new Rig();
    rig.clock.advance(lease);
    expect(rig.reaped).toEqual([]);
    rig.clock.advance(2 * interval(lease));
    expect(rig.reaped).toMatchObject([{ charges: [{ prey }], dirs: ['/data/executors/1'] }]);
    rig.clock.advance(10 * lease);
    rig.handle({ type: 'closed' });
    expect(rig.reaped).toHaveLength(1);
  });

  it('kills at once when the pipe ends, and leaves no directory', () => {
    const rig = new Rig();
    rig.handle({ type: 'closed' });
    expect(rig.reaped).toMatchObject([{ charges: [{ prey }], dirs: ['/data/executors'] }]);
  });

  it('kills nothing that it was told to forget', () => {
    const rig = new Rig();
    rig.tell({ type: 'forget', pid: 42 });
    rig.handle({ type: 'closed' });
    expect(rig.reaped).toMatchObject([{ charges: [] }]);
  });

  it('judges nothing when it was stopped itself, until the pipe has been read', () => {
    const rig = new Rig();
    const woken = rig.clock.now() + 20 * lease;
    rig.handle({ type: 'tick', now: woken });
    expect(rig.reaped).toEqual([]);
    // What waited in the pipe shows that the agent is alive.
    rig.handle({ type: 'told', word: { type: 'beat' }, now: woken + 1 });
    rig.handle({ type: 'tick', now: woken + interval(lease) });
    expect(rig.reaped).toEqual([]);
  });

  it('kills after such a stop when there was nothing in the pipe', () => {
    const rig = new Rig();
    const woken = rig.clock.now() + 20 * lease;
    rig.handle({ type: 'tick', now: woken });
    rig.handle({ type: 'tick', now: woken + interval(lease) });
    expect(rig.reaped).toHaveLength(1);
  });
});

describe('lines', () => {
  it('come whole, however the stream is cut', () => {
    const taken: string[] = [];
    const take = lines((line) => taken.push(line));
    for (const chunk of ['a', 'b\n', 'c\nd\n\ne', 'f', '\n']) take(chunk);
    expect(taken).toEqual(['ab', 'c', 'd', '', 'ef']);
  });
});
