import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CloseCode } from '../close-code.ts';
import { constants } from '../constants.ts';
import { readFrame } from './frame.ts';
import { Outbox } from './outbox.ts';

const KiB = 1024;
const joined = (frame: readonly Uint8Array[] | undefined): Buffer => Buffer.concat(frame ?? []);
const badState = expect.objectContaining({ code: 'protocol_error', closeCode: CloseCode.badState });

/** Everything that may go now, as frames. */
function all(outbox: Outbox): Buffer[] {
  const frames: Buffer[] = [];
  for (let frame = outbox.next(); frame !== undefined; frame = outbox.next()) frames.push(joined(frame));
  return frames;
}

describe('frames', () => {
  it('hold at most 64 KiB, and are filled to that', () => {
    const outbox = new Outbox(constants());
    outbox.push('body', [Buffer.alloc(200_000)]);
    const sizes = all(outbox).map(({ length }) => length);
    expect(sizes).toEqual([64 * KiB, 64 * KiB, 64 * KiB, 200_000 - 3 * (64 * KiB - 12) + 12]);
  });

  it('are shared by the messages of one turn, each lane having its own', () => {
    const outbox = new Outbox(constants());
    for (const text of ['a', 'b', 'c']) outbox.push('body', [Buffer.from(text)]);
    outbox.push('control', [Buffer.from('k')]);
    const frames = all(outbox).map(readFrame);
    expect(frames.map(({ lane, pieces }) => [lane, pieces.map(({ bytes }) => bytes.toString())])).toEqual([
      ['control', ['k']],
      ['body', ['a', 'b', 'c']],
    ]);
  });

  it('number themselves over both lanes, from 1, in the order of their handover', () => {
    const outbox = new Outbox(constants());
    outbox.push('body', [Buffer.alloc(100 * KiB)]);
    const first = readFrame(joined(outbox.next()));
    outbox.push('control', [Buffer.from('kill')]);
    expect([first, ...all(outbox).map(readFrame)].map(({ lane, number }) => [lane, number])).toEqual([
      ['body', 1],
      ['control', 2],
      ['body', 3],
    ]);
  });

  it('carry the parts of a message uncopied', () => {
    const outbox = new Outbox(constants());
    const payload = Buffer.alloc(1_000, 7);
    outbox.push('body', [Buffer.from('head'), payload]);
    expect(outbox.next()?.at(-1)?.buffer).toBe(payload.buffer);
  });

  it('leave nothing over and let nothing wait', () => {
    const outbox = new Outbox(constants());
    for (let i = 0; i < 10_000; i++) outbox.push('control', [Buffer.of(i & 255)]);
    expect(outbox.waiting('control')).toBe(10_000);
    const sent = all(outbox).flatMap((frame) => readFrame(frame).pieces.map(({ bytes }) => bytes[0]));
    expect(sent).toEqual(Array.from({ length: 10_000 }, (_, i) => i & 255));
    expect(outbox.waiting('control')).toBe(0);
  });
});

describe('rule 12: a message for control never waits for more than the frame of body before it', () => {
  it('between two frames of one large message', () => {
    const outbox = new Outbox(constants());
    outbox.push('body', [Buffer.alloc(2 ** 20)]);
    outbox.next();
    outbox.push('control', [Buffer.from('kill')]);
    expect(readFrame(joined(outbox.next())).lane).toBe('control');
  });

  it('nor for an ack', () => {
    const outbox = new Outbox(constants());
    outbox.push('body', [Buffer.alloc(2 ** 20)]);
    all(outbox);
    outbox.push('control', [Buffer.from('kill')]);
    expect(all(outbox).map((frame) => readFrame(frame).lane)).toEqual(['control']);
  });
});

