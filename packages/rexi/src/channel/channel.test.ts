import { describe, expect, it } from 'vitest';
import { CloseCode } from '../close-code.ts';
import { ProtocolError } from '../errors.ts';
import type { Message } from '../message/message.ts';
import { readFrame } from './frame.ts';
import { alive, frameOf, rows, talk, type Talk, type TalkOptions } from './testing/scripted-link.ts';

const KiB = 1024;
const ack = (frame: number): Message => ({ type: 'session-ack', frame });
const hex = (bytes: Uint8Array = Buffer.of()): string => Buffer.from(bytes).toString('hex');
const kill = (...counters: number[]): Message => ({ type: 'kill', confirm: 0, grace: 0, counters });

describe('a channel', () => {
  it('sends nothing in the turn in which it is asked to, and then one frame for each lane', () => {
    const { clock, link, channel } = talk();
    clock.runSoon();
    const before = link.sent.length;
    for (let counter = 1; counter <= 100; counter++) channel.send(kill(counter));
    for (let first = 0; first < 10; first++) channel.send(rows(100, first));
    expect(link.sent).toHaveLength(before);
    clock.runSoon();
    expect(link.sent.slice(before).map((frame) => readFrame(frame).pieces.length)).toEqual([100, 10]);
  });

  it('gives its owner the messages of a frame in order, and keeps acks to itself', () => {
    const { clock, link, channel, heard } = talk();
    channel.send(rows(1));
    clock.runSoon();
    link.says({ type: 'stream-init', counter: 1 }, ack(1), { type: 'killed', confirm: 2 });
    expect(heard.messages.map(({ type }) => type)).toEqual(['stream-init', 'killed']);
  });

  it('acks body as it is read, and everything with the next heartbeat', () => {
    const { clock, link } = talk();
    const { length } = link.messages;
    link.says(rows(30 * KiB));
    clock.runSoon();
    expect(link.messages.slice(length)).toEqual([]);
    link.says(rows(30 * KiB, 1));
    clock.runSoon();
    expect(link.messages.slice(length)).toEqual([ack(2)]);
    link.says({ type: 'stream-init', counter: 1 });
    clock.advance(1_000);
    expect(link.messages.slice(length)).toEqual([ack(2), ack(3)]);
    clock.advance(5_000);
    expect(link.messages.slice(length)).toEqual([ack(2), ack(3)]);
  });

  it('holds body back until an ack, and tells its owner when there is room again', () => {
    const { clock, link, channel, heard } = talk();
    for (let first = 0; first < 20; first++) channel.send(rows(60 * KiB, first));
    clock.runSoon();
    const held = channel.bodyWaiting;
    expect(held).toBeGreaterThan(900 * KiB);
    expect(heard.drained).toBe(0);
    for (const frame of [5, 9, 13]) {
      link.says(ack(frame));
      clock.runSoon();
    }
    expect(channel.bodyWaiting).toBeLessThan(256 * KiB);
    expect(heard.drained).toBe(1);
  });

  it('tells that there is room also when what made its owner stop left but a little behind it', () => {
    const { clock, link, channel, heard } = talk();
    for (let first = 0; first < 5; first++) channel.send(rows(60 * KiB, first));
    expect(channel.bodyWaiting).toBeGreaterThan(256 * KiB);
    clock.runSoon();
    expect([channel.bodyWaiting > 0, heard.drained]).toEqual([true, 1]);
    link.says(ack(5));
    clock.runSoon();
    expect(heard.drained).toBe(1);
  });

  it('knows for how long its peer has read nothing of what is under way', () => {
    const { clock, link, channel } = talk();
    clock.advance(5_000);
    expect(channel.unreadFor).toBe(0);
    for (let first = 0; first < 5; first++) channel.send(rows(60 * KiB, first));
    clock.runSoon();
    clock.advance(3_000);
    expect(channel.unreadFor).toBe(3_000);
    link.says(ack(7));
    expect(channel.unreadFor).toBe(0);
    clock.advance(1_000);
    expect(channel.unreadFor).toBe(1_000);
  });

  it('beats once a heartbeat, with its own time, from the first turn on', () => {
    const { clock, link } = talk();
    clock.advance(3_000);
    const beats = link.sent.map((frame) => readFrame(frame).pieces[0]?.bytes).map(hex);
    expect(beats).toEqual([10_000, 11_000, 12_000, 13_000].map((stamp) => `18${stamp.toString(16).padStart(12, '0')}`));
  });
});

