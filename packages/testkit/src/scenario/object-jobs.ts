import { ValueCodec } from '@muster/rexi';
import type { Script, ScriptCall, Step } from '@muster/worker/testing';
import { ObjectRef } from '@muster/worker/testing';

const codec = new ValueCodec();

/** The object that a job makes: whose it is shows in every part of it. */
export function contentOf(ref: string, size: number): string {
  return `${ref}/`.repeat(Math.ceil(size / (ref.length + 1))).slice(0, size);
}

/** Puts an object of as many characters as its argument says, and goes on with its key. */
function puts(then: (key: string, call: ScriptCall) => readonly Step[]): Script['steps'] {
  return (call) => [
    {
      do: 'ask',
      operation: 'put',
      payload: codec.pack(contentOf(call.ref, Number(call.args))),
      next: ({ ok, payload }) => (ok ? then(text(payload), call) : [{ do: 'fail', message: text(payload) }]),
    },
  ];
}

/** Asks about the reference that is its argument, and ends with what `told` makes of the answer, or with the refusal. */
function asks(operation: 'get' | 'exists' | 'evict', told: (payload: Uint8Array) => unknown): Script['steps'] {
  return ({ args }) => [
    {
      do: 'ask',
      operation,
      payload: Buffer.from((args as ObjectRef).key),
      next: ({ ok, payload }) => [{ do: 'end', value: ok ? told(payload) : { refused: codeOf(payload) } }],
    },
  ];
}

/** Of a refusal, as the agent packs it. */
function codeOf(refusal: Uint8Array): string {
  return String((JSON.parse(text(refusal)) as { code?: unknown }).code);
}

function text(bytes: Uint8Array): string {
  return Buffer.from(bytes).toString();
}

/** Jobs that make objects and use those of others. */
export const objectJobs: Readonly<Record<string, Script>> = {
  put: { steps: puts((key, { ref }) => [{ do: 'end', value: [new ObjectRef(key), ref], keys: [key] }]) },
  /** Its object goes with it, although its caller is told the key. */
  putForOneself: { steps: puts((key, { ref }) => [{ do: 'end', value: [new ObjectRef(key), ref] }]) },
  fetch: { steps: asks('get', (payload) => ({ content: codec.unpack(payload.subarray(1)) })) },
  has: { steps: asks('exists', ([there]) => ({ there: there === 1 })) },
  drop: { steps: asks('evict', () => ({ dropped: true })) },
};
