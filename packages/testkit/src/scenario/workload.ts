import type { Store } from '@muster/store';
import type { Facts } from '../history/history.ts';
import type { SimCoordinator } from '../machines/sim-coordinator.ts';
import type { Random } from '../simulation/random.ts';
import type { SimRow } from './jobs.ts';
import type { Asked, Reading } from './request.ts';
import { Caller } from './request.ts';

/** What users of a coordinator do in one of its lives. Called once a life; what it starts ends with the process. */
export type Scenario = (life: Life) => void;

export interface Life {
  readonly coordinator: SimCoordinator;
  readonly nodes: readonly string[];
  readonly random: Random;
  readonly note: (event: string, facts?: Facts) => void;
  /** A number for each request of the run. */
  readonly next: () => number;
  /** What callers of one life know and those of the next still do: paper outlives a process. */
  readonly remembered: unknown[];
  /** A store beside the cluster, which outlives this life, and keys of what is in it. */
  readonly store: Store;
  readonly keys: string[];
  /** Whether callers still ask. */
  readonly open: () => boolean;
}

/** Requests that one life has open at a time, at most. */
const most = 16;

const kinds = {
  answer: 5,
  work: 3,
  narrow: 1,
  hang: 2,
  deaf: 1,
  slowToStop: 1,
  throws: 1,
  dies: 0.7,
  deadline: 1,
  rows: 4,
  narrowRows: 1,
  rowsThenThrow: 1,
  endless: 2,
  left: 2,
  scatter: 2,
  merge: 2,
  race: 1,
  partial: 1,
  fanOut: 1,
  calledStream: 0,
  fickle: 0,
};
type Kind = keyof typeof kinds;

/** Calls and streams of every kind, at random, from callers who read fast, slowly, or leave; the default scenario. */
export function mixed(life: Life): void {
  new Workload(life).goOn();
}

/** Only quick calls and short streams: what is left is traffic of the protocol itself. */
export function quiet(life: Life): void {
  new Workload(life, { answer: 3, rows: 1, calledStream: 0.5 }, 1_500).goOn();
}

/** Callers who soon want none of what they have asked for: kills overtake casts, and meet what waits for a slot. */
export function fickle(life: Life): void {
  new Workload(life, { fickle: 4, answer: 2, narrow: 1, hang: 1, rows: 1, left: 1 }).goOn();
}

/** What ends soon by itself or by its caller: a second coordinator must leave room for the first. */
export function brief(life: Life): void {
  new Workload(life, { answer: 3, work: 2, hang: 2, rows: 3, left: 1, scatter: 1 }, 1_500).goOn();
}

/** Streams and scatters only: acks, windows, replacements. */
export function streams(life: Life): void {
  new Workload(life, { rows: 4, narrowRows: 1, endless: 1, left: 2, scatter: 3, merge: 3, race: 2, partial: 1 }).goOn();
}

class Workload {
  readonly #life: Life;
  readonly #caller: Caller;
  readonly #weights: Partial<Record<Kind, number>>;
  readonly #every: number;
  #open = 0;

  constructor(life: Life, weights: Partial<Record<Kind, number>> = kinds, every = 700) {
    this.#life = life;
    this.#caller = new Caller(life.coordinator.process, life.note);
    this.#weights = weights;
    this.#every = every * life.random.pick([0.3, 1, 1, 3]);
  }

  goOn(): void {
    const { coordinator, random, open } = this.#life;
    coordinator.process.clock.after(random.exponential(this.#every), () => {
      if (!open() || coordinator.closed) return;
      if (this.#open < most) void this.#one();
      this.goOn();
    });
  }

  async #one(): Promise<void> {
    this.#open += 1;
    try {
      await this.#ask(this.#life.random.weighed(this.#weights as Record<Kind, number>));
    } finally {
      this.#open -= 1;
    }
  }

