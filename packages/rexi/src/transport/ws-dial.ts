import type { IncomingMessage } from 'node:http';
import { WebSocket } from 'ws';
import { authorityOf } from '../handshake/authority.ts';
import { reply, unwelcome, type Answer } from '../handshake/client.ts';
import { refusedHeader, sentenceHeader } from '../handshake/refusal.ts';
import { subprotocol } from '../handshake/transcript.ts';
import type { Clock, DialOptions, Entropy, Link, Peer } from '../seams.ts';
import { race } from './dial-race.ts';
import { dialFailed } from './failure.ts';
import { WsLink } from './ws-link.ts';
import type { WsLimits } from './ws-limits.ts';
import { maxHeaderSize, socketOptions } from './ws-options.ts';

/** What both halves of the transport work with. */
export interface WsTools {
  readonly clock: Clock;
  readonly entropy: Entropy;
  readonly limits: WsLimits;
}

/** Dials: two connections, the first of which only fetches the challenge. */
export function wsDial(address: string, options: DialOptions, tools: WsTools): Promise<Link> {
  return race(tools.clock, address, options, async (lost) => {
    const knock = new Request(address, undefined, tools, lost);
    const { authorization, verify } = reply(address, options, tools.entropy, await knock.answer());
    return new Request(address, authorization, tools, lost).link(verify);
  });
}

/** One upgrade request. Whatever comes of it but a link, its socket is gone afterwards. */
class Request {
  readonly #address: string;
  readonly #tools: WsTools;
  readonly #lost: AbortSignal;
  readonly #ws: WebSocket;
  readonly #hangUp = (): void => this.#ws.terminate();

  constructor(address: string, authorization: string | undefined, tools: WsTools, lost: AbortSignal) {
    this.#address = address;
    this.#tools = tools;
    this.#lost = lost;
    lost.throwIfAborted();
    const headers = authorization === undefined ? {} : { authorization };
    this.#ws = new WebSocket(`ws://${authorityOf(address)}`, subprotocol, {
      ...socketOptions(tools.limits),
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
    return new WsLink({ ws: this.#ws, socket, peer, clock, closing: limits.closing });
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
