import { virtualClock } from '@muster/rexi/testing';
import type { VirtualClock } from '@muster/rexi/testing';
import { describe, expect, it } from 'vitest';
import type { NoticeSource } from '../request.ts';
import type { ProgressBar, ProgressOptions } from './progress-bar.ts';
import { progressBar } from './progress-bar.ts';
import { progressText } from './text.ts';

const from = (ref: string): NoticeSource => ({ ref, node: 'w1', trace: undefined });

interface Rig {
  readonly clock: VirtualClock;
  readonly written: string[];
  readonly bar: ProgressBar;
}

function rig(isTTY: boolean, options: Partial<ProgressOptions> = {}, columns = 100): Rig {
  const clock = virtualClock();
  const written: string[] = [];
  const stream = { isTTY, columns, write: (text: string) => written.push(text) };
  return { clock, written, bar: progressBar({ stream, clock, label: 'ingest', ...options }) };
}

describe('on a terminal', () => {
  it('is a bar with the first word, drawn anew in its line, and left at the end', async () => {
    const { clock, written, bar } = rig(true, { total: 1_000 });
    bar.add(250);
    await clock.pass(1_000);
    bar.add(250);
    bar.end();
    expect(written).toEqual([
      '\ringest  [######------------------]  25%  250/1,000  0.0s left  0.0s\u001b[K',
      '\ringest  [############------------]  50%  500/1,000  1.0s left  1.0s\u001b[K',
      '\n',
    ]);
  });

  it('is drawn ten times a second at most, and then as it is by then', async () => {
    const { clock, written, bar } = rig(true);
    for (let i = 0; i < 1_000; i += 1) {
      bar.add();
      await clock.pass(1);
    }
    expect(written.length).toBeLessThanOrEqual(11);
    expect(written.at(-1)).toMatch(/ingest {2}1,000 {2}/);
  });

  it('never fills the line', () => {
    const { written, bar } = rig(true, { total: 10 }, 20);
    bar.add();
    expect(written).toEqual(['\ringest  [##--------\u001b[K']);
  });
});

describe('elsewhere', () => {
  it('is a line now and then, and one at the end', async () => {
    const { clock, written, bar } = rig(false);
    for (let i = 0; i < 12; i += 1) {
      bar.add();
      await clock.pass(1_000);
    }
    bar.end();
    expect(written).toEqual(['ingest  5  5.0s\n', 'ingest  10  10s\n', 'ingest  12  12s\n']);
  });
});

describe('what jobs say', () => {
  const shown = ({ bar, written }: Rig): string | undefined => {
    bar.end();
    return written.at(-1);
  };

  it('is added up over the parts, of which each tells its newest', () => {
    const r = rig(false);
    r.bar.onProgress({ done: 1, total: 10 }, 'a', from('r-1'));
    r.bar.onProgress({ done: 5, total: 10 }, 'a', from('r-1'));
    r.bar.onProgress(2, undefined, from('r-2'));
    r.bar.onProgress({ done: 3, total: 10 }, undefined, from('r-3'));
    expect(shown(r)).toContain('50%  10/20');
  });

  it('is taken over by the copy that takes the place of one that was lost', () => {
    const r = rig(false, { total: 10 });
    r.bar.onProgress(9, 1, from('r-1'));
    r.bar.onProgress(4, 1, from('r-2'));
    r.bar.onProgress(1, '1', from('r-3'));
    expect(shown(r)).toContain('5/10');
  });

  it('is nothing where it says nothing', () => {
    const r = rig(false);
    for (const value of [undefined, null, 'x', -1, Number.NaN, Infinity, {}, { done: '3' }, [], 2n]) {
      r.bar.onProgress(value, undefined, from('r-1'));
    }
    expect(shown(r)).toBeUndefined();
  });
});

describe('the end', () => {
  it('may be said twice, and nothing comes behind it', async () => {
    const { clock, written, bar } = rig(true);
    {
      using scoped = bar;
      scoped.add(1);
      scoped.add(1);
    }
    const before = written.length;
    bar.end();
    bar.add(1);
    await clock.pass(10_000);
    expect(written).toHaveLength(before);
    expect(written.at(-1)).toBe('\n');
  });

  it('of a bar that nothing was said to writes nothing', () => {
    const { written, bar } = rig(true);
    bar.end();
    expect(written).toEqual([]);
  });
});

it('a stream that breaks hurts nobody', () => {
  let told: (() => void) | undefined;
  const stream = {
    isTTY: true,
    write(): never {
      throw new Error('EPIPE');
    },
    on: (_event: 'error', heard: () => void) => (told = heard),
  };
  const bar = progressBar(stream);
  bar.add();
  bar.end();
  told?.();
  expect(told).toBeTypeOf('function');
});

it.each([
  [{ done: 30, total: 20, elapsed: 61_000 }, '[########################]  100%  30/20  1m01s'],
  [{ done: 1, total: 3_600, elapsed: 2_000 }, '[------------------------]  0%  1/3,600  1h59m left  2.0s'],
  [{ done: 1_234_567.8, total: undefined, elapsed: 59_999 }, '1,234,567  1m00s'],
])('a progress of %j is %s', (view, text) => {
  expect(progressText({ label: '', ...view })).toBe(text);
});

it('a label steers no terminal', () => {
  expect(progressText({ label: 'a\u001b[2J\nb', done: 1, total: undefined, elapsed: 0 })).toBe('a?[2J?b  1  0.0s');
});