describe('rule 10: three heartbeats missed is suspect, not down', () => {
  it('said once, and taken back with the next byte', () => {
    const { clock, link, channel, heard } = talk();
    clock.advance(3_000);
    expect(heard.suspect).toEqual([]);
    clock.advance(1_000);
    expect([heard.suspect, channel.isSuspect]).toEqual([[true], true]);
    clock.advance(5_000);
    expect([heard.suspect, link.said]).toEqual([[true], []]);
    link.says({ type: 'killed', confirm: 1 });
    expect([heard.suspect, channel.isSuspect]).toEqual([[true, false], false]);
    expect(channel.heard).toBe(clock.now());
  });

  it('and any byte that is received is a heartbeat', () => {
    const talking = talk();
    for (let first = 0; first < 20; first++) {
      talking.clock.advance(2_500);
      talking.link.says(rows(1, first));
    }
    expect(talking.heard.suspect).toEqual([]);
  });

  it('and silence that we asked for ourselves is none', () => {
    const { clock, link, channel, heard } = talk();
    channel.pause();
    expect(link.paused).toBe(true);
    clock.advance(60_000);
    channel.resume();
    expect(link.paused).toBe(false);
    clock.advance(3_000);
    expect(heard.suspect).toEqual([]);
    clock.advance(1_000);
    expect(heard.suspect).toEqual([true]);
  });
});

describe('a peer that says nothing for the write deadline', () => {
  it('is cut off: nobody may be there any more', () => {
    const { clock, link } = talk();
    clock.advance(10_000);
    expect(link.said).toEqual([]);
    clock.advance(1_000);
    expect(link.said).toMatchObject([{ code: CloseCode.stalled }, { how: 'abort' }]);
  });

  it('is kept while somebody vouches for it', () => {
    const { clock, link } = talk({ vouched: () => true });
    clock.advance(60_000);
    expect(link.said).toEqual([]);
  });
});

describe('rule 10: a timer that fires more than an interval late judges nothing', () => {
  /** A clock whose process is stopped: time passes, and then the timers fire. */
  function stopped(options: TalkOptions, ms: number, stuck = false): Talk {
    const talking = talk(options);
    talking.link.stuck = stuck;
    alive(talking, 2_000);
    const { clock } = talking;
    const now = clock.now.bind(clock);
    let lost = 0;
    Object.assign(clock, { now: () => now() + lost });
    lost = ms;
    return talking;
  }

  it('until what waits in the socket has been read', () => {
    const { clock, link, heard } = stopped({}, 60_000);
    clock.advance(1_000);
    expect(heard.suspect).toEqual([]);
    link.says({ type: 'heartbeat', stamp: 1 });
    clock.advance(3_000);
    expect(heard.suspect).toEqual([]);
  });

  it('but the next one does, when nothing waited', () => {
    const { clock, heard } = stopped({}, 60_000);
    clock.advance(2_000);
    expect(heard.suspect).toEqual([true]);
  });

  it('nor does it believe that nothing could be written meanwhile', () => {
    const { clock, link } = stopped({}, 60_000, true);
    clock.advance(10_000);
    expect(link.said).toEqual([]);
    clock.advance(2_000);
    expect(link.said).toMatchObject([{ code: CloseCode.stalled }, { how: 'abort' }]);
  });

  it('while one that is late by an interval judges as always', () => {
    const { clock, heard } = stopped({ table: { suspectAfter: 1 } }, 1_000);
    clock.advance(1_000);
    expect(heard.suspect).toEqual([true]);
  });
});

