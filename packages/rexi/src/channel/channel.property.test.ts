import fc from 'fast-check';
import { expect, it } from 'vitest';
import { constants } from '../constants.ts';
import { laneOf } from '../message/codec.ts';
import type { Lane } from '../message/layouts.ts';
import type { Message } from '../message/message.ts';
import { anyOf } from '../message/testing/spoken.ts';
import type { LinkEnd, Peer, Role } from '../seams.ts';
import { virtualClock, type VirtualClock } from '../testing/virtual-clock.ts';
import { memoryLinks, type MemoryLink } from '../transport/memory-link.ts';
import { Channel } from './channel.ts';

const peer = (role: Role): Peer => ({ role, id: role, incarnation: '0123456789abcdef' });

/** Bodies long enough to be cut into many small frames. */
const long = fc.integer({ min: 0, max: 3_000 }).map((size) => Buffer.alloc(size, size));
const fromCoordinator = fc.oneof(
  anyOf('kill'),
  anyOf('ack'),
  anyOf('cast'),
  anyOf('renew'),
  fc.record({ type: fc.constant('request' as const), id: fc.nat(), name: fc.constant('n'), value: long }),
);
const fromWorker = fc.oneof(
  anyOf('stream-init'),
  anyOf('killed'),
  anyOf('exit'),
  anyOf('object-head'),
  fc.record({ type: fc.constant('reply' as const), counter: fc.nat(), value: long }),
);

type Side = 'coordinator' | 'worker';
type Step = { readonly side: Side; readonly message: Message } | { readonly pass: number } | { readonly turn: true };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fromCoordinator.map((message) => ({ side: 'coordinator' as const, message })) },
  { weight: 4, arbitrary: fromWorker.map((message) => ({ side: 'worker' as const, message })) },
  { weight: 2, arbitrary: fc.record({ pass: fc.nat(1_500) }) },
  { weight: 2, arbitrary: fc.constant({ turn: true as const }) },
);

const table = fc.record({
  frame: fc.integer({ min: 64, max: 600 }),
  inFlight: fc.integer({ min: 64, max: 3_000 }),
});

const network = fc.record({
  latency: fc.constantFrom(0, 1, 40),
  buffer: fc.integer({ min: 1, max: 5_000 }),
});

/** One side: what it has sent and what it has heard, lane by lane. */
class Party {
  readonly channel: Channel;
  readonly sent: Record<Lane, Message[]> = { control: [], body: [] };
  readonly heard: Record<Lane, Message[]> = { control: [], body: [] };
  readonly ends: LinkEnd[] = [];

  constructor(link: MemoryLink, clock: VirtualClock, changes: { frame: number; inFlight: number }) {
    const handler = {
      message: (message: Message): void => {
        if (message.type !== 'heartbeat') this.heard[laneOf(message.type)].push(message);
      },
      ended: (end: LinkEnd): void => void this.ends.push(end),
    };
    this.channel = new Channel(link, { clock, constants: constants(changes), handler });
  }

  send(message: Message): void {
    this.sent[laneOf(message.type)].push(message);
    this.channel.send(message);
  }
}

it('any messages, sent in any turns, arrive in the order of their lane, once and whole', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 60 }), table, table, network, (steps, near, far, { latency, buffer }) => {
      const clock = virtualClock();
      const links = memoryLinks(peer('coordinator'), peer('worker'), { clock, latency, buffer, closing: 5_000 });
      const parties = { coordinator: new Party(links.near, clock, near), worker: new Party(links.far, clock, far) };
      for (const one of steps) {
        if ('message' in one) parties[one.side].send(one.message);
        else if ('pass' in one) clock.advance(one.pass);
        else clock.runSoon();
      }
      const { coordinator, worker } = parties;
      const missing = (from: Party, to: Party): boolean =>
        to.heard.body.length < from.sent.body.length || to.heard.control.length < from.sent.control.length;
      // Tables that fit each other badly are slow, as acks then come with heartbeats only, and so is a link that takes
      // a frame at a time; but all of it comes.
      const waiting = (): boolean => missing(coordinator, worker) || missing(worker, coordinator);
      for (let rounds = 0; waiting() && rounds < 5_000; rounds++) clock.advance(1_000);
      clock.advance(1_000);
      expect(worker.heard).toEqual(coordinator.sent);
      expect(coordinator.heard).toEqual(worker.sent);
      expect([...coordinator.ends, ...worker.ends]).toEqual([]);
    }),
    { numRuns: 250, interruptAfterTimeLimit: 8_000 },
  );
});
