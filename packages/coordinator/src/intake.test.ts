import { CloseCode, ProtocolError } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import { Intake } from './intake.ts';
import { Lane } from './lane.ts';
import { RowOrder } from './row-order.ts';
import type { Source } from './source.ts';

/** A copy whose batches a test puts there. */
class Played {
  readonly batches: unknown[][];
  readonly consumedWhile: string[] = [];
  readonly violations: number[] = [];
  complete: boolean;
  node = { violated: ({ closeCode }: ProtocolError) => this.violations.push(closeCode) };

  constructor(batches: unknown[][], complete = false) {
    this.batches = batches;
    this.complete = complete;
  }

  get exhausted(): boolean {
    return this.complete && this.batches.length === 0;
  }

  read(): unknown[] | undefined {
    const batch = this.batches.shift();
    if (batch?.[0] === 'unreadable') throw new ProtocolError(CloseCode.badValue, 'x');
    return batch;
  }

  consumed(holding: boolean): void {
    this.consumedWhile.push(holding ? 'holding' : 'done');
  }
}

function bench(
  played: readonly Played[],
  merge: boolean,
): { intake: Intake<number>; lanes: Lane[]; exhausted: number[] } {
  const exhausted: number[] = [];
  const lanes = played.map((source, rank) => {
    const lane = new Lane({ shard: rank, value: new Uint8Array(), nodes: ['a'] }, rank, false);
    lane.source = source as unknown as Source;
    return lane;
  });
  const intake = new Intake<number>({
    lanes,
    merge: merge ? new RowOrder({}, 'j', structuredClone) : undefined,
    exhausted: (lane) => {
      lane.over = true;
      exhausted.push(lane.rank);
    },
  });
  return { intake, lanes, exhausted };
}

describe('what is taken as it comes', () => {
  it('is one batch of each part, together', () => {
    const { intake, exhausted } = bench([new Played([[1, 2], [3]], true), new Played([[10], [11]], true)], false);
    const taken = Array.from({ length: 3 }, () => intake.take(Infinity));
    expect(taken).toEqual([[1, 2, 10], [3, 11], []]);
    expect(exhausted).toEqual([0, 1]);
    expect(intake.received).toBe(5);
  });

  it('is no more than the next batch where that is enough, and then the next part’s', () => {
    const many = Array.from({ length: 300 }, (_, i) => i);
    const { intake } = bench([new Played([many, many]), new Played([[1], many])], false);
    const taken = Array.from({ length: 3 }, () => intake.take(Infinity).length);
    expect(taken).toEqual([300, 301, 300]);
    const asked = bench([new Played([[1]]), new Played([[2]]), new Played([[3]])], false).intake;
    expect([asked.take(2), asked.take(2)]).toEqual([[1, 2], [3]]);
  });
});

describe('what is merged', () => {
  it('waits for every part that may still send', () => {
    const late = new Played([]);
    const { intake } = bench([new Played([[1, 2]], true), late], true);
    expect(intake.take(Infinity)).toEqual([]);
    late.batches.push([0, 3]);
    expect(intake.take(Infinity)).toEqual([0, 1, 2, 3]);
  });

  it('rule 4: is acked when it was handed on, and not what is still held', () => {
    const [ahead, behind] = [new Played([[1, 5]]), new Played([[2]])];
    const { intake } = bench([ahead, behind], true);
    expect(intake.take(Infinity)).toEqual([1, 2]);
    intake.settle();
    expect([ahead.consumedWhile, behind.consumedWhile]).toEqual([['holding'], ['done']]);
    behind.batches.push([9]);
    expect(intake.take(Infinity)).toEqual([5]);
    intake.settle();
    expect([ahead.consumedWhile.at(-1), behind.consumedWhile.at(-1)]).toEqual(['done', 'holding']);
  });

  it('is no more than was asked for', () => {
    const { intake } = bench([new Played([[1, 3, 5]], true), new Played([[2, 4]], true)], true);
    expect([intake.take(2), intake.take(2), intake.take(2)]).toEqual([[1, 2], [3, 4], [5]]);
  });

  it('forgets what waits of a copy that has failed, and takes its successor from the start', () => {
    const { intake, lanes } = bench([new Played([[1, 4]]), new Played([[2]])], true);
    expect(intake.take(1)).toEqual([1]);
    const [lane] = lanes;
    if (lane === undefined) throw new Error('There is a lane.');
    intake.forget(lane);
    expect(intake.take(9)).toEqual([]);
    lane.source = new Played([[1, 4]], true) as unknown as Source;
    expect(intake.take(2)).toEqual([1, 2]);
  });
});

describe('what cannot be read', () => {
  it('breaks the session that it came over, and is thrown', () => {
    const played = new Played([['unreadable']]);
    const { intake } = bench([played], false);
    expect(() => intake.take(1)).toThrow(ProtocolError);
    expect(played.violations).toEqual([CloseCode.badValue]);
  });
});
