import type { TlsOptions } from '@muster/rexi';

/**
 * What coordinator and guardian say to each other: one JSON object a line, to the guardian's standard input and from
 * its standard output. The pipe is private to the two and ends with the coordinator, which is the point of it.
 */

/** The first line: who the guardian speaks for. */
export interface Begin {
  readonly do: 'begin';
  /** Guardians of an incarnation are numbered; nodes refuse a lower number than they have seen. */
  readonly number: number;
  readonly id: string;
  readonly incarnation: string;
  /** Base64: the key that proves the incarnation, and the cluster secret. */
  readonly seed: string;
  readonly secret: string;
  /** Certificates, where there are any; paths are absolute. */
  readonly tls?: TlsOptions;
  readonly constants: Readonly<Record<string, number>>;
}

export type ToGuardian =
  | Begin
  /** Link to this node, and answer `linked`. Nothing is cast to it before. */
  | {
      readonly do: 'node';
      /** Its name between the two. */
      readonly address: string;
      readonly node: string;
      /** Where it is reached, dialled in turn. Default: the one. */
      readonly addresses?: readonly string[];
    }
  /** Counters up to `to` may be cast from now on; answered `registered`. */
  | { readonly do: 'block'; readonly to: number }
  /** This session counts as live: vouch for it. */
  | {
      readonly do: 'session';
      readonly address: string;
      readonly session: number;
      /** Milliseconds after the last renewal when the node's own lease must have ended its jobs. */
      readonly bound: number;
    }
  /** The coordinator has given this session up: renew it no more, tell the node, answer `ended`. */
  | { readonly do: 'end'; readonly address: string; readonly session: number }
  /** A sign of life; answered `alive`. */
  | { readonly do: 'beat' }
  /** The coordinator closes in good order: fence what is left, and go. */
  | { readonly do: 'release' };

export type FromGuardian =
  | { readonly is: 'linked'; readonly address: string }
  | { readonly is: 'registered'; readonly to: number }
  /** The answer to a beat: a guardian that was stopped gives none, and is replaced. */
  | { readonly is: 'alive' }
  /** `stamp`: the newest that was echoed for the session; 0: none. */
  | { readonly is: 'ended'; readonly address: string; readonly session: number; readonly stamp: number }
  /** Said before a fence of a coordinator that lives: it must take a new incarnation. */
  | { readonly is: 'fencing'; readonly why: string };

/** Cuts a byte stream into lines and reads each as JSON. */
export function lineReader<T>(take: (line: T) => void): (chunk: Buffer | string) => void {
  let rest = '';
  return (chunk) => {
    const lines = (rest + String(chunk)).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) if (line !== '') take(JSON.parse(line) as T);
  };
}

export function toLine(message: ToGuardian | FromGuardian): string {
  return `${JSON.stringify(message)}\n`;
}