describe('the write deadline: a kernel that takes no byte for 10 s', () => {
  it('ends the link with stalled', () => {
    const talking = talk();
    talking.link.stuck = true;
    alive(talking, 10_000);
    expect(talking.link.said).toEqual([]);
    alive(talking, 1_000);
    expect(talking.link.said.map(({ how, code }) => [how, code])).toEqual([
      ['close', CloseCode.stalled],
      ['abort', 1006],
    ]);
  });

  it('unless somebody vouches for the peer', () => {
    const talking = talk({ vouched: () => true });
    talking.link.stuck = true;
    alive(talking, 60_000);
    expect(talking.link.said).toEqual([]);
  });

  it('or it takes one now and then', () => {
    const talking = talk();
    talking.link.stuck = true;
    for (let round = 0; round < 6; round++) {
      alive(talking, 9_000);
      talking.link.queued -= 20;
    }
    expect(talking.link.said).toEqual([]);
  });
});

describe('rule 13: a peer that breaks a rule is closed with its code', () => {
  const good = Buffer.from('18000000000001', 'hex');
  const cases: [what: string, code: number, frame: Buffer][] = [
    ['a frame that is none', CloseCode.badFrame, Buffer.from('x')],
    ['a frame out of sequence', CloseCode.badFrame, frameOf('control', 7, good)],
    ['a frame too large', CloseCode.tooLarge, frameOf('body', 1, Buffer.alloc(64 * KiB))],
    ['an unknown message', CloseCode.badMessage, frameOf('control', 1, Buffer.of(99))],
    ['a message cut short', CloseCode.badMessage, frameOf('control', 1, good.subarray(0, 5))],
    ['a message that its role may not send', CloseCode.forbidden, frameOf('control', 1, Buffer.of(12))],
    ['an ack of what was not sent', CloseCode.badState, frameOf('control', 1, Buffer.from('19000000000009', 'hex'))],
  ];

  it.each(cases)('%s: %i', (_what, code, frame) => {
    const { clock, link, heard } = talk();
    clock.runSoon();
    link.deliver(frame);
    expect(link.said).toMatchObject([{ how: 'close', code }]);
    link.deliver(frameOf('control', 1, good));
    expect(heard.messages).toEqual([]);
  });

  it('what its owner finds: the code of the ProtocolError', () => {
    const violation = new ProtocolError(CloseCode.badValue, 'too deep');
    const { link, heard } = talk({ message: () => { throw violation; } }); // prettier-ignore
    link.says({ type: 'killed', confirm: 1 }, { type: 'killed', confirm: 2 });
    expect(link.said).toMatchObject([{ how: 'close', code: CloseCode.badValue }]);
    expect(heard.messages).toHaveLength(1);
  });

  it('but an error of our own is no fault of the peer', () => {
    const mistake = new TypeError('ours');
    const { link } = talk({ message: () => { throw mistake; } }); // prettier-ignore
    expect(() => link.says({ type: 'killed', confirm: 1 })).toThrow(mistake);
    expect(link.said).toEqual([]);
  });
});

