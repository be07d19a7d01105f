import { StoreError, type StoreErrorContext } from './errors.ts';
import { absent, givenUp } from './object-receiver.ts';
import { cancel, nothing, violation } from './transfer.ts';
import type { AskEvent, AskingMachine, ObjectAsk, Outcome, Step } from './transfer.ts';

export interface ProbeOptions {
  readonly id: number;
  /** The object's name, as `formatObjectName` makes it. */
  readonly object: string;
  /** `exists` tells whether the object is there, `drop` whether it was there until now. */
  readonly wish: 'exists' | 'drop';
  /** Named in errors. */
  readonly about?: StoreErrorContext;
}

/** A question about an object, or the wish that it goes: no byte of it travels. */
export class ObjectProbe implements AskingMachine<boolean> {
  readonly #options: Required<ProbeOptions>;
  #over = false;

  constructor({ about = {}, ...rest }: ProbeOptions) {
    this.#options = { about, ...rest };
  }

  open(): Step<boolean> {
    const { id, object, wish } = this.#options;
    const get: ObjectAsk = { type: 'object-get', id, object, credit: 0 };
    return { send: wish === 'drop' ? [get, { type: 'object-end', id, code: 'drop' }] : [get] };
  }

  on(event: AskEvent): Step<boolean> {
    if (this.#over) return nothing;
    const { id, wish, about } = this.#options;
    switch (event.type) {
      case 'object-head':
        return wish === 'drop' ? nothing : this.#end([cancel(id)], { ok: true, value: true });
      case 'object-end':
        return this.#end([], answer(event.code, about));
      case 'object-chunk':
        return this.#violated();
      case 'give-up': {
        const [send, error] = givenUp(event, id, about);
        return this.#end(send, { ok: false, error });
      }
    }
  }

  #violated(): Step<boolean> {
    const broken = violation('sent a chunk of an object that nobody wanted');
    const error = new StoreError('corrupt', { ...this.#options.about, detail: broken.message, cause: broken });
    return this.#end([], { ok: false, error, violation: broken });
  }

  #end(send: readonly ObjectAsk[], outcome: Outcome<boolean>): Step<boolean> {
    this.#over = true;
    return { send, outcome };
  }
}

/** That an object is gone answers the question, and fulfils the wish. */
function answer(code: string, about: StoreErrorContext): Outcome<boolean> {
  if (code === 'dropped') return { ok: true, value: true };
  if (code === 'missing' || code === 'evicted' || code === 'lost') return { ok: true, value: false };
  return { ok: false, error: absent(code, about) };
}
