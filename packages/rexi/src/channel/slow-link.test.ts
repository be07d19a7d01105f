import { describe, expect, it } from 'vitest';
import { constants, type Constants } from '../constants.ts';
import type { Message } from '../message/message.ts';
import { virtualClock } from '../testing/virtual-clock.ts';
import { Channel } from './channel.ts';
import { slowLinks, type SlowLink } from './testing/slow-link.ts';

const MiB = 2 ** 20;
const bitsPerSecond = 10_000_000;
const total = 64 * MiB;

interface Run {
  /** The longest that a control frame was under way in either direction, acks included. */
  readonly slowest: number;
  /** How long each kill and each heartbeat took from the call to the handler, in milliseconds. */
  readonly kills: readonly number[];
  readonly beats: readonly number[];
  /** When all of the body had arrived, in milliseconds. */
  readonly took: number;
  /** Body bytes that came to each side. */
  readonly arrived: readonly [number, number];
}

/** 64 MiB each way, a kill every 250 ms, over 10 Mbit/s. */
function run(table: Partial<Constants>, kernel: number): Run {
  const clock = virtualClock();
  const [near, far] = slowLinks({ clock, bitsPerSecond, kernel }, ['coordinator', 'worker']);
  const kills: number[] = [];
  const beats: number[] = [];
  const arrived: [number, number] = [0, 0];
  const hears = (end: 0 | 1) => (message: Message) => {
    if (message.type === 'kill') kills.push(clock.now() - (message.counters[0] ?? 0));
    if (message.type === 'heartbeat') beats.push(clock.now() - message.stamp);
    if (message.type === 'rows') arrived[end] += message.batch.length;
    if (message.type === 'cast') arrived[end] += message.args.length;
  };
  const open = (link: SlowLink, end: 0 | 1): Channel =>
    new Channel(link, { clock, constants: constants(table), handler: { message: hears(end), ended: () => undefined } });
  const coordinator = open(near, 0);
  const worker = open(far, 1);
  const batch = Buffer.alloc(50_000);
  for (let first = 0, left = total; left > 0; first++, left -= batch.length) {
    worker.send({ type: 'rows', counter: 1, first, count: 1, batch: batch.subarray(0, Math.min(left, batch.length)) });
  }
  const cast = {
    type: 'cast',
    job: 'j',
    timeLeft: 0,
    priority: 128,
    args: Buffer.alloc(MiB),
    parts: [],
  } as const;
  for (let casts = 0; casts < 64; casts++) coordinator.send(cast);
  while (arrived[0] < total || arrived[1] < total) {
    coordinator.send({ type: 'kill', confirm: 0, grace: 0, counters: [clock.now()] });
    clock.advance(250);
    if (clock.now() > 300_000) throw new Error('It does not get through.');
  }
  const slowest = Math.max(
    ...[near, far].flatMap(({ transits }) => transits.map(({ lane, ms }) => (lane === 'control' ? ms : 0))),
  );
  return { slowest, kills, beats, took: clock.now(), arrived };
}

describe('rule 12: control before data, also while 64 MiB wait for the same socket in both directions', () => {
  it.each([
    ['that takes everything at once', Number.MAX_SAFE_INTEGER],
    ['that takes 128 KiB', 131_072],
  ])('kills, heartbeats and acks arrive within a second at 10 Mbit/s, from a kernel %s', (_which, kernel) => {
    const { slowest, kills, beats, took, arrived } = run({}, kernel);
    expect(kills.length).toBeGreaterThan(200);
    expect(beats.length).toBeGreaterThan(100);
    expect(Math.max(...kills, ...beats)).toBeLessThan(1_000);
    expect(slowest).toBeLessThan(500);
    expect(arrived).toEqual([total, total]);
    expect(took).toBeLessThan((1.05 * total * 8_000) / bitsPerSecond);
  });

  it('which is the in-flight limit’s doing: without one they wait for most of a minute', () => {
    const { slowest, kills } = run({ inFlight: 2 * total, inFlightMax: 2 * total }, Number.MAX_SAFE_INTEGER);
    expect(slowest).toBeGreaterThan(40_000);
    expect(Math.max(...kills)).toBeGreaterThan(40_000);
  });
});
