import { ClusterError, ValueCodec } from '@muster/rexi';
import { describe, expect, it } from 'vitest';
import { BadWord } from './bad-word.ts';
import type { Notice } from './notice.ts';
import { checkNotice, lineBytes, mostLines, packLine, packProgress, progressBytes, sizeOf } from './notice.ts';
import { Notices } from './notices.ts';

const codec = new ValueCodec();
const line = (text: string): Uint8Array => packLine(codec, text);
const messages = ({ lines }: Notice): string[] =>
  lines.map((packed) => (codec.unpack(packed) as { message: string }).message);

class Rig {
  readonly sent: Notice[] = [];
  readonly notices: Notices;
  #ends: (() => void)[] = [];

  constructor() {
    this.notices = new Notices({
      codec,
      send: (notice) => this.sent.push(notice),
      atEnd: (run) => this.#ends.push(run),
    });
  }

  endTurn(): void {
    for (const run of this.#ends.splice(0)) run();
  }

  get last(): Notice {
    return this.sent.at(-1) as Notice;
  }
}

/** A rig of which one notice is under way. */
function busy(): Rig {
  const rig = new Rig();
  rig.notices.ping();
  rig.endTurn();
  return rig;
}

describe('Notices of a job', () => {
  it('go together at the end of the turn', () => {
    const { notices, sent, endTurn } = bound(new Rig());
    notices.ping();
    notices.progress(codec.pack(1));
    notices.log(line('a'));
    expect(sent).toEqual([]);
    endTurn();
    expect(sent).toEqual([{ ping: true, value: codec.pack(1), lines: [line('a')] }]);
  });

  it('wait while one is under way; then the newest progress goes, one ping, and every line', () => {
    const rig = busy();
    for (let i = 0; i < 100; i += 1) {
      rig.notices.ping();
      rig.notices.progress(codec.pack(i));
    }
    for (const text of ['a', 'b']) rig.notices.log(line(text));
    rig.endTurn();
    expect(rig.sent).toHaveLength(1);
    rig.notices.noted(true);
    rig.endTurn();
    expect(rig.sent).toHaveLength(2);
    expect(rig.last).toEqual({ ping: true, value: codec.pack(99), lines: [line('a'), line('b')] });
  });

  it('are not repeated when they were taken and nothing new was said', () => {
    const rig = busy();
    rig.notices.noted(true);
    rig.endTurn();
    expect(rig.sent).toHaveLength(1);
  });

  it('keep the first lines beyond what there is room for, and say how many were dropped', () => {
    const rig = busy();
    for (let i = 0; i < mostLines + 3; i += 1) rig.notices.log(line(`line ${i}`));
    rig.notices.noted(true);
    rig.endTurn();
    const heard = messages(rig.last);
    expect(heard).toHaveLength(mostLines + 1);
    expect(heard.slice(-2)).toEqual([`line ${mostLines - 1}`, '3 lines dropped']);
    expect(codec.unpack(rig.last.lines.at(-1) as Uint8Array)).toMatchObject({ fields: { dropped: 3 } });
  });

  it('hold no more bytes than those of a few long lines and one progress', () => {
    const rig = busy();
    for (let i = 0; i < 10_000; i += 1) {
      rig.notices.log(line('x'.repeat(60_000)));
      rig.notices.progress(codec.pack(i));
    }
    rig.notices.noted(true);
    rig.endTurn();
    expect(messages(rig.last).at(-1)).toBe('9996 lines dropped');
    expect(sizeOf(rig.last)).toBeLessThan(257 * 1024);
  });

  it('that were not taken are said again, in front of what came since; an older progress is past', () => {
    const rig = new Rig();
    rig.notices.progress(codec.pack('old'));
    rig.notices.log(line('a'));
    rig.endTurn();
    rig.notices.progress(codec.pack('new'));
    rig.notices.log(line('b'));
    rig.notices.noted(false);
    rig.endTurn();
    expect(rig.last).toEqual({ ping: false, value: codec.pack('new'), lines: [line('a'), line('b')] });
  });

  it('that were not taken again and again stay as bounded as before', () => {
    const rig = busy();
    for (let i = 0; i < 5; i += 1) {
      for (let n = 0; n < 1_000; n += 1) rig.notices.log(line('many'));
      rig.notices.noted(false);
      rig.endTurn();
      expect(rig.last.lines.length).toBeLessThanOrEqual(mostLines + 1);
    }
  });

  it('go before the end without waiting, and not after it', () => {
    const rig = busy();
    rig.notices.progress(codec.pack('last'));
    rig.notices.close();
    expect(rig.last.value).toEqual(codec.pack('last'));
    rig.notices.ping();
    rig.notices.noted(true);
    rig.endTurn();
    expect(rig.sent).toHaveLength(2);
  });
});

describe('Notices of a job that was asked to end', () => {
  it('are not heard any more: neither what waits for the end of the turn nor what comes after it', () => {
    const rig = new Rig();
    rig.notices.log(line('on its way'));
    rig.notices.abort();
    rig.endTurn();
    rig.notices.ping();
    rig.notices.noted(false);
    rig.endTurn();
    expect(rig.sent).toEqual([]);
  });

  it('that were under way are not said again when there was no room for them', () => {
    const rig = busy();
    rig.notices.abort();
    rig.notices.noted(false);
    rig.endTurn();
    expect(rig.sent).toHaveLength(1);
  });
});

describe('What a job may say at once', () => {
  it('is a progress of 2 MiB; more is refused where it is said, with the limit', () => {
    expect(packProgress(codec, 'x'.repeat(progressBytes - 6))).toHaveLength(progressBytes);
    const tooMuch = (): unknown => packProgress(codec, 'x'.repeat(progressBytes));
    expect(tooMuch).toThrow(ClusterError);
    expect(tooMuch).toThrow(/2097158 bytes is larger than 2097152/);
  });

  it.each([
    ['message', packLine(codec, '€'.repeat(100_000))],
    ['message that is larger than any value', packLine(codec, 'x'.repeat(20_000_000), { a: 1 })],
    ['field', packLine(codec, 'hello', { text: 'x'.repeat(100_000) })],
  ])('is a line of 64 KiB: one with a longer %s is clipped and says how long it was', (_what, packed) => {
    expect(packed.length).toBeLessThanOrEqual(lineBytes);
    const { message, fields } = codec.unpack(packed) as { message: string; fields: { clipped: number } };
    expect(message.endsWith('…')).toBe(true);
    expect(fields.clipped).toBeGreaterThan(lineBytes);
  });
});

describe('An executor that sends', () => {
  const none = new Uint8Array(0);
  it.each([
    ['a progress beyond its limit', { ping: false, lines: [], value: new Uint8Array(progressBytes + 1) }],
    ['a notice without anything in it', { ping: false, lines: [], value: none }],
    ['a line beyond its limit', { ping: false, lines: [new Uint8Array(lineBytes + 1)], value: none }],
  ])('%s is told apart', (_what, notice) => {
    expect(() => checkNotice(notice)).toThrow(BadWord);
  });

  it.each([
    ['a progress', { ping: false, lines: [], value: Uint8Array.of(1, 2, 3) }],
    ['a line', { ping: false, lines: [Uint8Array.of(0x10, 0xc1)], value: none }],
  ])('%s that is no value is told apart', (_what, notice) => {
    expect(() => checkNotice(notice)).toThrow(/A value is refused/);
  });
});

function bound(rig: Rig): { notices: Notices; sent: Notice[]; endTurn: () => void } {
  return { notices: rig.notices, sent: rig.sent, endTurn: () => rig.endTurn() };
}
