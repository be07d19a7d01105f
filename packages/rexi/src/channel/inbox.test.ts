import { describe, expect, it } from 'vitest';
import { CloseCode } from '../close-code.ts';
import { constants } from '../constants.ts';
import { Inbox } from './inbox.ts';
import { frameOf, rawFrame } from './testing/scripted-link.ts';

const KiB = 1024;
const [whole, first, middle, last] = [3, 1, 0, 2];
const bytes = (text: string): Buffer => Buffer.from(text);
const texts = (messages: readonly Uint8Array[]): string[] => messages.map((message) => Buffer.from(message).toString());
const refused = (closeCode: number): unknown => expect.objectContaining({ code: 'protocol_error', closeCode });

describe('rule 13: a frame that is no frame is refused with badFrame', () => {
  it.each([
    ['no byte', Buffer.of()],
    ['a head and no piece', rawFrame(0, 1)],
    ['a head cut short', rawFrame(0, 1, [whole, bytes('x')]).subarray(0, 11)],
    ['a lane that there is not', rawFrame(2, 1, [whole, bytes('x')])],
    ['flags that there are not', rawFrame(0, 1, [4, bytes('x')])],
    [
      'the head of a second piece cut short',
      Buffer.concat([rawFrame(0, 1, [whole, bytes('x')]), Buffer.of(3, 0, 0, 0)]),
    ],
    ['a piece longer than the frame', rawFrame(0, 1, [whole, bytes('xy')]).subarray(0, -1)],
    ['an empty piece', rawFrame(0, 1, [whole, bytes('')])],
    ['an empty piece of a longer message', rawFrame(0, 1, [first, bytes('')])],
    ['a piece behind one that does not end its message', rawFrame(0, 1, [first, bytes('a')], [last, bytes('b')])],
    ['a message that was not begun', rawFrame(0, 1, [last, bytes('x')])],
    ['the number 0', frameOf('control', 0, bytes('x'))],
    ['a number ahead', frameOf('control', 2, bytes('x'))],
  ])('%s', (_what, frame) => {
    expect(() => new Inbox(constants()).take(frame)).toThrow(refused(CloseCode.badFrame));
  });

  it('a frame that was read already, and one behind a gap', () => {
    for (const number of [1, 2, 4, 2 ** 47]) {
      const inbox = new Inbox(constants());
      inbox.take(frameOf('body', 1, bytes('a')));
      inbox.take(frameOf('control', 2, bytes('b')));
      expect(() => inbox.take(frameOf('body', number, bytes('c')))).toThrow(refused(CloseCode.badFrame));
    }
  });

  it('a message begun inside another of its lane', () => {
    const inbox = new Inbox(constants());
    inbox.take(rawFrame(1, 1, [first, bytes('a')]));
    expect(() => inbox.take(frameOf('body', 2, bytes('b')))).toThrow(refused(CloseCode.badFrame));
  });
});

describe('rule 13: what is too large is refused with tooLarge', () => {
  it('a frame of more than 64 KiB, whatever this side sends itself', () => {
    const frame = (size: number): Buffer => frameOf('body', 1, Buffer.alloc(size - 12));
    expect(() => new Inbox(constants()).take(frame(64 * KiB + 1))).toThrow(refused(CloseCode.tooLarge));
    expect(new Inbox(constants({ frame: 100 })).take(frame(64 * KiB))).toHaveLength(1);
  });

  it('a message of more than 16 MiB, at the piece that passes it, before anything is allocated for that', () => {
    const inbox = new Inbox(constants());
    const piece = Buffer.alloc(64 * KiB - 12);
    const fits = Math.floor((16 * 2 ** 20) / piece.length);
    for (let number = 1; number <= fits; number++)
      inbox.take(rawFrame(1, number, [number === 1 ? first : middle, piece]));
    const before = process.memoryUsage().arrayBuffers;
    expect(() => inbox.take(rawFrame(1, fits + 1, [middle, piece]))).toThrow(refused(CloseCode.tooLarge));
    expect(process.memoryUsage().arrayBuffers - before).toBeLessThan(2 ** 20);
  });

  it('but not one of exactly that', () => {
    const inbox = new Inbox(constants({ message: 10 }));
    inbox.take(rawFrame(1, 1, [first, bytes('12345')]));
    expect(texts(inbox.take(rawFrame(1, 2, [last, bytes('67890')])))).toEqual(['1234567890']);
    inbox.take(rawFrame(1, 3, [first, bytes('12345')]));
    expect(() => inbox.take(rawFrame(1, 4, [last, bytes('678901')]))).toThrow(refused(CloseCode.tooLarge));
  });
});

describe('messages', () => {
  it('are put together from pieces, lane by lane, and control may come in between', () => {
    const inbox = new Inbox(constants());
    expect(inbox.take(rawFrame(1, 1, [whole, bytes('a')], [first, bytes('b1')]))).toHaveLength(1);
    expect(texts(inbox.take(frameOf('control', 2, bytes('kill'), bytes('ack'))))).toEqual(['kill', 'ack']);
    expect(inbox.take(rawFrame(1, 3, [middle, bytes('b2')]))).toEqual([]);
    expect(texts(inbox.take(rawFrame(1, 4, [last, bytes('b3')], [whole, bytes('c')])))).toEqual(['b1b2b3', 'c']);
  });

  it('that wait for their rest do not hold the buffer that they came in', () => {
    const inbox = new Inbox(constants());
    const frame = rawFrame(1, 1, [first, bytes('a')]);
    inbox.take(frame);
    frame.fill(0xff);
    expect(texts(inbox.take(rawFrame(1, 2, [last, bytes('b')])))).toEqual(['ab']);
  });
});

describe('an ack is due', () => {
  it('when an eighth of the first in-flight limit has been read, of body', () => {
    const inbox = new Inbox(constants({ inFlight: 8_000 }));
    inbox.take(frameOf('control', 1, Buffer.alloc(5_000)));
    inbox.take(frameOf('body', 2, Buffer.alloc(900)));
    expect([inbox.due, inbox.unacked]).toEqual([undefined, 2]);
    inbox.take(frameOf('body', 3, Buffer.alloc(100)));
    expect(inbox.due).toBe(3);
    inbox.acked();
    expect([inbox.due, inbox.unacked]).toEqual([undefined, undefined]);
  });
});
