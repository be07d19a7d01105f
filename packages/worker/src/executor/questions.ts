import { unpackRefusal } from './refusal.ts';

interface Asker {
  resolve(payload: Uint8Array): void;
  reject(error: Error): void;
}

/** Questions to the agent that wait for their answer. */
export class Questions {
  readonly #waiting: Map<number, Asker> = new Map();
  #last = 0;

  /** Asks with a number of its own. */
  ask(say: (request: number) => void): Promise<Uint8Array> {
    this.#last = (this.#last + 1) >>> 0;
    const request = this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(request, { resolve, reject });
      say(request);
    });
  }

  answer(request: number, ok: boolean, payload: Uint8Array): void {
    const asker = this.#waiting.get(request);
    this.#waiting.delete(request);
    if (ok) asker?.resolve(payload);
    else asker?.reject(unpackRefusal(payload));
  }
}
