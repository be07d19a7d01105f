import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { CloseCode } from '../close-code.ts';
import { ProtocolError } from '../errors.ts';
import { decodeMessage, encodeMessage } from './codec.ts';
import { mostListed } from './layout.ts';
import { layouts } from './layouts.ts';
import type { Message, MessageType } from './message.ts';
import { anyMessage, anyOf, spoken, writeMessage } from './testing/spoken.ts';

const bounded = { interruptAfterTimeLimit: 4_000 };
const encoded = (message: Message): Buffer => Buffer.concat(encodeMessage(message));
const badMessage = expect.objectContaining({ code: 'protocol_error', closeCode: CloseCode.badMessage });

/** Where the message ends in bytes without a length, so that no end of it is too early. */
const endsInRest = (type: MessageType): boolean =>
  spoken.find((one) => one.type === type)?.fields.at(-1)?.[1].is === 'rest';

/** The shortest a message can be: every list, text and payload empty. */
function least(type: MessageType): number {
  const sizes = { uint: 0, flag: 1, text: 2, bytes: 4, rest: 0, fixed: 0, optional: 1, list: 4, group: 0 };
  const { fields } = spoken.find((one) => one.type === type)!;
  return fields.reduce((sum, [, shape]) => sum + (shape.is === 'uint' ? shape.bytes : sizes[shape.is]), 1);
}

describe.each(spoken.map(({ type }) => type))('%s', (type) => {
  it('is written as the specification says, and read back as it was', () => {
    fc.assert(
      fc.property(anyOf(type), (message) => {
        const bytes = encoded(message);
        expect(bytes.toString('hex')).toBe(writeMessage(message).toString('hex'));
        expect(decodeMessage(bytes)).toEqual(message);
      }),
      { ...bounded, numRuns: 50 },
    );
  });

  it('is refused when it is cut short anywhere', () => {
    fc.assert(
      fc.property(anyOf(type), (message) => {
        const bytes = encoded(message);
        const end = endsInRest(type) ? least(type) : bytes.length;
        // A text may be long: its first and last bytes are enough.
        for (let at = 0; at < end; at += at > 60 && at < end - 60 ? 97 : 1) {
          expect(() => decodeMessage(bytes.subarray(0, at))).toThrow(badMessage);
        }
      }),
      { ...bounded, numRuns: 10 },
    );
  });

  if (endsInRest(type)) return;
  it('is refused with a byte too many', () => {
    fc.assert(
      fc.property(anyOf(type), fc.uint8Array({ minLength: 1, maxLength: 9 }), (message, extra) => {
        expect(() => decodeMessage(Buffer.concat([encoded(message), extra]))).toThrow(badMessage);
      }),
      { ...bounded, numRuns: 20 },
    );
  });
});

