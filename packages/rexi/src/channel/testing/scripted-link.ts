import { constants, type Constants } from '../../constants.ts';
import { encodeMessage, decodeMessage, laneOf } from '../../message/codec.ts';
import type { Lane } from '../../message/layouts.ts';
import type { Message } from '../../message/message.ts';
import type { Link, LinkEnd, LinkHandler, Peer, Role } from '../../seams.ts';
import { virtualClock, type VirtualClock } from '../../testing/virtual-clock.ts';
import { Channel, type ChannelOptions } from '../channel.ts';
import { Inbox } from '../inbox.ts';

/** A link whose other end is the test: it sees what is sent, and says what a peer would, or never should. */
export class ScriptedLink implements Link {
  readonly peer: Peer;
  /** Bytes that its kernel has not taken. */
  queued = 0;
  /** Its kernel takes nothing more. */
  stuck = false;
  readonly sent: Buffer[] = [];
  readonly said: { readonly how: 'close' | 'abort'; readonly code: number; readonly reason: string }[] = [];
  paused = false;
  #handler: LinkHandler | undefined;
  #number = 0;

  constructor(role: Role) {
    this.peer = { role, id: 'peer', incarnation: '0123456789abcdef' };
  }

  handle(handler: LinkHandler): void {
    this.#handler = handler;
  }

  send(parts: readonly Uint8Array[]): void {
    const frame = Buffer.concat(parts);
    this.sent.push(frame);
    if (this.stuck) this.queued += frame.length;
  }

  pause(): void {
    this.paused = true;
  }

  resume(): void {
    this.paused = false;
  }

  close(code: number, reason: string): void {
    this.said.push({ how: 'close', code, reason });
  }

  abort(reason: string): void {
    this.said.push({ how: 'abort', code: 1006, reason });
  }

  /** These bytes come in as one frame. */
  deliver(bytes: Uint8Array): void {
    this.#handler?.frame(bytes);
  }

  /** These messages of one lane come in, in one good frame. */
  says(...messages: readonly Message[]): void {
    const [first] = messages;
    if (first === undefined) return;
    this.#number += 1;
    this.deliver(
      frameOf(laneOf(first.type), this.#number, ...messages.map((message) => Buffer.concat(encodeMessage(message)))),
    );
  }

  drain(): void {
    this.queued = 0;
    this.#handler?.drained();
  }

  end(end: LinkEnd): void {
    this.#handler?.ended(end);
  }

  /** The messages in the frames that were sent, whole ones only, without the heartbeats that always come. */
  get messages(): Message[] {
    const inbox = new Inbox(constants());
    return this.sent
      .flatMap((frame) => inbox.take(frame).map(decodeMessage))
      .filter(({ type }) => type !== 'heartbeat');
  }
}

/** One frame with whole messages, written the obvious way. */
export function frameOf(lane: Lane, number: number, ...messages: readonly Uint8Array[]): Buffer {
  return rawFrame(lane === 'control' ? 0 : 1, number, ...messages.map((bytes) => [3, bytes] as const));
}

/** A frame of pieces with any flags. */
export function rawFrame(
  lane: number,
  number: number,
  ...pieces: readonly (readonly [flags: number, bytes: Uint8Array])[]
): Buffer {
  const hex = (value: number, bytes: number): Buffer => Buffer.from(value.toString(16).padStart(2 * bytes, '0'), 'hex');
  const parts = pieces.map(([flags, bytes]) => Buffer.concat([hex(flags, 1), hex(bytes.length, 4), bytes]));
  return Buffer.concat([hex(lane, 1), hex(number, 6), ...parts]);
}

/** What a channel's owner has heard. */
export interface Heard {
  readonly messages: Message[];
  readonly suspect: boolean[];
  readonly ends: LinkEnd[];
  drained: number;
}

export interface Talk {
  readonly clock: VirtualClock;
  readonly link: ScriptedLink;
  readonly channel: Channel;
  readonly heard: Heard;
}

export interface TalkOptions extends Partial<Pick<ChannelOptions, 'vouched'>> {
  readonly role?: Role;
  readonly table?: Partial<Constants>;
  readonly message?: (message: Message) => void;
}

/** A channel whose peer has `role` and is the test. */
export function talk({ role = 'worker', table = {}, message = () => undefined, ...rest }: TalkOptions = {}): Talk {
  const clock = virtualClock(10_000);
  const link = new ScriptedLink(role);
  const heard: Heard = { messages: [], suspect: [], ends: [], drained: 0 };
  const handler = {
    message: (one: Message): void => (heard.messages.push(one), message(one)),
    suspect: (silent: boolean): void => void heard.suspect.push(silent),
    drained: (): void => void (heard.drained += 1),
    ended: (end: LinkEnd): void => void heard.ends.push(end),
  };
  const channel = new Channel(link, { clock, constants: constants(table), handler, ...rest });
  return { clock, link, channel, heard };
}

/** Rows with a batch of that many bytes. */
export function rows(size: number, first = 0): Message {
  return { type: 'rows', counter: 1, first, count: 1, batch: Buffer.alloc(size, first) };
}

/** A peer that is alive: it says so every heartbeat for `ms` milliseconds. */
export function alive({ clock, link }: Talk, ms: number): void {
  for (let passed = 0; passed < ms; passed += 1_000) {
    clock.advance(1_000);
    link.says({ type: 'heartbeat', stamp: passed });
  }
}
