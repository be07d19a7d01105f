import type { Cast, CastTrace, ClusterError, Exit, Last, Message, Reply, Rows } from '@muster/rexi';
import { CloseCode, ProtocolError } from '@muster/rexi';

export interface CastOrder {
  readonly job: string;
  readonly args: Uint8Array;
  readonly inlineUpTo?: number | undefined;
  readonly trace?: CastTrace | undefined;
  readonly priority: number;
  /** On the coordinator's clock; Infinity: none. */
  readonly deadline: number;
}

/** Milliseconds that a cast can say are left. */
const longest = 2 ** 32 - 1;

/** The cast as it is said at `now`, when its first byte is handed to the socket. */
export function castMessage(order: CastOrder, parts: Cast['parts'], now: number): Cast {
  const { job, args, inlineUpTo, trace, priority, deadline } = order;
  const timeLeft = deadline === Infinity ? 0 : Math.min(longest, Math.max(1, Math.ceil(deadline - now)));
  return { type: 'cast', job, timeLeft, priority, inlineUpTo, trace, args, parts };
}

/** What becomes of one cast. Exactly one of `value`, `last`, `exit` and `down` is called, once, last. */
export interface CastHandler {
  init?(): void;
  rows?(message: Rows): void;
  ping?(): void;
  progress?(value: Uint8Array): void;
  log?(value: Uint8Array): void;
  value(value: Uint8Array): void;
  last(rows: number, value: Uint8Array): void;
  exit(exit: Exit): void;
  down(error: ClusterError): void;
}

/** How a cast has ended, as its handler was told. */
export type CastEnd = 'value' | 'last' | 'exit' | 'down';

/** The casts of one session that have neither ended nor been given up, and what is said of them. */
export class Casts {
  readonly #handlers: Map<number, CastHandler> = new Map();
  /** Who waits for the end of a cast, whatever it is. */
  readonly #watchers: Map<number, (() => void)[]> = new Map();
  readonly #ended: (counter: number, how: CastEnd, code?: string) => void;
  /** Messages of references that had ended or were given up: dropped, and counted. */
  late = 0;

  /** `ended` is called before the handler is, once for each cast that was not given up. */
  constructor(ended: (counter: number, how: CastEnd, code?: string) => void = () => undefined) {
    this.#ended = ended;
  }

  get size(): number {
    return this.#handlers.size;
  }

  get counters(): number[] {
    return [...this.#handlers.keys()];
  }

  has(counter: number): boolean {
    return this.#handlers.has(counter);
  }

  add(counter: number, handler: CastHandler): void {
    this.#handlers.set(counter, handler);
  }

  /** The reference is of no interest any more; false when it was of none already. */
  forget(counter: number): boolean {
    const was = this.#handlers.delete(counter);
    this.#tell(counter);
    return was;
  }

  /** Resolves when the cast has ended or was given up; at once when there is none. */
  async whenOver(counter: number): Promise<void> {
    if (!this.has(counter)) return;
    await new Promise<void>((resolve) =>
      this.#watchers.set(counter, [...(this.#watchers.get(counter) ?? []), resolve]),
    );
  }

  #tell(counter: number): void {
    if (this.#watchers.size === 0) return;
    for (const told of this.#watchers.get(counter) ?? []) told();
    this.#watchers.delete(counter);
  }

  /** Passes on what a worker says of a reference. @throws ProtocolError for what cannot be understood. */
  pass(message: Extract<Message, { counter: number }>): void {
    const handler = this.#handlers.get(message.counter);
    if (handler === undefined) {
      this.late += 1;
      return;
    }
    switch (message.type) {
      case 'stream-init':
        handler.init?.();
        return;
      case 'rows':
        handler.rows?.(message);
        return;
      case 'ping':
        handler.ping?.();
        return;
      case 'progress':
        handler.progress?.(message.value);
        return;
      case 'log':
        handler.log?.(message.value);
        return;
      case 'reply':
      case 'last':
      case 'exit':
        return this.#end(handler, message);
      default:
        throw new ProtocolError(CloseCode.forbidden, `A worker may not send "${message.type}".`);
    }
  }

  /** The session is lost: each reference hears of it once, in the order of submission. */
  down(error: ClusterError): void {
    const lost = [...this.#handlers];
    this.#handlers.clear();
    for (const [counter, handler] of lost) {
      this.#ended(counter, 'down', error.code);
      this.#tell(counter);
      handler.down(error);
    }
  }

  /** Forgotten only when it was taken: an end that cannot be read breaks the session, and then it is down like the rest. */
  #end(handler: CastHandler, message: Reply | Last | Exit): void {
    const how = message.type === 'reply' ? 'value' : message.type;
    this.#ended(message.counter, how, message.type === 'exit' ? message.code : undefined);
    if (message.type === 'reply') handler.value(message.value);
    else if (message.type === 'last') handler.last(message.rows, message.value);
    else handler.exit(message);
    this.#handlers.delete(message.counter);
    this.#tell(message.counter);
  }
}