describe('what is no message', () => {
  it('is a tag that nobody has', () => {
    const known = new Set(Object.values(layouts).map(({ tag }) => tag));
    for (let tag = 0; tag < 256; tag++) {
      if (!known.has(tag)) expect(() => decodeMessage(Buffer.of(tag, 0, 0, 0, 0, 0, 0))).toThrow(badMessage);
    }
  });

  it.each(['cast', 'kill'])('is a %s of more than 4096, however short each is', (type) => {
    const message = (count: number): Message =>
      type === 'kill'
        ? { type, confirm: 0, grace: 0, counters: Array.from({ length: count }, (_, i) => i) }
        : {
            type: 'cast',
            job: 'j',
            timeLeft: 0,
            priority: 1,
            args: Buffer.alloc(0),
            parts: Array.from({ length: count }, (_, i) => ({ counter: i, shard: Buffer.alloc(0) })),
          };
    const most = Buffer.concat(encodeMessage(message(mostListed)));
    expect(decodeMessage(most)).toEqual(message(mostListed));
    const at = most.lastIndexOf(Buffer.from([0, 0, mostListed >> 8, mostListed & 0xff]));
    const item = Buffer.alloc(type === 'kill' ? 6 : 10);
    const more = Buffer.concat([most, item]);
    more.writeUInt32BE(mostListed + 1, at);
    expect(() => decodeMessage(more)).toThrow(badMessage);
    expect(() => encodeMessage(message(mostListed + 1))).toThrow('longer than 4096');
  });

  it('is a list that counts more than it has bytes for, seen before anything is allocated', () => {
    const counting = (count: number): Buffer =>
      Buffer.from(`08${'00'.repeat(6)}${count.toString(16).padStart(8, '0')}`, 'hex');
    for (const count of [1, 2 ** 20, 2 ** 32 - 1]) {
      expect(() => decodeMessage(counting(count))).toThrow(`counts ${count} items`);
      expect(() => decodeMessage(counting(count))).toThrow(badMessage);
    }
    expect(decodeMessage(counting(0))).toEqual({ type: 'kill', confirm: 0, grace: 0, counters: [] });
  });

  it.each([
    ['a lone continuation byte', '80'],
    ['an overlong slash', 'c0af'],
    ['half a surrogate pair', 'eda080'],
    ['a character cut short', 'e282'],
    ['a code point beyond the last', 'f4908080'],
  ])('is a text with %s', (_what, hex) => {
    const text = Buffer.from(hex, 'hex');
    expect(() => decodeMessage(Buffer.concat([Buffer.of(26, 0, text.length), text]))).toThrow(badMessage);
    expect(() => decodeMessage(Buffer.concat([Buffer.of(26, 0, text.length), text]))).toThrow('not UTF-8');
  });

  it('is a text longer than its field allows', () => {
    const long = Buffer.concat([Buffer.of(26, 0x10, 0x01), Buffer.alloc(4097, 'x')]);
    expect(() => decodeMessage(long)).toThrow('more than 4096');
  });

  it('is a flag of 2', () => {
    expect(() => decodeMessage(Buffer.of(28, 0, 0, 0, 1, 2))).toThrow(badMessage);
  });

  it('is any other damage, and it never throws anything but a ProtocolError', () => {
    const damage = fc.record({ at: fc.nat(), byte: fc.nat(255), drop: fc.nat(3) });
    fc.assert(
      fc.property(anyMessage, fc.array(damage, { minLength: 1, maxLength: 4 }), (message, harms) => {
        let bytes = encoded(message);
        for (const { at, byte, drop } of harms) {
          const place = at % bytes.length;
          bytes = Buffer.concat([bytes.subarray(0, place), Buffer.of(byte), bytes.subarray(place + drop)]);
        }
        try {
          // What is understood after all has only one form.
          expect(encoded(decodeMessage(bytes)).toString('hex')).toBe(bytes.toString('hex'));
        } catch (error) {
          expect(error).toBeInstanceOf(ProtocolError);
          expect(error).toEqual(badMessage);
        }
      }),
      { ...bounded, numRuns: 5_000 },
    );
  });
});

describe('a message of our own that does not fit its layout', () => {
  it.each<[string, Message]>([
    ['a number too large', { type: 'killed', confirm: 2 ** 32 }],
    ['a negative number', { type: 'ping', counter: -1 }],
    ['half a number', { type: 'heartbeat', stamp: 0.5 }],
    ['a text too long', { type: 'go-away', reason: 'x'.repeat(4_097) }],
  ])('is not encoded: %s', (_what, message) => {
    expect(() => encodeMessage(message)).toThrow(RangeError);
  });

  it('leaves nothing behind in the next one', () => {
    expect(() => encodeMessage({ type: 'rows', counter: 1, first: 1, count: -1, batch: Buffer.of(7) })).toThrow(
      RangeError,
    );
    expect(encoded({ type: 'fence' })).toEqual(Buffer.of(12));
  });
});

it('a payload is a part of its own, uncopied, and earlier messages do not change', () => {
  const value = Buffer.from('payload');
  const [head, tail, ...more] = encodeMessage({ type: 'reply', counter: 7, value });
  expect(tail).toBe(value);
  expect(more).toEqual([]);
  const args = Buffer.alloc(70_000, 1);
  const large = encodeMessage({ type: 'cast', job: 'j', timeLeft: 0, priority: 0, args, parts: [] });
  encodeMessage({ type: 'heartbeat', stamp: 2 ** 48 - 1 });
  expect(Buffer.from(head ?? []).toString('hex')).toBe('10000000000007');
  expect(decodeMessage(Buffer.concat(large))).toMatchObject({ type: 'cast', args });
});
