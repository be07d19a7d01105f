/** A peer that is authenticated and then says what it likes. */
import type { Identity, Link, LinkEnd, Message, MessageType, Role } from '@muster/rexi';
import {
  decodeMessage,
  encodeMessage,
  laneOf,
  newIdentity,
  systemClock,
  systemEntropy,
  wsTransport,
} from '@muster/rexi';
import { connect } from 'node:net';
import { until } from './wait.ts';

export const transport = wsTransport({ clock: systemClock, entropy: systemEntropy });

const lanes = { control: 0, body: 1 } as const;

/** One frame: lane, number, and one piece that is a whole message. */
export function frame(lane: number, number: number, message: Uint8Array, flags = 3): Buffer {
  const head = Buffer.alloc(12);
  head[0] = lane;
  head.writeUIntBE(number, 1, 6);
  head[7] = flags;
  head.writeUInt32BE(message.length, 8);
  return Buffer.concat([head, message]);
}

/** A message of each type, with fields that fit. */
export const samples: { readonly [Type in MessageType]: Extract<Message, { type: Type }> } = {
  'session-open': { type: 'session-open', session: 1 },
  'session-accepted': { type: 'session-accepted', session: 1, stamp: 1, lease: 1, kill: 1, jobs: [] },
  'session-refused': { type: 'session-refused', session: 1, code: 'stale', reason: '' },
  cast: {
    type: 'cast',
    job: 'add',
    timeLeft: 0,
    priority: 128,
    args: new Uint8Array(),
    parts: [{ counter: 1, shard: new Uint8Array() }],
  },
  'stream-start': { type: 'stream-start', counter: 1, rows: 1, bytes: 1 },
  'stream-cancel': { type: 'stream-cancel', counter: 1 },
  ack: { type: 'ack', counter: 1, rows: 0, bytes: 0 },
  kill: { type: 'kill', confirm: 0, grace: 0, counters: [1] },
  killed: { type: 'killed', confirm: 1 },
  renew: { type: 'renew', session: 1, stamp: 1 },
  guard: { type: 'guard', number: 1 },
  fence: { type: 'fence' },
  fenced: { type: 'fenced', killed: 0, left: [] },
  end: { type: 'end', session: 1 },
  ended: { type: 'ended', session: 1 },
  reply: { type: 'reply', counter: 1, value: new Uint8Array() },
  last: { type: 'last', counter: 1, rows: 0, value: new Uint8Array() },
  exit: { type: 'exit', counter: 1, code: 'killed', detail: '', message: '', error: new Uint8Array() },
  'stream-init': { type: 'stream-init', counter: 1 },
  rows: { type: 'rows', counter: 1, first: 0, count: 1, batch: new Uint8Array() },
  ping: { type: 'ping', counter: 1 },
  progress: { type: 'progress', counter: 1, value: new Uint8Array() },
  log: { type: 'log', counter: 1, value: new Uint8Array() },
  heartbeat: { type: 'heartbeat', stamp: 1 },
  'session-ack': { type: 'session-ack', frame: 0 },
  'go-away': { type: 'go-away', reason: '' },
  request: { type: 'request', id: 1, name: 'ping', value: new Uint8Array() },
  response: { type: 'response', id: 1, ok: true, value: new Uint8Array() },
  'object-get': { type: 'object-get', id: 1, object: '0123456789abcdef.AAAAAAAAAAAAAAAAAAAAAA', credit: 1 },
  'object-head': { type: 'object-head', id: 1, size: 0 },
  'object-chunk': { type: 'object-chunk', id: 1, offset: 0, bytes: new Uint8Array() },
  'object-ack': { type: 'object-ack', id: 1, bytes: 0 },
  'object-end': { type: 'object-end', id: 1, code: 'missing' },
  'session-resume': { type: 'session-resume', session: 1, read: 0 },
  'session-resumed': { type: 'session-resumed', session: 1, read: 0 },
};

export class RawPeer {
  readonly heard: Message[] = [];
  end: LinkEnd | undefined;
  readonly #link: Link;
  #number = 0;

  constructor(link: Link) {
    this.#link = link;
    link.handle({
      frame: (bytes) => this.#read(Buffer.from(bytes)),
      drained: () => undefined,
      ended: (end) => (this.end = end),
    });
  }

  static async dial(
    address: string,
    secret: string,
    role: Role = 'coordinator',
    identity?: Identity,
  ): Promise<RawPeer> {
    const as = identity ?? newIdentity(role, `raw-${role}`, systemEntropy);
    return new RawPeer(await transport.dial(address, { identity: as, secret: Buffer.from(secret), timeout: 5_000 }));
  }

  /** The next frame, with one message in it. */
  say(message: Message): void {
    this.sayBytes(Buffer.concat(encodeMessage(message)), lanes[laneOf(message.type)]);
  }

  /** Casts a job without arguments, under the first counter. */
  cast(job: string): void {
    this.say({ ...samples.cast, job });
  }

  sayBytes(message: Uint8Array, lane = 0, flags = 3): void {
    this.#number += 1;
    this.raw(frame(lane, this.#number, message, flags));
  }

  /** Bytes as one frame of the WebSocket, whatever they are. */
  raw(bytes: Uint8Array): void {
    this.#link.send([bytes]);
  }

  async answer<T extends MessageType>(type: T): Promise<Extract<Message, { type: T }>> {
    return until(
      `the node says ${type}`,
      () => this.heard.find((message) => message.type === type) as Extract<Message, { type: T }> | undefined,
      2_000,
    );
  }

  /** The code with which the node closes. */
  async closed(): Promise<number> {
    return (await until('the node closes the link', () => this.end, 2_000)).code;
  }

  hangUp(): void {
    this.#link.abort('the test is over');
  }

  /** What the node says comes in whole frames here. */
  #read(bytes: Buffer): void {
    for (let at = 7; at < bytes.length;) {
      const length = bytes.readUInt32BE(at + 1);
      this.heard.push(decodeMessage(bytes.subarray(at + 5, at + 5 + length)));
      at += 5 + length;
    }
  }
}

/** Sends a request for an upgrade as text; resolves with the answer's head. */
export function upgrade(port: number, headers: Readonly<Record<string, string>>): Promise<string> {
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  return sendText(port, `GET / HTTP/1.1\r\n${lines.join('')}\r\n`);
}

export function sendText(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => socket.write(text, 'latin1'));
    let answer = '';
    socket.setEncoding('latin1').on('data', (chunk: string) => {
      answer += chunk;
      if (!answer.includes('\r\n\r\n')) return;
      socket.destroy();
      resolve(answer);
    });
    socket.on('error', reject);
  });
}
