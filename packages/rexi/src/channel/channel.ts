import { CloseCode } from '../close-code.ts';
import type { Constants } from '../constants.ts';
import { ProtocolError } from '../errors.ts';
import { chance } from '../failpoints.ts';
import { checkRole, decodeMessage, encodeMessage, laneOf } from '../message/codec.ts';
import type { Message } from '../message/message.ts';
import type { Clock, Link, LinkEnd, Peer, Timer } from '../seams.ts';
import { Inbox } from './inbox.ts';
import { Liveness } from './liveness.ts';
import { Outbox, smallestFrame } from './outbox.ts';

export interface ChannelHandler {
  /** One message, its role already checked. A ProtocolError thrown here closes the link with its code. */
  message(message: Message): void;
  /**
   * Nothing was heard for `suspectAfter` heartbeats, or, where a conversation outlives its link, nothing was acked for one
   * more; or neither is so any more.
   */
  suspect?(silent: boolean): void;
  /** The body queue has fallen below what one turn can send: producers may go on. */
  drained?(): void;
  /**
   * The link broke, without a reason being said. True: the conversation waits for another link, which `move` gives it.
   * Without this it ends with its link, and keeps nothing to be sent again.
   */
  broken?(end: LinkEnd): boolean;
  /** Once, last. */
  ended(end: LinkEnd): void;
}

export interface ChannelOptions {
  readonly clock: Clock;
  readonly constants: Constants;
  readonly handler: ChannelHandler;
  /** Whether somebody else still speaks for a peer that takes no byte; then it is not cut off for that. Default: no. */
  readonly vouched?: () => boolean;
}

/**
 * The conversation over one link, or over one after the other: messages in two lanes, frames numbered and acked, heartbeats. What happens is decided
 * by Outbox, Inbox and Liveness, which know neither clock nor link; this is the shell around them.
 */
export class Channel {
  readonly peer: Peer;
  /** None while it waits for another. */
  #link: Link | undefined;
  readonly #clock: Clock;
  readonly #constants: Constants;
  readonly #handler: ChannelHandler;
  readonly #vouched: () => boolean;
  readonly #outbox: Outbox;
  readonly #inbox: Inbox;
  readonly #liveness: Liveness;
  readonly #flushers: (() => void)[] = [];
  #flushing = false;
  #closing = false;
  #ended = false;
  #choked = false;
  #paused = false;
  /** When the peer last session-acked body, or owed no ack of any. */
  #readAt: number;
  /** Bytes handed to the link in all. */
  #handedOver = 0;
  #tick: Timer | undefined;

  constructor(link: Link, { clock, constants, handler, vouched = () => false }: ChannelOptions) {
    this.peer = link.peer;
    this.#clock = clock;
    this.#constants = constants;
    this.#handler = handler;
    this.#vouched = vouched;
    const keep = handler.broken !== undefined;
    this.#outbox = new Outbox(constants, { keep });
    this.#inbox = new Inbox(constants);
    this.#liveness = new Liveness(constants, clock.now(), keep);
    this.#readAt = clock.now();
    this.#attach(link);
    this.#beat(clock.now());
  }

  /** Whether it has a link at this moment. */
  get linked(): boolean {
    return this.#link !== undefined;
  }

  /** The last frame that was read: a new link begins behind it. It stands still while there is no link. */
  get read(): number {
    return this.#inbox.read;
  }

  /** Destroys the link and waits for another, which `move` gives it. */
  leave(reason: string): void {
    const link = this.#link;
    this.#link = undefined;
    link?.abort(reason);
  }

