import type { ErrorCode } from '@muster/rexi';
import { ClusterError, codes } from '@muster/rexi';
import { isStoreErrorCode, StoreError, storeCodes } from '@muster/store';

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
    else asker?.reject(rebuilt(Buffer.from(payload).toString()));
  }
}

/** `full: There is no room …`: a store's error or one of the cluster's where the agent says so, else a plain one. */
function rebuilt(answer: string): Error {
  const [code = '', ...rest] = answer.split(': ');
  const said = rest.join(': ');
  if (!isStoreErrorCode(code)) {
    return Object.hasOwn(codes, code) ? new ClusterError(code as ErrorCode, said) : new Error(answer);
  }
  if (!said.toLowerCase().startsWith(storeCodes[code].says.toLowerCase()))
    return new StoreError(code, { detail: said });
  // The agent's own error has said everything: as a detail it would be said twice.
  return Object.assign(new StoreError(code), { message: said });
}
