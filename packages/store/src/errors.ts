/** How a store operation can fail: a closed list. `says` is what is so, `todo` what the reader of the error can do. */
export const storeCodes = {
  missing: { says: 'there is no object under this key', todo: 'Put it again; if it was put, it was dropped long ago.' },
  evicted: {
    says: 'the object was dropped, or its job or session has ended',
    todo: 'Resolve a reference before its end, or return it from the job so that it lives as long as the session.',
  },
  lost: {
    says: 'the node that held the object is gone, was restarted or cannot be reached',
    todo: 'Run the job again that made the object.',
  },
  full: { says: 'there is no room for the object', todo: 'Drop objects that are done with, or raise the byte budget.' },
  closed: { says: 'there is no open store behind this call', todo: 'Use a store or cluster handle that is open.' },
  timeout: { says: 'no answer came in time', todo: 'Try again, or allow more time.' },
  cancelled: { says: 'the caller cancelled', todo: 'Nothing: this was asked for.' },
  bad_key: {
    says: 'this is no key of an object',
    todo: 'Use keys as the store gave them; they cannot be made up or changed.',
  },
  corrupt: {
    says: 'the bytes are not those of the object',
    todo: 'Put it again, and report this: it should never happen.',
  },
  foreign: {
    says: 'the object belongs to another session',
    todo: 'Let its own session drop it; everybody may read it.',
  },
} as const;

export type StoreErrorCode = keyof typeof storeCodes;

/** What a store error is about, as far as it is known. */
export interface StoreErrorContext {
  readonly key?: string | undefined;
  /** The name of the store, or of the node that holds the object. */
  readonly store?: string | undefined;
  /** What exactly was found, in a few words. */
  readonly detail?: string | undefined;
  readonly cause?: unknown;
}

/** Every failure of a store. `code` tells them apart; the text is for people. */
export class StoreError extends Error {
  override readonly name: string = 'StoreError';
  readonly code: StoreErrorCode;
  readonly key: string | undefined;
  readonly store: string | undefined;
  readonly detail: string | undefined;

  constructor(code: StoreErrorCode, context: StoreErrorContext = {}) {
    super(sentence(code, context), 'cause' in context ? { cause: context.cause } : undefined);
    this.code = code;
    this.key = context.key;
    this.store = context.store;
    this.detail = context.detail;
  }
}

/** Whether `code`, as it came from elsewhere, is one of the list: the way to rebuild an error behind a wire. */
export function isStoreErrorCode(code: string): code is StoreErrorCode {
  return Object.hasOwn(storeCodes, code);
}

function sentence(code: StoreErrorCode, { key, store, detail }: StoreErrorContext): string {
  const { says, todo } = storeCodes[code];
  const where = [key && `key ${printable(key)}`, store && `store ${printable(store)}`].filter(Boolean).join(', ');
  return `${upper(says)}${detail ? `: ${detail}` : ''}. ${todo}${where && ` (${where})`}`;
}

function upper(text: string): string {
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** A refused key may hold anything: what reaches a log is short and has no control characters. */
function printable(text: string): string {
  return JSON.stringify(text.length > 160 ? `${text.slice(0, 160)}…` : text).slice(1, -1);
}
