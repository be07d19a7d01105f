import { decodeMessage, encodeMessage, type Clock } from '@muster/rexi';
import type { ObjectPort, ObjectPortHandler } from '../object-port.ts';
import { ObjectService, type ObjectServiceOptions } from '../object-service.ts';
import type { ObjectAnswer, ObjectAsk } from '../transfer.ts';

/** A port with its service at the other end of an imagined link: ordered, through the real message codec, cut at will. */
export class LinkedPort implements ObjectPort {
  readonly service: ObjectService;
  /** What the asking side has said. */
  readonly asked: ObjectAsk[] = [];
  readonly answered: ObjectAnswer[] = [];
  closed = false;
  /** While set, answers vanish: the peer is silent. */
  mute = false;
  /** While set, ends wait behind a body lane that takes nothing, and gets overtake them. */
  congested = false;
  readonly #behind: (() => void)[] = [];
  readonly #clock: Clock;
  #handler: ObjectPortHandler | undefined;
  #over = false;

  constructor(clock: Clock, options: Omit<ObjectServiceOptions, 'send'>) {
    this.#clock = clock;
    this.service = new ObjectService({ ...options, send: (message) => this.answer(message) });
  }

  send(message: ObjectAsk, left?: () => void): void {
    if (this.#over) return;
    const leave = (): void => {
      left?.();
      this.asked.push(message);
      this.#deliver(() => this.service.receive(throughWire(message)));
    };
    if (this.congested && message.type === 'object-end') this.#behind.push(leave);
    else leave();
  }

  /** The body lane moves again. */
  clear(): void {
    this.congested = false;
    for (const leave of this.#behind.splice(0)) leave();
  }

  answer(message: ObjectAnswer): void {
    this.answered.push(message);
    this.#deliver(() => this.mute || this.#handler?.message(throughWire(message)));
  }

  handle(handler: ObjectPortHandler): void {
    this.#handler = handler;
  }

  close(): void {
    this.closed = true;
    this.cut('closed');
  }

  cut(reason: string): void {
    if (this.#over) return;
    this.#over = true;
    this.service.closed();
    this.#handler?.ended(reason);
  }

  #deliver(run: () => void): void {
    this.#clock.soon(() => {
      if (!this.#over) run();
    });
  }
}

function throughWire<M extends ObjectAsk | ObjectAnswer>(message: M): M {
  return decodeMessage(Buffer.concat(encodeMessage(message))) as M;
}
