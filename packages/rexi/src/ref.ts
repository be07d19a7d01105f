import { createHash } from 'node:crypto';
import { ClusterError } from './errors.ts';

/** The largest counter: 48 bits, so that it is exact as a number and short on the wire. */
export const maxCounter: number = 2 ** 48 - 1;

/**
 * The name of one job: the incarnation of its coordinator and a counter. Made before anything is sent. A name and not
 * a capability: a node looks a job up under the incarnation that the link has proved.
 */
export interface Ref {
  /** 16 lower-case hexadecimal digits. */
  readonly incarnation: string;
  /** 1 to 2^48 - 1, ascending in the order of submission. */
  readonly counter: number;
}

const incarnationForm = /^[0-9a-f]{16}$/;

/** `89abcdef01234567-2f`: the incarnation, then the counter in hexadecimal. */
export function formatRef(ref: Ref): string {
  return `${ref.incarnation}-${ref.counter.toString(16)}`;
}

/** @throws ClusterError `bad_options` for anything that `formatRef` does not make. */
export function parseRef(text: string): Ref {
  const [incarnation = '', digits = '', ...rest] = text.slice(0, 64).split('-');
  const counter = /^[1-9a-f][0-9a-f]{0,11}$/.test(digits) ? Number.parseInt(digits, 16) : 0;
  if (!incarnationForm.test(incarnation) || counter === 0 || rest.length > 0) {
    throw new ClusterError(
      'bad_options',
      `"${text.slice(0, 64)}" is no reference; one looks like 89abcdef01234567-2f.`,
    );
  }
  return { incarnation, counter };
}

/** Orders by incarnation, then by submission. */
export function compareRefs(a: Ref, b: Ref): number {
  if (a.incarnation !== b.incarnation) return a.incarnation < b.incarnation ? -1 : 1;
  return a.counter - b.counter;
}

/** The incarnation that a public key stands for: the first 64 bits of its SHA-256. */
export function incarnationOf(publicKey: Uint8Array): string {
  return createHash('sha256').update(publicKey).digest('hex').slice(0, 16);
}