describe('rule 12: body bytes that are not session-acked stay within the in-flight limit', () => {
  it('which is 256 KiB at first, to the byte', () => {
    const outbox = new Outbox(constants());
    outbox.push('body', [Buffer.alloc(2 ** 20)]);
    const bytes = all(outbox).reduce((sum, { length }) => sum + length, 0);
    expect([bytes, outbox.inFlight]).toEqual([256 * KiB, 256 * KiB]);
  });

  it('and go on by what an ack frees, in frames and not in crumbs', () => {
    const outbox = new Outbox(constants({ inFlight: 100 * KiB }));
    outbox.push('body', [Buffer.alloc(2 ** 20)]);
    expect(all(outbox).map(({ length }) => length)).toEqual([64 * KiB]);
    outbox.ack(1, 0);
    expect(all(outbox).map(({ length }) => length)).toEqual([64 * KiB]);
  });

  it('while control is not counted', () => {
    const outbox = new Outbox(constants({ inFlight: 1_000 }));
    for (let i = 0; i < 50; i++) outbox.push('control', [Buffer.alloc(1_000)]);
    expect(all(outbox).reduce((sum, { length }) => sum + length, 0)).toBeGreaterThan(50_000);
    expect(outbox.inFlight).toBe(0);
  });

  it('whatever is pushed and acked when', () => {
    const step = fc.oneof(
      fc.record({ push: fc.integer({ min: 1, max: 5_000 }) }),
      fc.record({ control: fc.integer({ min: 1, max: 3_000 }) }),
      fc.record({ ack: fc.nat(1_000), after: fc.nat(60) }),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), fc.integer({ min: 64, max: 4_000 }), (steps, frame) => {
        const table = constants({ frame, inFlight: 3_000, inFlightMax: 20_000 });
        const outbox = new Outbox(table);
        /** The obvious account: bytes of each body frame that is not acked. */
        const open = new Map<number, number>();
        let sent = 0;
        let acked = 0;
        let now = 0;
        for (const one of steps) {
          if ('push' in one) outbox.push('body', [Buffer.alloc(one.push)]);
          else if ('control' in one) outbox.push('control', [Buffer.alloc(one.control)]);
          else {
            now += one.after;
            acked += Math.floor(((sent - acked) * one.ack) / 1_000);
            for (const number of open.keys()) if (number <= acked) open.delete(number);
            outbox.ack(acked, now);
          }
          const frames = all(outbox);
          for (const bytes of frames) {
            sent += 1;
            expect(bytes.length).toBeLessThanOrEqual(frame);
            if (bytes[0] === 1) open.set(sent, bytes.length);
          }
          const inFlight = [...open.values()].reduce((sum, bytes) => sum + bytes, 0);
          expect(inFlight).toBe(outbox.inFlight);
          // A limit that has shrunk below what is under way lets nothing more go.
          if (frames.some((bytes) => bytes[0] === 1)) expect(inFlight).toBeLessThanOrEqual(outbox.limit);
          expect(outbox.limit).toBeLessThanOrEqual(table.inFlightMax);
        }
        outbox.ack(sent, now);
        if (outbox.waiting('body') > 0) expect(all(outbox).length).toBeGreaterThan(0);
      }),
      { numRuns: 300, interruptAfterTimeLimit: 5_000 },
    );
  });
});

describe('acks', () => {
  it('are cumulative, may repeat, and never go back or ahead', () => {
    const outbox = new Outbox(constants());
    outbox.push('body', [Buffer.alloc(150 * KiB)]);
    all(outbox);
    outbox.ack(2, 0);
    expect(outbox.inFlight).toBe(150 * KiB + 3 * 12 - 128 * KiB);
    outbox.ack(2, 1);
    expect(() => outbox.ack(1, 2)).toThrow(badState);
    expect(() => outbox.ack(4, 3)).toThrow(badState);
    outbox.ack(3, 4);
    expect(outbox.inFlight).toBe(0);
  });
});

describe('what is larger than a message may be', () => {
  it('is refused here, where only its sender notices', () => {
    const outbox = new Outbox(constants({ message: 1_000 }));
    expect(() => outbox.push('body', [Buffer.alloc(1_001)])).toThrow(expect.objectContaining({ code: 'limit' }));
    outbox.push('body', [Buffer.alloc(1_000)]);
    expect(outbox.waiting('body')).toBe(1_000);
  });
});

describe('rule 15: what depends on the moment of its handover', () => {
  it('is made when its first byte leaves, and once', () => {
    const outbox = new Outbox(constants());
    outbox.push('body', [Buffer.alloc(400 * KiB)]);
    const made: string[] = [];
    outbox.push('body', [Buffer.alloc(100 * KiB, 'old')], () => {
      made.push('now');
      return [Buffer.alloc(100 * KiB, 'new')];
    });
    all(outbox);
    expect(made).toEqual([]);
    outbox.ack(4, 100);
    const late = all(outbox);
    outbox.ack(8, 200);
    late.push(...all(outbox));
    expect(made).toEqual(['now']);
    const text = Buffer.concat(late).toString('latin1');
    expect([text.includes('new'), text.includes('old')]).toEqual([true, false]);
  });

  it('keeps its size, or is a mistake of ours', () => {
    const outbox = new Outbox(constants());
    outbox.push('body', [Buffer.alloc(10)], () => [Buffer.alloc(11)]);
    expect(() => outbox.next()).toThrow(TypeError);
  });
});
