import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { reply, type Answer } from '../handshake/client.ts';
import { systemClock } from '../system.ts';
import type { Clock } from '../seams.ts';
import { answerOf } from '../transport/ws-dial.ts';
import type { WsLimits } from '../transport/ws-limits.ts';
import { wsTransport } from '../transport/ws.ts';
import { coordinator, finish, secret, type LinkBench } from './link-bench.ts';
import { seededEntropy } from './seeded-entropy.ts';
import { virtualClock } from './virtual-clock.ts';

/** Real sockets under a clock whose timers wait for the test. */
export interface WsBench extends LinkBench {
  readonly clock: Clock;
  /** Lets `ms` milliseconds pass for every timer of the transport. */
  advance(ms: number): void;
}

/** Milliseconds until a bench gives a condition up. */
const patience = 10_000;

export function wsBench(limits: Partial<WsLimits> = {}): WsBench {
  const time = virtualClock();
  // Sockets happen in real turns of the event loop, so what is to be soon is soon for real.
  const clock: Clock = { ...time, soon: (run) => systemClock.soon(run) };
  const entropy = seededEntropy('ws');
  return {
    clock,
    entropy,
    transport: wsTransport({ clock, entropy, limits }),
    address: 'ws://127.0.0.1:0',
    advance: (ms) => time.advance(ms),
    until,
    async quiet() {
      for (let turns = 0; turns < 30; turns++) await turn();
    },
    alias: (address) => address.replace('127.0.0.1', 'localhost'),
    async request(address, authorization) {
      const { answer, socket } = await upgrade(address, authorization === undefined ? {} : { authorization });
      socket.destroy();
      return answer;
    },
  };
}

async function until(done: () => boolean): Promise<void> {
  const deadline = systemClock.now() + patience;
  while (!done()) {
    if (systemClock.now() > deadline) throw new Error(`It has not happened within ${patience} ms.`);
    await turn();
  }
}

/** The answer to a bare upgrade request, and the socket that it came from. */
export interface BareAnswer {
  readonly answer: Answer;
  readonly message: IncomingMessage;
  readonly socket: Socket;
}

/** One upgrade request with these headers beside, or in place of, the good ones; undefined takes one away. */
export function upgrade(address: string, headers: Record<string, string | undefined> = {}): Promise<BareAnswer> {
  const good = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-protocol': 'rexi.1',
  };
  const all = Object.entries({ ...good, ...headers }).filter(([, value]) => value !== undefined);
  return new Promise((resolve, reject) => {
    const request = httpRequest(address.replace('ws:', 'http:'), { headers: Object.fromEntries(all), agent: false });
    const done = (message: IncomingMessage): void => {
      message.socket.on('error', () => undefined);
      resolve({ answer: answerOf(message), message, socket: message.socket });
    };
    request.on('response', done).on('upgrade', done).on('error', reject).end();
  });
}

/** A good `Authorization` for the listener at `address`, from a fresh coordinator. */
export async function authorize(bench: WsBench, address: string): Promise<string> {
  const challenge = await finish(bench, bench.request(address));
  return reply(address, { identity: coordinator(bench), secret }, bench.entropy, challenge).authorization;
}

/** A WebSocket that has been let in and is not ours: it can say anything. */
export async function stranger(bench: WsBench, address: string): Promise<{ ws: WebSocket; socket: Socket }> {
  const authorization = await authorize(bench, address);
  const ws = new WebSocket(address, 'rexi.1', { headers: { authorization }, perMessageDeflate: false });
  let socket: Socket | undefined;
  ws.once('upgrade', (response) => (socket = response.socket));
  await until(() => ws.readyState === WebSocket.OPEN);
  return { ws, socket: socket as Socket };
}
