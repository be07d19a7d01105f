import type { Socket } from 'node:net';
import { WebSocket } from 'ws';
import { CloseCode } from '../close-code.ts';
import type { Clock, Link, LinkEnd, LinkHandler, Peer, Timer } from '../seams.ts';
import { FrameBuffers } from './frame-buffers.ts';
import { codeFromWire, codeOfViolation, cutReason } from './ws-codes.ts';

export interface WsLinkOptions {
  readonly ws: WebSocket;
  /** What frames go through. */
  readonly socket: Socket;
  /** The TCP connection below it: TLS cannot be reset. Default `socket`. */
  readonly tcp?: Socket;
  readonly peer: Peer;
  readonly clock: Clock;
  /** Milliseconds from our close to the reset, when the peer does not answer it. */
  readonly closing: number;
}

const binary = { binary: true, fin: true } as const;

/** Errors by which the kernel says that it has heard nothing, as opposed to a reset. */
const silences: ReadonlySet<string> = new Set(['ETIMEDOUT', 'EHOSTUNREACH', 'EHOSTDOWN', 'ENETUNREACH', 'ENETDOWN']);

/** A link over one WebSocket whose handshake is done. Reads nothing until it has a handler. */
export class WsLink implements Link {
  readonly peer: Peer;
  readonly #ws: WebSocket;
  readonly #socket: Socket;
  readonly #tcp: Socket;
  readonly #clock: Clock;
  readonly #patience: number;
  readonly #buffers: FrameBuffers = new FrameBuffers();
  #handler: LinkHandler | undefined;
  #paused = false;
  #corked = false;
  /** Something was sent since `drained` was last called. */
  #owing = false;
  /** How it ends, or will: what is said first stays. */
  #end: LinkEnd | undefined;
  #told = false;
  #fault = '';
  #closing: Timer | undefined;

  constructor({ ws, socket, tcp = socket, peer, clock, closing }: WsLinkOptions) {
    this.peer = peer;
    this.#ws = ws;
    this.#socket = socket;
    this.#tcp = tcp;
    this.#clock = clock;
    this.#patience = closing;
    ws.pause();
    socket.setNoDelay(true);
    socket.on('error', (error: NodeJS.ErrnoException) => (this.#fault = error.code ?? ''));
    ws.on('message', (data, isBinary) => this.#message(data as Buffer, isBinary));
    ws.on('error', (error) => this.#violation(error));
    ws.once('close', (code, reason) => this.#over(code, reason.toString()));
  }

  get queued(): number {
    return this.#ws.bufferedAmount;
  }

  handle(handler: LinkHandler): void {
    this.#handler = handler;
    const end = this.#end;
    if (this.#told && end) this.#clock.soon(() => handler.ended(end));
    if (!this.#paused) this.#ws.resume();
  }

  send(parts: readonly Uint8Array[]): void {
    if (this.#end !== undefined || this.#ws.readyState !== WebSocket.OPEN) return;
    this.#cork();
    this.#owing = true;
    // One copy here is cheaper than a second header, a second write and the copy that the receiver would make of it.
    this.#ws.send(this.#buffers.join(parts), binary, this.#written);
  }

  pause(): void {
    this.#paused = true;
    if (this.#end === undefined) this.#ws.pause();
  }

  resume(): void {
    this.#paused = false;
    if (this.#handler !== undefined) this.#ws.resume();
  }

  close(code: number, reason: string): void {
    if (this.#end !== undefined) return;
    this.#ends({ by: 'self', code, reason });
    this.#ws.close(code, cutReason(reason));
  }

  abort(reason: string): void {
    this.#end ??= { by: 'self', code: 1006, reason };
    this.#reset();
  }

  /** Lets this link keep the process alive, as it does at first. */
  ref(): void {
    this.#socket.ref();
  }

  /** Lets the process end although this link is open. */
  unref(): void {
    this.#socket.unref();
  }

  #message(data: Buffer, isBinary: boolean): void {
    if (this.#end !== undefined) return;
    if (isBinary) this.#handler?.frame(data);
    else this.close(CloseCode.badFrame, 'text frames are not spoken here');
  }

  /** `ws` has found it and said so to the peer; what is left is not to wait for that peer for ever. */
  #violation(error: Error): void {
    if (this.#end === undefined) this.#ends({ by: 'self', code: codeOfViolation(error), reason: error.message });
  }

  /** From here nothing is delivered; reading goes on, because the peer's answer to the close comes behind its frames. */
  #ends(end: LinkEnd): void {
    this.#end = end;
    this.#ws.resume();
    this.#closing = this.#clock.after(this.#patience, () => this.#reset());
  }

  #reset(): void {
    if (!this.#tcp.destroyed) this.#tcp.resetAndDestroy();
  }

  /**
   * What is sent by one run of code leaves in one write, right behind it. Waiting for the end of the turn as well, as the
   * channel above has done already, would cost every message another turn of the event loop.
   */
  #cork(): void {
    if (this.#corked) return;
    this.#corked = true;
    this.#socket.cork();
    queueMicrotask(this.#uncork);
  }

  readonly #uncork = (): void => {
    this.#corked = false;
    this.#socket.uncork();
  };

  /** One function for all frames: node then counts its calls instead of queueing them. */
  readonly #written = (error?: Error | null): void => {
    // What could not be written may still be in the kernel's hands, and nothing is sent after it.
    if (error) return;
    this.#buffers.taken();
    if (!this.#owing || this.#end !== undefined || this.#ws.bufferedAmount > 0) return;
    this.#owing = false;
    this.#handler?.drained();
  };

  #over(code: number, reason: string): void {
    this.#told = true;
    this.#closing?.cancel();
    this.#end ??= silences.has(this.#fault)
      ? { by: 'silent', code: 1006, reason: this.#fault }
      : { by: 'peer', code: codeFromWire(code), reason };
    this.#handler?.ended(this.#end);
  }
}
