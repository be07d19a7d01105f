import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { ClusterError } from '../errors.ts';
import { authorityOf, isLoopback, schemeOf } from '../handshake/authority.ts';
import { reply, unwelcome, type Answer } from '../handshake/client.ts';
import { refusedHeader, sentenceHeader } from '../handshake/refusal.ts';
import { subprotocol } from '../handshake/transcript.ts';
import type { Clock, DialOptions, Entropy, Link, Peer } from '../seams.ts';
import { race } from './dial-race.ts';
import { dialFailed } from './failure.ts';
import { openTls, type Connection } from './tls-connection.ts';
import type { TlsSource } from './tls-source.ts';
import { WsLink } from './ws-link.ts';
import type { WsLimits } from './ws-limits.ts';
import { maxHeaderSize, socketOptions } from './ws-options.ts';

/** What both halves of the transport work with. */
export interface WsTools {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly limits: WsLimits;
  /** Certificates, where there are any. */
  readonly tls: (() => Promise<TlsSource>) | undefined;
}

/** Dials: two connections, the first of which only fetches the challenge. */
export function wsDial(address: string, options: DialOptions, tools: WsTools): Promise<Link> {
  return race(tools.clock, address, options, async (lost) => {
    const open = await wayTo(address, options, tools, lost);
    const knock = new Request({ address, tools, lost, connection: await open() });
    const answer = await knock.answer();
    const connection = await open();
    const { authorization, verify } = reply(address, options, tools.entropy, answer, connection?.underlay);
    return new Request({ address, tools, lost, connection, authorization }).link(verify);
  });
}

/** Opens connections for requests: TLS connections, or none, as `ws` opens plain ones by itself. */
async function wayTo(
  address: string,
  { identity }: DialOptions,
  { tls }: WsTools,
  lost: AbortSignal,
): Promise<() => Promise<Connection | undefined>> {
  const authority = authorityOf(address);
  const source = await tls?.();
  if (schemeOf(address) === 'ws') {
    if (source !== undefined && !isLoopback(authority)) throw inTheClear(address);
    return () => Promise.resolve(undefined);
  }
  if (source === undefined) throw needsTls(address);
  const material = await source.current(identity);
  return () => openTls(address, authority, material, source.pins, lost);
}

function inTheClear(address: string): ClusterError {
  const text = `${address} is not encrypted and not on this machine, while there are certificates for TLS; say wss://.`;
  return new ClusterError('bad_options', text, { detail: 'ws' });
}

/** `wss://` without anything to show. */
export function needsTls(address: string): ClusterError {
  const text = `${address} needs certificates; give tls: { ca, cert, key } (muster certs makes some for tests).`;
  return new ClusterError('bad_options', text, { detail: 'tls' });
}

interface RequestOptions {
  readonly address: string;
  readonly tools: WsTools;
  readonly lost: AbortSignal;
  /** What it is sent over, where that is there already. */
  readonly connection: Connection | undefined;
  readonly authorization?: string;
}

/** One upgrade request. Whatever comes of it but a link, its socket is gone afterwards. */
class Request {
  readonly #address: string;
  readonly #tools: WsTools;
  readonly #lost: AbortSignal;
  readonly #ws: WebSocket;
  readonly #connection: Connection | undefined;
  readonly #hangUp = (): void => this.#ws.terminate();

  constructor({ address, tools, lost, connection, authorization }: RequestOptions) {
    this.#address = address;
    this.#connection = connection;
    this.#tools = tools;
    this.#lost = lost;
    lost.throwIfAborted();
    const headers = authorization === undefined ? {} : { authorization };
    this.#ws = new WebSocket(`${schemeOf(address)}://${authorityOf(address)}`, subprotocol, {
      ...socketOptions(tools.limits),
      ...(connection && { createConnection: () => connection.socket }),
      headers,
      maxHeaderSize,
      // A mask guards caches between browsers and servers; there are none here, and zeros cost nothing.
      generateMask: () => undefined,
    });
    lost.addEventListener('abort', this.#hangUp, { once: true });
    // `terminate` makes an error of its own, after the promise is settled.
    this.#ws.on('error', () => undefined);
  }

  /** The answer, which is to be no 101. */
  answer(): Promise<Answer> {
    return new Promise((resolve, reject) => {
      this.#answered(resolve, reject);
      this.#ws.once('upgrade', (response) => {
        reject(unwelcome(this.#address, answerOf(response)));
        this.#hangUp();
      });
    });
  }

  /** The link, once `verify` has not thrown at the headers of the 101. */
  link(verify: (answer: Answer) => Peer): Promise<Link> {
    return new Promise((resolve, reject) => {
      this.#answered((answer) => reject(unwelcome(this.#address, answer)), reject);
      this.#ws.once('upgrade', (response) => {
        try {
          const peer = verify(answerOf(response));
          this.#ws.once('open', () => resolve(this.#made(response, peer)));
        } catch (error) {
          reject(error);
          this.#hangUp(); // Before this turn ends: so no frame is read.
        }
      });
    });
  }

  #answered(answered: (answer: Answer) => void, failed: (error: Error) => void): void {
    this.#ws.once('unexpected-response', (_request, response) => {
      answered(answerOf(response));
      this.#hangUp();
    });
    this.#ws.once('error', (error) => failed(dialFailed(this.#address, error)));
    this.#ws.once('close', () => this.#lost.removeEventListener('abort', this.#hangUp));
  }

  #made({ socket }: IncomingMessage, peer: Peer): WsLink {
    const { clock, limits } = this.#tools;
    const tcp = this.#connection?.tcp ?? socket;
    return new WsLink({ ws: this.#ws, socket, tcp, peer, clock, closing: limits.closing });
  }
}

/** The answer as the handshake reads it. */
export function answerOf({ statusCode = 0, headers }: IncomingMessage): Answer {
  const header = (name: string): string | undefined => [headers[name.toLowerCase()]].flat()[0];
  return {
    status: statusCode,
    challenge: header('WWW-Authenticate'),
    refused: header(refusedHeader),
    sentence: header(sentenceHeader),
    proof: header('Rexi-Proof'),
    protocol: header('Sec-WebSocket-Protocol'),
  };
}
