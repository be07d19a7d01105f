import { describe, expect, it } from 'vitest';
import { CloseCode } from '../close-code.ts';
import { constants } from '../constants.ts';
import type { Message } from '../message/message.ts';
import type { LinkEnd } from '../seams.ts';
import { virtualClock } from '../testing/virtual-clock.ts';
import { Channel } from './channel.ts';
import { readFrame } from './frame.ts';
import { resume, type ResumeAnswer } from './resume.ts';
import { rows, ScriptedLink } from './testing/scripted-link.ts';

const reset: LinkEnd = { by: 'peer', code: 1006, reason: '' };
const kill = (counter: number): Message => ({ type: 'kill', confirm: 0, grace: 0, counters: [counter] });
const ack = (frame: number): Message => ({ type: 'session-ack', frame });

/** A conversation that outlives its links, and what its owner hears. */
function talk(table: Parameters<typeof constants>[0] = {}): {
  clock: ReturnType<typeof virtualClock>;
  link: ScriptedLink;
  channel: Channel;
  ends: LinkEnd[];
} {
  const clock = virtualClock(10_000);
  const link = new ScriptedLink('worker');
  const ends: LinkEnd[] = [];
  const handler = {
    message: () => undefined,
    broken: () => true,
    ended: (end: LinkEnd): void => void ends.push(end),
  };
  const channel = new Channel(link, { clock, constants: constants(table), handler });
  clock.runSoon();
  return { clock, link, channel, ends };
}

const framesOf = ({ sent }: ScriptedLink): string[] =>
  sent.map((frame) => {
    const { number, lane, pieces } = readFrame(frame);
    return `${number} ${lane} ${pieces.map(({ bytes }) => bytes[0]).join(' ')}`;
  });

describe('a channel that outlives its link', () => {
  it('sends again what was not read: control first, the kills of the gap with it, and under new numbers', () => {
    const { clock, link, channel } = talk();
    channel.send(rows(10));
    clock.runSoon();
    channel.send(kill(1));
    clock.runSoon();
    expect(framesOf(link)).toEqual(['1 control 24', '2 body 20', '3 control 8']);
    link.end(reset);
    channel.send(rows(10, 1));
    channel.send(kill(2));
    const next = new ScriptedLink('worker');
    channel.move(next, 1);
    clock.runSoon();
    expect(framesOf(next)).toEqual(['2 control 8', '3 control 8 24', '4 body 20', '5 body 20']);
  });

  it('sends nothing again that was acked', () => {
    const { clock, link, channel } = talk();
    channel.send(rows(10));
    clock.runSoon();
    link.says(ack(2));
    link.end(reset);
    const next = new ScriptedLink('worker');
    channel.move(next, 2);
    clock.runSoon();
    expect(framesOf(next)).toEqual(['3 control 24']);
  });

  it('keeps body within the in-flight limit on the new link too', () => {
    const { clock, link, channel } = talk({ inFlight: 200, inFlightMax: 200 });
    for (let first = 0; first < 10; first += 1) channel.send(rows(100, first));
    clock.runSoon();
    const before = framesOf(link);
    link.end(reset);
    const next = new ScriptedLink('worker');
    channel.move(next, 1);
    clock.runSoon();
    expect(next.sent.filter((frame) => frame[0] === 1)).toHaveLength(before.length - 1);
  });

  it.each([
    [7, 'more than it was sent'],
    [0, 'less than it has acked'],
  ])('closes a peer that says it has read up to frame %i, %s', (read) => {
    const { clock, link, channel, ends } = talk();
    channel.send(kill(1));
    clock.runSoon();
    link.says(ack(1));
    link.end(reset);
    const next = new ScriptedLink('worker');
    channel.move(next, read);
    expect(next.said).toMatchObject([{ how: 'close', code: CloseCode.badState }]);
    next.end({ by: 'self', code: CloseCode.badState, reason: '' });
    expect(ends).toHaveLength(1);
  });

  it('ignores an ack of the link before that comes again', () => {
    const { clock, link, channel } = talk();
    for (let counter = 1; counter < 5; counter += 1) {
      channel.send(kill(counter));
      clock.runSoon();
    }
    link.end(reset);
    const next = new ScriptedLink('worker');
    channel.move(next, 4);
    next.says(ack(3));
    expect(next.said).toEqual([]);
  });

  it.each([
    ['a close code', { by: 'peer', code: CloseCode.goAway, reason: '' }],
    ['a violation', { by: 'self', code: CloseCode.badFrame, reason: '' }],
  ] as const)('ends with a link that ended with %s', (_what, end) => {
    const { link, ends } = talk();
    link.end(end);
    expect(ends).toEqual([end]);
  });

  it('is ended without a link as well, once', () => {
    const { clock, link, channel, ends } = talk();
    link.end(reset);
    channel.close(CloseCode.leaseLost, 'over');
    channel.abort('over');
    clock.runSoon();
    expect(ends).toEqual([{ by: 'self', code: CloseCode.leaseLost, reason: 'over' }]);
    const late = new ScriptedLink('worker');
    channel.move(late, 1);
    expect(late.said).toMatchObject([{ how: 'abort' }]);
  });

  it('reads nothing more of a link that was replaced', () => {
    const { link, channel } = talk();
    channel.leave('another');
    expect(link.said).toMatchObject([{ how: 'abort' }]);
    link.says(kill(1));
    link.end(reset);
    expect(channel.read).toBe(0);
  });

  it('rule 14: is ended by more control under way than may be kept', () => {
    const { clock, link, channel } = talk({ controlFrames: 64 });
    for (let counter = 1; counter <= 64; counter += 1) {
      channel.send(kill(counter));
      clock.runSoon();
    }
    expect(link.said[0]).toMatchObject({ how: 'close', code: CloseCode.overflow });
  });
});