describe('rule 14: what waits for a peer that does not read is bounded', () => {
  it('by the control queue, whose overflow ends the link with its code', () => {
    const { clock, link, channel } = talk({ table: { controlQueue: 10_000 } });
    clock.runSoon();
    for (let i = 0; i < 10_000 / 13; i++) channel.send({ type: 'stream-init', counter: i });
    expect(link.said).toEqual([]);
    for (let i = 0; i < 10_000; i++) channel.send({ type: 'stream-init', counter: i });
    expect(link.said.map(({ how, code }) => [how, code])).toEqual([
      ['close', CloseCode.overflow],
      ['abort', 1006],
    ]);
  });

  it('also when the link has taken it and the kernel has not', () => {
    const { clock, link, channel } = talk({ table: { controlQueue: 10_000 }, vouched: () => true });
    link.stuck = true;
    for (let i = 0; i < 10_000 && link.said.length === 0; i++) {
      channel.send({ type: 'stream-init', counter: i });
      clock.runSoon();
    }
    expect(link.said).toMatchObject([{ code: CloseCode.overflow }, { how: 'abort' }]);
    expect(link.queued).toBeLessThan(10_100);
  });

  it('where body that is under way does not count as control', () => {
    const { clock, link, channel } = talk({ table: { controlQueue: 10_000 } });
    for (let first = 0; first < 4; first++) channel.send(rows(60 * KiB, first));
    clock.runSoon();
    link.queued = 240 * KiB;
    channel.send(kill(1));
    expect(link.said).toEqual([]);
  });

  it('and a message that is too large is refused before it brings the link down', () => {
    const { link, channel } = talk({ table: { message: 1_000 } });
    expect(() => channel.send(rows(1_000))).toThrow(expect.objectContaining({ code: 'limit' }));
    expect(link.said).toEqual([]);
  });
});

describe('rule 15: a deadline travels as the time that is left when it is handed to the socket', () => {
  it('and not when it was queued', () => {
    const { clock, link, channel } = talk({ role: 'worker' });
    const deadline = clock.now() + 30_000;
    const cast = (): Message => {
      const args = Buffer.alloc(10);
      return { type: 'cast', job: 'j', timeLeft: deadline - clock.now(), priority: 1, args, parts: [] };
    };
    for (let first = 0; first < 5; first++) channel.send(rows(64 * KiB, first));
    channel.send(cast(), cast);
    clock.advance(2_000);
    expect(link.messages.filter(({ type }) => type === 'cast')).toEqual([]);
    link.says(ack(3));
    clock.runSoon();
    expect(link.messages.filter(({ type }) => type === 'cast')).toMatchObject([{ timeLeft: 28_000 }]);
  });
});

describe('the end', () => {
  const end = { by: 'peer', code: 1006, reason: '' } as const;

  it('is told once, and nothing after it: no message, no suspicion, no beat', () => {
    const { clock, link, channel, heard } = talk();
    clock.advance(4_000);
    link.end(end);
    link.end(end);
    const sent = link.sent.length;
    link.says({ type: 'killed', confirm: 1 });
    channel.send(kill(1));
    channel.resume();
    clock.advance(60_000);
    expect(heard).toEqual({ messages: [], suspect: [true], ends: [end], drained: 0 });
    expect([link.sent.length, clock.waiting, channel.ended]).toEqual([sent, 0, true]);
  });

  it('by close lets go what may go, then says why, and reads no more', () => {
    const { link, channel, heard, clock } = talk();
    channel.send(kill(1));
    channel.close(CloseCode.normal, 'done');
    channel.close(CloseCode.badState, 'again');
    channel.send(kill(2));
    clock.advance(60_000);
    link.says({ type: 'killed', confirm: 1 });
    expect(link.messages).toEqual([kill(1)]);
    expect(link.said).toEqual([{ how: 'close', code: 1000, reason: 'done' }]);
    expect([heard.messages, heard.suspect]).toEqual([[], []]);
  });

  it('by abort takes nothing with it', () => {
    const { link, channel, clock } = talk();
    clock.runSoon();
    channel.send(kill(1));
    channel.abort('enough');
    clock.advance(1_000);
    expect(link.messages).toEqual([]);
    expect(link.said).toMatchObject([{ how: 'abort', reason: 'enough' }]);
  });

  it('in the middle of a frame leaves the rest of it unread', () => {
    const talking = talk({ message: () => talking.channel.close(CloseCode.normal, 'enough') });
    talking.link.says({ type: 'killed', confirm: 1 }, { type: 'killed', confirm: 2 });
    expect(talking.heard.messages).toHaveLength(1);
  });
});
