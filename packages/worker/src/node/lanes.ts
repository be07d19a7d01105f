import { ClusterError } from '@muster/rexi';
import PQueue from 'p-queue';

export interface LaneOptions {
  /** Jobs of the lane that run at a time. Default 64. */
  readonly concurrency?: number;
  /** Casts that may wait for a slot. Default 10,000; one more is answered `overloaded`. */
  readonly queue?: number;
}

/** A place in a lane; given back exactly once, more often does no harm. */
export type Slot = () => void;

const usual: Required<LaneOptions> = { concurrency: 64, queue: 10_000 };

/** Above every priority that a cast can ask for: jobs that have run already go on before new ones begin. */
const resuming = 256;

/** Limits how many jobs of a kind run at a time, and how many may wait. */
export class Lanes {
  readonly #options: ReadonlyMap<string, LaneOptions>;
  readonly #queues: Map<string, PQueue> = new Map();

  constructor(options: Readonly<Record<string, LaneOptions>> = {}) {
    this.#options = new Map(Object.entries(options));
  }

  /**
   * Waits for a slot for a new job, until `left` says that it no longer wants one.
   * @throws ClusterError `overloaded` at once when too many wait already; the signal's reason when it was aborted.
   */
  // oxlint-disable-next-line require-await -- a refusal has to come as a rejection
  async enter(lane: string, priority: number, left: () => AbortSignal): Promise<Slot> {
    const full = this.full(lane);
    if (full !== undefined) throw new ClusterError('overloaded', full);
    return take(this.#queue(lane), priority, left);
  }

  /** What is to be said where too many wait already; undefined: one more may. */
  full(lane: string): string | undefined {
    const most = this.#options.get(lane)?.queue ?? usual.queue;
    return this.#queue(lane).size >= most ? `${most} jobs wait in the lane "${lane}" already.` : undefined;
  }

  /** Waits for a slot for a parked job, ahead of all that are new. */
  reenter(lane: string, left: () => AbortSignal): Promise<Slot> {
    return take(this.#queue(lane), resuming, left);
  }

  /** What holds in these lanes, and in all that were set, defaults included. */
  settings(names: Iterable<string>): Record<string, Required<LaneOptions>> {
    const lanes = [...new Set([...this.#options.keys(), ...names])].sort();
    return Object.fromEntries(lanes.map((lane) => [lane, { ...usual, ...this.#options.get(lane) }]));
  }

  /** Jobs that run and wait, per lane. */
  get load(): Record<string, { readonly running: number; readonly waiting: number }> {
    const entries = [...this.#queues].map(([lane, queue]) => [lane, { running: queue.pending, waiting: queue.size }]);
    return Object.fromEntries(entries) as Record<string, { running: number; waiting: number }>;
  }

  #queue(lane: string): PQueue {
    const known = this.#queues.get(lane);
    if (known !== undefined) return known;
    const queue = new PQueue({ concurrency: this.#options.get(lane)?.concurrency ?? usual.concurrency });
    this.#queues.set(lane, queue);
    return queue;
  }
}

/** With a slot free nothing waits, so that there is nothing to take back. */
function take(queue: PQueue, priority: number, left: () => AbortSignal): Promise<Slot> {
  return new Promise((granted, refused) => {
    const held = (): Promise<void> => new Promise((release) => granted(release));
    const free = queue.size === 0 && queue.pending < queue.concurrency;
    queue.add(held, free ? { priority } : { priority, signal: left() }).catch(refused);
  });
}
