import { createHash } from 'node:crypto';

/** One line of a run's history. */
export interface HistoryEvent {
  readonly seq: number;
  /** Virtual nanoseconds. */
  readonly at: number;
  /** Who says it: `w1`, `c1`, `caller`, `faults`. */
  readonly on: string;
  readonly event: string;
  /** The incarnation that it is about, or which life of a component says it. */
  readonly incarnation?: string;
  readonly ref?: string;
  readonly refs?: readonly string[];
  readonly node?: string;
  readonly session?: number;
  readonly [fact: string]: unknown;
}

export type Facts = Readonly<Record<string, unknown>>;

/** Everything that was seen in a run, in the order in which it happened. */
export class History {
  readonly events: HistoryEvent[] = [];
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#now = now;
  }

  /** What one component sees goes through the observer that it is given. */
  observer(on: string): (event: string, facts?: Facts) => void {
    return (event, facts) => void this.events.push({ ...facts, seq: this.events.length, at: this.#now(), on, event });
  }

  /** One JSON object a line. */
  toJsonl(): string {
    return this.events.map((event) => `${JSON.stringify(event)}\n`).join('');
  }

  /** Names everything that has happened; equal for equal runs. */
  hash(): string {
    return createHash('sha256').update(this.toJsonl()).digest('hex').slice(0, 16);
  }
}
