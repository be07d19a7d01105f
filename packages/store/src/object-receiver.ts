import type { ObjectChunk, ObjectHead, ProtocolError } from '@muster/rexi';
import { isStoreErrorCode, StoreError, type StoreErrorContext } from './errors.ts';
import { cancel, defaultCredit, nothing, violation } from './transfer.ts';
import type { AskEvent, AskingMachine, GiveUp, ObjectAsk, Step } from './transfer.ts';

export interface ReceiverOptions {
  readonly id: number;
  /** The object's name, as `formatObjectName` makes it. */
  readonly object: string;
  /** Bytes, as the key says; an object of another size is refused before anything is allocated. */
  readonly size: number;
  /** Named in errors. */
  readonly about?: StoreErrorContext;
  /** Bytes that may be under way. Default 1 MiB. */
  readonly credit?: number;
  /** Largest object taken, default 1 GiB. */
  readonly limit?: number;
  /** Bytes allocated before any has come, default 16 MiB. */
  readonly first?: number;
}

type State =
  | { readonly is: 'waiting' }
  | { readonly is: 'filling'; buffer: Buffer; at: number; acked: number }
  | { readonly is: 'over' };

/** What came is worth this many times as much room: a peer has to send an eighth of what it makes us allocate. */
const growth = 8;

/**
 * The asking side of one transfer: chunks are copied once, from the frame to their place. Up to 16 MiB there is one
 * buffer from the start; beyond, the room grows eightfold as bytes come, which copies an eighth of the object again.
 */
export class ObjectReceiver implements AskingMachine<Uint8Array> {
  readonly #options: Required<ReceiverOptions>;
  #state: State = { is: 'waiting' };

  constructor({ about = {}, credit = defaultCredit, limit = 2 ** 30, first = 16 * 2 ** 20, ...rest }: ReceiverOptions) {
    this.#options = { about, credit, limit, first, ...rest };
  }

  open(): Step<Uint8Array> {
    const { id, object, credit, size, limit } = this.#options;
    if (size > limit)
      return this.#fail([], this.#error('full', `it has ${size} bytes, ${limit} are the most taken here`));
    return { send: [{ type: 'object-get', id, object, credit }] };
  }

  on(event: AskEvent): Step<Uint8Array> {
    if (this.#state.is === 'over') return nothing;
    switch (event.type) {
      case 'object-head':
        return this.#head(event);
      case 'object-chunk':
        return this.#chunk(event);
      case 'object-end':
        return this.#fail([], absent(event.code, this.#options.about));
      case 'give-up':
        return this.#fail(...givenUp(event, this.#options.id, this.#options.about));
    }
  }

  #head({ size }: ObjectHead): Step<Uint8Array> {
    if (this.#state.is !== 'waiting') return this.#violated(violation('sent two heads of one object'));
    if (size !== this.#options.size) {
      const detail = `it says ${this.#options.size} bytes, the object has ${size}`;
      return this.#fail([cancel(this.#options.id)], this.#error('bad_key', detail));
    }
    if (size === 0) return this.#finish(new Uint8Array());
    const buffer = Buffer.allocUnsafeSlow(Math.min(size, this.#options.first));
    this.#state = { is: 'filling', buffer, at: 0, acked: 0 };
    return nothing;
  }

  #chunk({ offset, bytes }: ObjectChunk): Step<Uint8Array> {
    const state = this.#state;
    if (state.is !== 'filling') return this.#violated(violation('sent a chunk of an object before its head'));
    const { size, credit, id } = this.#options;
    const end = offset + bytes.length;
    if (offset !== state.at || end > size || bytes.length === 0) {
      return this.#violated(
        violation(`sent bytes ${offset} to ${end} of an object, where ${state.at} to ${size} are due`),
      );
    }
    if (end - state.acked > credit)
      return this.#violated(violation(`sent more of an object than ${credit} bytes ahead`));
    state.buffer = roomFor(end, state.buffer, state.at, size);
    state.buffer.set(bytes, offset);
    state.at = end;
    if (end === size) return this.#finish(state.buffer);
    if ((end - state.acked) * 2 < credit) return nothing;
    state.acked = end;
    return { send: [{ type: 'object-ack', id, bytes: end }] };
  }

  #finish(value: Uint8Array): Step<Uint8Array> {
    this.#state = { is: 'over' };
    return { send: [], outcome: { ok: true, value } };
  }

  #fail(send: readonly ObjectAsk[], error: StoreError): Step<Uint8Array> {
    this.#state = { is: 'over' };
    return { send, outcome: { ok: false, error } };
  }

  #violated(broken: ProtocolError): Step<Uint8Array> {
    this.#state = { is: 'over' };
    const error = new StoreError('corrupt', { ...this.#options.about, detail: broken.message, cause: broken });
    return { send: [], outcome: { ok: false, error, violation: broken } };
  }

  #error(code: 'full' | 'bad_key', detail: string): StoreError {
    return new StoreError(code, { ...this.#options.about, detail });
  }
}

function roomFor(end: number, buffer: Buffer, filled: number, size: number): Buffer {
  if (end <= buffer.length) return buffer;
  const larger = Buffer.allocUnsafeSlow(Math.min(size, Math.max(end, buffer.length * growth)));
  buffer.copy(larger, 0, 0, filled);
  return larger;
}

/** The holding side's end, as an error. A code of a newer node is one more way of not having the object. */
export function absent(code: string, about: StoreErrorContext): StoreError {
  if (isStoreErrorCode(code)) return new StoreError(code, about);
  return new StoreError('lost', { ...about, detail: `the node answered ${JSON.stringify(code)}` });
}

/** The holding side is told, unless there is nobody left to tell. */
export function givenUp(event: GiveUp, id: number, about: StoreErrorContext): [readonly ObjectAsk[], StoreError] {
  const error = new StoreError(event.code, { ...about, detail: event.detail });
  return [event.code === 'lost' ? [] : [cancel(id)], error];
}