describe('asking for a session at a new link', () => {
  function ask(): {
    link: ScriptedLink;
    answers: ResumeAnswer[];
    clock: ReturnType<typeof virtualClock>;
    stop: () => void;
  } {
    const clock = virtualClock();
    const link = new ScriptedLink('worker');
    const answers: ResumeAnswer[] = [];
    const stop = resume(link, {
      clock,
      constants: constants(),
      session: 3,
      read: 70,
      answered: (answer) => void answers.push(answer),
    });
    return { link, answers, clock, stop };
  }

  it('says one thing and is silent', () => {
    const { link, clock } = ask();
    clock.advance(4_000);
    expect(link.messages).toEqual([{ type: 'session-resume', session: 3, read: 70 }]);
  });

  it('hears how far the other side has read, heartbeats before it', () => {
    const { link, answers } = ask();
    link.says({ type: 'heartbeat', stamp: 1 }, { type: 'session-resumed', session: 3, read: 41 });
    expect(answers).toEqual([{ is: 'resumed', read: 41 }]);
  });

  it('hears a refusal, and leaves the link', () => {
    const { link, answers } = ask();
    const refusal = { type: 'session-refused', session: 3, code: 'session_unknown', reason: 'over' } as const;
    link.says(refusal);
    expect(answers).toEqual([{ is: 'refused', refusal }]);
    expect(link.said).toMatchObject([{ how: 'abort' }]);
  });

  it.each([
    ['another session', { type: 'session-resumed', session: 4, read: 41 }, CloseCode.badState],
    ['rows', rows(1), CloseCode.badState],
    ['what no worker may say', kill(1), CloseCode.forbidden],
  ] as const)('closes a peer that answers with %s', (_what, message, code) => {
    const { link, answers } = ask();
    link.says(message);
    expect(link.said).toMatchObject([{ how: 'close', code }]);
    expect(answers).toMatchObject([{ is: 'unanswered' }]);
  });

  it('gives up after `connect`, and when its link ends', () => {
    const late = ask();
    late.clock.advance(5_000);
    expect(late.answers).toMatchObject([{ is: 'unanswered' }]);
    const broken = ask();
    broken.link.end(reset);
    expect(broken.answers).toEqual([{ is: 'unanswered', end: reset }]);
  });

  it('can be taken back', () => {
    const { link, answers, stop, clock } = ask();
    stop();
    link.says({ type: 'session-resumed', session: 3, read: 41 });
    clock.advance(10_000);
    expect(answers).toEqual([]);
    expect(link.said).toMatchObject([{ how: 'abort' }]);
  });
});
