import { request as httpRequest, type IncomingMessage } from 'node:http';
import type { Socket } from 'node:net';
import { setImmediate as turn } from 'node:timers/promises';
import { WebSocket } from 'ws';
import { authorityOf, schemeOf } from '../handshake/authority.ts';
import { plain } from '../handshake/certificate.ts';
import { reply, type Answer } from '../handshake/client.ts';
import { systemClock } from '../system.ts';
import type { Clock, Identity, Role, Transport } from '../seams.ts';
import { openTls, type Connection } from '../transport/tls-connection.ts';
import type { TlsOptions } from '../transport/tls-options.ts';
import { TlsSource } from '../transport/tls-source.ts';
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

/** What somebody has to show on TLS. */
export type Certificates = (who: { readonly id: string; readonly role: Role }) => TlsOptions;

/** With certificates it speaks TLS. */
export function wsBench(limits: Partial<WsLimits> = {}, certificates?: Certificates): WsBench {
  const time = virtualClock();
  // Sockets happen in real turns of the event loop, so what is to be soon is soon for real.
  const clock: Clock = { ...time, soon: (run) => systemClock.soon(run) };
  const entropy = seededEntropy('ws');
  const of = (tls?: TlsOptions): Transport => wsTransport({ clock, entropy, limits, tls });
  return {
    clock,
    entropy,
    transport: certificates ? each((identity) => of(certificates(identity))) : of(),
    address: `${certificates ? 'wss' : 'ws'}://127.0.0.1:0`,
    advance: (ms) => time.advance(ms),
    until,
    async quiet() {
      for (let turns = 0; turns < 30; turns++) await turn();
    },
    alias: (address) => address.replace('127.0.0.1', 'localhost'),
    async request(address, authorize) {
      const connection = certificates && (await opened(address, certificates(asker)));
      const authorization = authorize?.(connection?.underlay ?? plain);
      const { answer, socket } = await upgrade(address, { authorization }, connection);
      socket.destroy();
      return answer;
    },
  };
}

/** A transport that is another one for each identity, as there is one process for each in production. */
function each(of: (identity: Identity) => Transport): Transport {
  return {
    dial: (address, options) => of(options.identity).dial(address, options),
    listen: (address, options) => of(options.identity).listen(address, options),
  };
}

/** Who makes bare requests. */
const asker = { id: 'c', role: 'coordinator' } as const;

/** A bare TLS connection, of coordinator `c`. */
export async function opened(address: string, tls: TlsOptions): Promise<Connection | undefined> {
  if (schemeOf(address) === 'ws') return undefined;
  const material = await new TlsSource(tls).read(asker);
  return openTls(address, authorityOf(address), material, undefined, new AbortController().signal);
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
export function upgrade(
  address: string,
  headers: Record<string, string | undefined> = {},
  connection?: Connection,
): Promise<BareAnswer> {
  const good = {
    connection: 'Upgrade',
    upgrade: 'websocket',
    'sec-websocket-version': '13',
    'sec-websocket-key': 'AAAAAAAAAAAAAAAAAAAAAA==',
    'sec-websocket-protocol': 'rexi.1',
  };
  const all = Object.entries({ ...good, ...headers }).filter(([, value]) => value !== undefined);
  return new Promise((resolve, reject) => {
    const over = connection ? { createConnection: () => connection.socket } : { agent: false };
    const url = address.replace(/^wss?:/, 'http:');
    const request = httpRequest(url, { headers: Object.fromEntries(all), ...over });
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