  /**
   * Goes on over another link, whose peer has read frames up to `read` of this conversation: what came behind is sent
   * again. The link before it is destroyed first. A peer that cannot have read so much, or so little, is closed.
   */
  move(link: Link, read: number): void {
    if (this.#closing || this.#ended) return link.abort('the conversation is over');
    this.leave('another link takes its place');
    this.#attach(link);
    if (this.#paused) link.pause();
    this.#handedOver = 0;
    this.#readAt = this.#clock.now();
    this.#liveness.moved(this.#clock.now());
    this.#inbox.acked(); // Both sides have just said what they have read.
    try {
      this.#outbox.rewind(read);
    } catch (error) {
      return this.#violated(error);
    }
    this.#hear();
    if (this.#liveness.reaches(this.#clock.now())) this.#handler.suspect?.(false);
    this.send({ type: 'heartbeat', stamp: Math.floor(this.#clock.now()) });
  }

  /** Gives its link away, behind what was sent. This conversation is over, and its handler hears nothing of it. */
  release(): Link | undefined {
    if (this.#closing || this.#ended) return undefined;
    this.#flush();
    const link = this.#link;
    this.#link = undefined;
    this.#closing = this.#ended = true;
    this.#tick?.cancel();
    return link;
  }

  #attach(link: Link): void {
    this.#link = link;
    const isMine = (): boolean => this.#link === link;
    link.handle({
      frame: (bytes) => isMine() && this.#frame(bytes),
      drained: () => isMine() && this.#flushSoon(),
      ended: (end) => isMine() && this.#over(end),
    });
  }

  #over(end: LinkEnd): void {
    const isBroken = !this.#closing && end.code === 1006;
    if (isBroken) this.#link = undefined; // First: whoever hears of it looks at what there is.
    if (!isBroken || this.#handler.broken?.(end) !== true) this.#end(end);
  }

  /** Milliseconds on the clock when the last byte was heard. */
  get heard(): number {
    return this.#liveness.heard;
  }

  get isSuspect(): boolean {
    return this.#liveness.suspect;
  }

  get ended(): boolean {
    return this.#ended;
  }

  /** Body bytes that wait here. Above the high-water mark, producers should stop until `drained`. */
  get bodyWaiting(): number {
    return this.#outbox.waiting('body');
  }

  /** Milliseconds for which the peer has read nothing of the body bytes that are under way to it; 0 while there are none. */
  get unreadFor(): number {
    return this.#outbox.inFlight === 0 ? 0 : this.#clock.now() - this.#readAt;
  }

  /**
   * Sends a message. It is delivered, or the end of this channel says that it may not have been.
   * `atHandOver` makes it once more when its first byte leaves, with the same size.
   * @throws ClusterError `limit` for a message larger than the peer takes.
   */
  send(message: Message, atHandOver?: () => Message): void {
    if (this.#closing || this.#ended) return;
    const parts = encodeMessage(message);
    this.#outbox.push(laneOf(message.type), parts, atHandOver && (() => encodeMessage(atHandOver())));
    if (this.#controlWaiting > this.#constants.controlQueue) {
      this.#cut(CloseCode.overflow, 'the control queue is full: the peer does not read');
      return;
    }
    // Producers look at what waits before it is flushed: whoever stops then must be told, however little is left after that.
    this.#choked ||= this.bodyWaiting >= this.#constants.inFlight;
    if (chance(this.#clock, 'early-flush', 0.02)) this.#flush();
    else this.#flushSoon();
  }

  /** Control bytes that wait here, and those in the link that cannot be body. */
  get #controlWaiting(): number {
    return this.#outbox.waiting('control') + Math.max(0, (this.#link?.queued ?? 0) - this.#outbox.inFlight);
  }

  /** Resolves when everything that was sent has been handed to the link, or the channel is over. */
  flushed(): Promise<void> {
    if (this.#ended || this.#empty) return Promise.resolve();
    return new Promise((resolve) => this.#flushers.push(resolve));
  }

  /** Lets what was sent leave as far as the in-flight limit allows, says why, and ends. */
  close(code: number, reason: string): void {
    if (this.#closing || this.#ended) return;
    this.#flush();
    this.#closing = true;
    if (this.#link === undefined) this.#endSoon({ by: 'self', code, reason });
    else this.#link.close(code, reason);
  }

  abort(reason: string): void {
    this.#closing = true;
    if (this.#ended) return;
    if (this.#link === undefined) this.#endSoon({ by: 'self', code: 1006, reason });
    else this.#link.abort(reason);
  }

  #endSoon(end: LinkEnd): void {
    this.#clock.soon(() => this.#end(end));
  }

  /** Stops reading. What is not read is no silence of the peer's. */
  pause(): void {
    this.#paused = true;
    this.#link?.pause();
  }

  resume(): void {
    this.#paused = false;
    if (!this.#closing && !this.#ended) this.#hear();
    this.#link?.resume();
  }

  /** Ends now, of a peer that would not read the reason; this side learns it all the same. */
  #cut(code: CloseCode, reason: string): void {
    if (!this.#closing) this.#link?.close(code, reason);
    this.abort(reason);
  }

  #frame(bytes: Uint8Array): void {
    if (this.#closing || this.#ended) return;
    this.#hear();
    if (this.#closing) return;
    try {
      for (const message of this.#inbox.take(bytes)) {
        this.#take(decodeMessage(message));
        if (this.#closing) return;
      }
      if (this.#inbox.due !== undefined || chance(this.#clock, 'early-ack', 0.02)) this.#ackFrames();
    } catch (error) {
      this.#violated(error);
    }
  }

  #take(message: Message): void {
    checkRole(this.peer.role, message.type);
    if (message.type === 'session-ack') {
      const before = this.#outbox.inFlight;
      this.#outbox.ack(message.frame, this.#clock.now());
      if (this.#outbox.inFlight < before) this.#readAt = this.#clock.now();
      if (this.#liveness.reaches(this.#clock.now())) this.#handler.suspect?.(false);
      this.#flushSoon();
      return;
    }
    this.#handler.message(message);
  }

  /** A peer that breaks a rule loses its link; an error of our own is ours to hear. */
  #violated(error: unknown): void {
    if (!(error instanceof ProtocolError)) throw error;
    this.close(error.closeCode, error.message);
  }

  #ackFrames(): void {
    const frame = this.#inbox.unacked;
    if (frame === undefined) return;
    this.#inbox.acked();
    this.send({ type: 'session-ack', frame });
  }

  #hear(): void {
    if (this.#liveness.hear(this.#clock.now())) this.#handler.suspect?.(false);
  }

  get #empty(): boolean {
    return this.#outbox.waiting('control') + this.#outbox.waiting('body') === 0;
  }

  #flushSoon(): void {
    if (this.#flushing || this.#ended) return;
    this.#flushing = true;
    this.#clock.soon(() => {
      this.#flushing = false;
      if (!this.#closing) this.#flush();
    });
  }

  #flush(): void {
    const link = this.#link;
    if (link === undefined) return;
    if (this.#outbox.inFlight === 0) this.#readAt = this.#clock.now();
    for (let frame = this.#next(); frame !== undefined && !this.#ended; frame = this.#next()) {
      for (const part of frame) this.#handedOver += part.length;
      link.send(frame);
    }
    if (this.#outbox.controlFrames > this.#constants.controlFrames)
      return this.#cut(CloseCode.overflow, 'too many control frames are unacknowledged');
    const low = this.bodyWaiting < this.#constants.inFlight;
    const drained = this.#choked && low;
    this.#choked = !low; // First: whoever goes on now may choke it again.
    if (drained) this.#handler.drained?.();
    if (this.#empty) for (const told of this.#flushers.splice(0)) told();
  }

  #next(): Uint8Array[] | undefined {
    if (this.#empty) return undefined;
    return this.#outbox.next(chance(this.#clock, 'small-frame', 0.02) ? smallestFrame : undefined);
  }

  /** One heartbeat a period, and the judgement of the peer's silence. */
  #beat(due: number): void {
    const { heartbeat } = this.#constants;
    const now = this.#clock.now();
    // A timer that fires late says that we were stopped, not that the peer is silent: its bytes may wait in the socket.
    if (now - due <= heartbeat) this.#judge(now);
    else this.#wasStopped(now);
    if (this.#closing || this.#ended) return;
    if (this.linked) {
      this.#ackFrames();
      this.send({ type: 'heartbeat', stamp: Math.floor(now) });
    }
    this.#tick = this.#clock.after(heartbeat, () => this.#beat(now + heartbeat));
  }

  /** The peer's acks may wait in the socket as its bytes do. */
  #wasStopped(now: number): void {
    this.#liveness.wasStopped(now);
    this.#readAt = now;
  }

  #judge(now: number): void {
    if (this.#closing || this.#ended || this.#link === undefined) return;
    if (this.#liveness.stalled(now, this.#handedOver, this.#link.queued) && !this.#vouched()) {
      this.#cut(CloseCode.stalled, `no byte could be written for ${this.#constants.write} ms`);
    } else if (!this.#paused && this.#liveness.gone(now) && !this.#vouched()) {
      this.#cut(CloseCode.stalled, `nothing was heard for ${this.#constants.write} ms`);
    } else if (!this.#paused && this.#liveness.falls(now)) {
      this.#handler.suspect?.(true);
    }
  }

  #end(end: LinkEnd): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#tick?.cancel();
    for (const told of this.#flushers.splice(0)) told();
    this.#handler.ended(end);
  }
}
