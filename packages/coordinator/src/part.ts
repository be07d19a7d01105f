import type { ClusterError, ErrorCode } from '@muster/rexi';
import { codes } from '@muster/rexi';
import { retold } from './exit-error.ts';

/** What has to be done for one part of a request. `copy` numbers the casts of the part, from 0. */
export type PartEffect =
  | { readonly do: 'cast'; readonly copy: number; readonly node: string }
  | { readonly do: 'start'; readonly copy: number }
  /** Not chosen, or not wanted any more: what it has sent is dropped. */
  | { readonly do: 'cancel'; readonly copy: number }
  /** Call `late` after the time to wait for a first message. */
  | { readonly do: 'arm' }
  | { readonly do: 'fail'; readonly error: ClusterError };

/** Beside those that are retryable everywhere: errors that another copy may well not have. */
const curable: ReadonlySet<ErrorCode> = new Set(['unknown_job', 'timeout', 'protocol_error']);

export interface PartOptions {
  /** Nodes that hold the part, best first. */
  readonly nodes: readonly string[];
  /** Cast all copies at once and keep the first that is ready. */
  readonly race: boolean;
  /** The nodes hold copies of one shard: what a job throws at one of them may be the fault of its copy. Default: no. */
  readonly sharded?: boolean;
}

/**
 * One part of a scattered request, over the copies that hold it: pure. One copy is cast; the next when it fails, or when
 * it has not said in time that it is ready. The first that is ready is started, the others are cancelled. A failed copy
 * is replaced until a row of the part has been handed on.
 */
export class Part {
  readonly #options: PartOptions;
  /** Nodes to ask next, in order. */
  readonly #untried: string[];
  /** The node of each copy. */
  readonly #nodes: Map<number, string> = new Map();
  /** Copies that are cast and have neither failed nor been cancelled. */
  readonly #live: Set<number> = new Set();
  #stream = false;
  #next = 0;
  #chosen: number | undefined;
  #handed = false;
  /** What became of the copy that failed first of those that were cast. */
  #cause: ClusterError | undefined;
  #over = false;

  constructor(options: PartOptions) {
    this.#options = options;
    this.#untried = [...options.nodes];
  }

  get chosen(): number | undefined {
    return this.#chosen;
  }

  /** How many copies were cast beyond the first. */
  get replaced(): number {
    return Math.max(0, this.#next - 1);
  }

  /** Whether the copy is cast, or to be cast, and has neither failed nor been given up. */
  isLive(copy: number): boolean {
    return this.#live.has(copy);
  }

  /** A stream's copy says that it is ready before it computes a row; a function's just replies. */
  begin(stream: boolean): PartEffect[] {
    this.#stream = stream;
    if (!this.#options.race) return this.#castNext();
    return this.#options.nodes.flatMap(() => this.#castNext());
  }

  /** The copy's executor has taken it; or its value is here. */
  ready(copy: number): PartEffect[] {
    if (!this.#live.has(copy)) return [{ do: 'cancel', copy }];
    if (this.#chosen !== undefined) return this.#drop(copy);
    this.#chosen = copy;
    const slower = [...this.#live].filter((other) => other !== copy);
    // They have not failed: should the chosen one, they are asked again.
    this.#untried.push(...slower.flatMap((other) => this.#nodes.get(other) ?? []));
    const losers = slower.flatMap((other) => this.#drop(other));
    return this.#stream ? [...losers, { do: 'start', copy }] : losers;
  }

  failed(copy: number, error: ClusterError): PartEffect[] {
    if (!this.#live.delete(copy) || this.#over) return [];
    this.#cause ??= error;
    if (this.#chosen === copy) this.#chosen = undefined;
    if (this.#isFinal(error)) return this.#fail(error);
    if (this.#handed) return this.#fail(this.#untried.length > 0 ? cannotBeginAgain(error) : error);
    return this.#replace(error);
  }

  /** The copy could not even be cast: its node is not up. That says less than what became of one that was. */
  notCast(copy: number, error: ClusterError): PartEffect[] {
    return this.#live.delete(copy) && !this.#over ? this.#replace(error) : [];
  }

  /** Too long without a first message: one more copy, without giving the first up. */
  late(): PartEffect[] {
    return this.#chosen === undefined && !this.#over ? this.#castNext() : [];
  }

  /** A row of the part has been handed on: it cannot be begun again. */
  handedOn(): void {
    this.#handed = true;
  }

  /** The part is complete, or not wanted any more. */
  end(): PartEffect[] {
    this.#over = true;
    return [...this.#live].flatMap((copy) => this.#drop(copy));
  }

  /** The chosen copy has said all. */
  complete(copy: number): PartEffect[] {
    this.#live.delete(copy);
    return this.end();
  }

  #replace(error: ClusterError): PartEffect[] {
    if (this.#live.size > 0) return [];
    const next = this.#castNext();
    return next.length > 0 ? next : this.#fail(this.#cause ?? error);
  }

  #castNext(): PartEffect[] {
    const node = this.#untried.shift();
    if (node === undefined) return [];
    const copy = this.#next;
    this.#next += 1;
    this.#live.add(copy);
    this.#nodes.set(copy, node);
    const more = this.#stream && !this.#options.race && this.#untried.length > 0;
    return [{ do: 'cast', copy, node }, ...(more ? [{ do: 'arm' } as const] : [])];
  }

  #drop(copy: number): PartEffect[] {
    this.#live.delete(copy);
    return [{ do: 'cancel', copy }];
  }

  /** Whether every copy would give the error again: what a job has thrown is its answer, unless it was about a shard. */
  #isFinal({ code }: ClusterError): boolean {
    if (code === 'job_failed') return this.#options.sharded !== true;
    return !codes[code].retryable && !curable.has(code);
  }

  #fail(error: ClusterError): PartEffect[] {
    return [...this.end(), { do: 'fail', error }];
  }
}

/** There is another copy, but the consumer would get the rows that it has twice. */
function cannotBeginAgain(error: ClusterError): ClusterError {
  const what = error.text.replace(/\.$/, '');
  return retold(error, `${what}; rows of it were handed on before, so no other copy could take its place.`);
}
