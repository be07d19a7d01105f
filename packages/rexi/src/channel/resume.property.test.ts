import fc from 'fast-check';
import { expect, it } from 'vitest';
import { constants, type Constants } from '../constants.ts';
import { laneOf } from '../message/codec.ts';
import type { Lane } from '../message/layouts.ts';
import type { Message } from '../message/message.ts';
import { anyOf } from '../message/testing/spoken.ts';
import type { Link, LinkEnd, Peer, Role } from '../seams.ts';
import { virtualClock, type VirtualClock } from '../testing/virtual-clock.ts';
import { memoryLinks, type MemoryLink } from '../transport/memory-link.ts';
import { Channel } from './channel.ts';
import { resume } from './resume.ts';

const peer = (role: Role): Peer => ({ role, id: role, incarnation: '0123456789abcdef' });
const long = fc.integer({ min: 0, max: 3_000 }).map((size) => Buffer.alloc(size, size));
const fromCoordinator = fc.oneof(
  anyOf('kill'),
  anyOf('cast'),
  fc.record({ type: fc.constant('request' as const), id: fc.nat(), name: fc.constant('n'), value: long }),
);
const fromWorker = fc.oneof(
  anyOf('killed'),
  fc.record({ type: fc.constant('reply' as const), counter: fc.nat(), value: long }),
);

type Step =
  | { readonly side: 'coordinator' | 'worker'; readonly message: Message }
  | { readonly pass: number }
  | { readonly cut: 'reset' | 'lost' | 'left' };

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 4, arbitrary: fromCoordinator.map((message) => ({ side: 'coordinator' as const, message })) },
  { weight: 4, arbitrary: fromWorker.map((message) => ({ side: 'worker' as const, message })) },
  { weight: 3, arbitrary: fc.record({ pass: fc.oneof(fc.nat(8), fc.nat(1_500)) }) },
  { weight: 3, arbitrary: fc.record({ cut: fc.constantFrom('reset' as const, 'lost' as const, 'left' as const) }) },
);
const table = fc.record({ frame: fc.integer({ min: 64, max: 600 }), inFlight: fc.integer({ min: 64, max: 3_000 }) });

class Party {
  readonly channel: Channel;
  readonly sent: Record<Lane, Message[]> = { control: [], body: [] };
  readonly heard: Record<Lane, Message[]> = { control: [], body: [] };
  readonly ends: LinkEnd[] = [];

  constructor(link: Link, clock: VirtualClock, table: Constants) {
    const handler = {
      message: (message: Message): void => {
        if (message.type !== 'heartbeat') this.heard[laneOf(message.type)].push(message);
      },
      broken: () => true,
      ended: (end: LinkEnd): void => void this.ends.push(end),
    };
    this.channel = new Channel(link, { clock, constants: table, handler });
  }

  send(message: Message): void {
    this.sent[laneOf(message.type)].push(message);
    this.channel.send(message);
  }
}

/** A conversation whose links break, as a coordinator and a worker carry it on. */
class Talk {
  readonly clock: VirtualClock = virtualClock();
  readonly coordinator: Party;
  readonly worker: Party;
  readonly #latency: number;
  readonly #tables: readonly [Constants, Constants];
  #near: MemoryLink;
  /** An asking that is under way. */
  #takeBack: (() => void) | undefined;

  constructor(latency: number, near: Partial<Constants>, far: Partial<Constants>) {
    this.#latency = latency;
    this.#tables = [constants(near), constants(far)];
    const links = this.#links();
    this.#near = links.near;
    this.coordinator = new Party(links.near, this.clock, this.#tables[0]);
    this.worker = new Party(links.far, this.clock, this.#tables[1]);
  }

  cut(how: 'reset' | 'lost' | 'left'): void {
    if (how === 'reset') this.#near.abort('cut');
    else if (how === 'lost') this.#near.lose(60_000);
    this.carryOn();
  }

  /** The coordinator dials again, whether it has learned of a break or only suspects one. */
  carryOn(): void {
    this.#takeBack?.();
    const { near, far } = this.#links();
    this.#near = near;
    this.#welcome(far);
    const { channel } = this.coordinator;
    channel.leave('another link');
    this.#takeBack = resume(near, {
      clock: this.clock,
      constants: this.#tables[0],
      session: 1,
      read: channel.read,
      answered: (answer) => {
        this.#takeBack = undefined;
        if (answer.is === 'resumed') channel.move(near, answer.read);
      },
    });
  }

  /** What the worker does with a link on which a session is to be resumed. */
  #welcome(link: Link): void {
    const { channel } = this.worker;
    const opening: Channel = new Channel(link, {
      clock: this.clock,
      constants: this.#tables[1],
      handler: {
        message(message) {
          if (message.type !== 'session-resume') return;
          channel.leave('another link');
          opening.send({ type: 'session-resumed', session: 1, read: channel.read });
          opening.release();
          channel.move(link, message.read);
        },
        ended: () => undefined,
      },
    });
  }

  #links(): { near: MemoryLink; far: MemoryLink } {
    const { clock } = this;
    const options = { clock, latency: this.#latency, buffer: 5_000, closing: 5_000 };
    return memoryLinks(peer('coordinator'), peer('worker'), options);
  }
}

it('messages arrive in the order of their lane, once and whole, however often their link breaks', () => {
  fc.assert(
    fc.property(
      fc.array(step, { maxLength: 60 }),
      table,
      table,
      fc.constantFrom(0, 1, 40),
      (steps, near, far, latency) => {
        const talk = new Talk(latency, near, far);
        const { clock, coordinator, worker } = talk;
        for (const one of steps) {
          if ('message' in one) talk[one.side].send(one.message);
          else if ('pass' in one) clock.advance(one.pass);
          else talk.cut(one.cut);
        }
        if (!coordinator.channel.linked || !worker.channel.linked) talk.carryOn();
        const missing = (from: Party, to: Party): boolean =>
          to.heard.body.length < from.sent.body.length || to.heard.control.length < from.sent.control.length;
        const waiting = (): boolean => missing(coordinator, worker) || missing(worker, coordinator);
        for (let rounds = 0; waiting() && rounds < 5_000; rounds++) clock.advance(1_000);
        clock.advance(1_000);
        expect([...coordinator.ends, ...worker.ends]).toEqual([]);
        expect(worker.heard).toEqual(coordinator.sent);
        expect(coordinator.heard).toEqual(worker.sent);
      },
    ),
    { numRuns: 250, interruptAfterTimeLimit: 8_000 },
  );
});