  #ask(kind: Kind): Promise<void> {
    switch (kind) {
      case 'rows':
      case 'narrowRows':
      case 'rowsThenThrow':
      case 'endless':
      case 'left':
        return this.#stream(kind);
      case 'scatter':
      case 'merge':
      case 'race':
      case 'partial':
        return this.#scatter(kind);
      default:
        return this.#call(kind);
    }
  }

  async #call(
    kind: Exclude<
      Kind,
      'rows' | 'narrowRows' | 'rowsThenThrow' | 'endless' | 'left' | 'scatter' | 'merge' | 'race' | 'partial'
    >,
  ): Promise<void> {
    const { coordinator, random } = this.#life;
    if (kind === 'fanOut') return this.#fanOut();
    if (kind === 'fickle') return this.#fickle();
    if (kind === 'calledStream') return this.#calledStream();
    const job = kind === 'deadline' ? random.pick(['hang', 'deaf', 'work']) : kind;
    const args = random.pick([1, 20, 300, 2_500]);
    const abort = random.between(1, 3_000);
    const hangs = job === 'hang' || job === 'deaf' || job === 'slowToStop';
    const expected = hangs
      ? ['cancelled', 'deadline']
      : kind === 'throws'
        ? ['job_failed']
        : kind === 'dies'
          ? ['executor_lost']
          : kind === 'deadline'
            ? ['complete', 'deadline']
            : ['complete'];
    const timeout = kind === 'deadline' ? { timeout: random.between(1, 1_500) } : {};
    const signal = hangs && kind !== 'deadline' ? { signal: this.#abortIn(abort) } : {};
    const node = random.chance(0.3) ? { node: random.pick(this.#life.nodes) } : {};
    const asked = this.#asked(kind, job, 1, 1, expected);
    await this.#caller.call(asked, () => coordinator.cluster.call(job, args, { ...timeout, ...signal, ...node }));
  }

  /** Many small calls in one turn: their casts share messages. */
  async #fanOut(): Promise<void> {
    const { coordinator, random } = this.#life;
    const all = Array.from({ length: 2 + random.int(6) }, () =>
      this.#caller.call(this.#asked('fanOut', 'answer', 1, 1, ['complete']), () => coordinator.cluster.call('answer')),
    );
    await Promise.all(all);
  }

  /** Several at one node, too large to leave at once, and most of them given up before they have. */
  async #fickle(): Promise<void> {
    const { coordinator, nodes, random } = this.#life;
    const node = random.pick(nodes);
    const lane = random.pick(['hang', 'narrow'] as const);
    const all = Array.from({ length: 2 + random.int(6) }, () => {
      const signal = this.#abortIn(random.between(0, 25));
      const args = lane === 'narrow' ? 500 : 'x'.repeat(random.pick([1, 400, 3_000]));
      const asked = this.#asked('fickle', lane, 1, 1, ['cancelled', 'complete']);
      return this.#caller.call(asked, () => coordinator.cluster.call(lane, args, { node, signal }));
    });
    await Promise.all(all);
  }

  /** A mistake: the copy says that it is a stream, and is told that it is not wanted. */
  async #calledStream(): Promise<void> {
    const { coordinator } = this.#life;
    const asked = this.#asked('calledStream', 'endless', 1, 0, ['bad_options']);
    await this.#caller.call(asked, () => coordinator.cluster.call('endless', this.#streamArgs()));
  }

  async #stream(kind: 'rows' | 'narrowRows' | 'rowsThenThrow' | 'endless' | 'left'): Promise<void> {
    const { coordinator, random } = this.#life;
    const args = this.#streamArgs(kind === 'endless' ? 1 : 0);
    const job = kind === 'left' ? 'rows' : kind;
    const leave = kind === 'left' || kind === 'endless' ? 1 + random.int(args.count) : Infinity;
    const expected = kind === 'rowsThenThrow' ? ['job_failed'] : leave < Infinity ? ['left', 'complete'] : ['complete'];
    const limit = kind === 'left' && random.chance(0.5) ? { limit: leave } : {};
    const asked = this.#asked(kind, job, 1, 'limit' in limit ? Math.min(leave, args.count) : args.count, expected);
    const open = (): ReturnType<typeof coordinator.cluster.stream<SimRow>> =>
      coordinator.cluster.stream<SimRow>(job, args, limit);
    await this.#caller.read(asked, open, { ...this.#reading(), leave: 'limit' in limit ? Infinity : leave });
  }

  async #scatter(kind: 'scatter' | 'merge' | 'race' | 'partial'): Promise<void> {
    const { coordinator, random, nodes } = this.#life;
    const args = this.#streamArgs();
    const over = random.chance(0.3) ? { over: 'nodes' as const } : {};
    const merged = kind === 'merge' || random.chance(0.3);
    const options = {
      ...over,
      race: kind === 'race',
      partial: kind === 'partial',
      ...(merged && { merge: { compare: (a: SimRow, b: SimRow) => a[1] - b[1] } }),
    };
    const job = random.chance(0.15) ? 'slowStart' : 'rows';
    const asked = { ...this.#asked(kind, job, nodes.length, args.count, ['complete']), merged };
    const open = (): ReturnType<typeof coordinator.cluster.scatter<SimRow>> =>
      coordinator.cluster.scatter<SimRow>(job, args, options);
    await this.#caller.read(asked, open, { ...this.#reading(), leave: Infinity });
  }

  #streamArgs(least = 0): { count: number; batch: number; gap: number } {
    const { random } = this.#life;
    return {
      count: Math.max(least, random.pick([0, 1, 3, 10, 40])),
      batch: random.pick([1, 2, 5]),
      gap: random.pick([0, 0, 5, 60]),
    };
  }

  #reading(): Pick<Reading, 'pause'> {
    return { pause: this.#life.random.pick([0, 0, 0, 2, 40]) };
  }

  #asked(kind: string, job: string, parts: number, count: number, expected: readonly string[]): Asked {
    return { request: this.#life.next(), kind, job, parts, count, expected };
  }

  #abortIn(ms: number): AbortSignal {
    const stop = new AbortController();
    this.#life.coordinator.process.clock.after(ms, () => stop.abort());
    return stop.signal;
  }
}
