import type { NoticeSource } from '../request.ts';

/** How far one job is: so much, of so much where it knows. */
interface Part {
  readonly done: number;
  readonly total: number;
}

/** How far all of it is, added up over its parts: pure. */
export class Tally {
  readonly #parts: Map<unknown, Part> = new Map();
  readonly #total: number | undefined;
  #own = 0;

  /** `total`: of all parts together; undefined: what the parts say. */
  constructor(total: number | undefined) {
    this.#total = total;
  }

  get done(): number {
    return this.#sum('done') + this.#own;
  }

  /** Undefined where nobody has said. */
  get total(): number | undefined {
    const total = this.#total ?? this.#sum('total');
    return total > 0 ? total : undefined;
  }

  /** What the program itself has done. */
  add(count: number): boolean {
    if (!isAmount(count)) return false;
    this.#own += count;
    return true;
  }

  /**
   * What a job says, `number` or `{ done, total }`: the newest counts. A copy that takes the place of another of its shard
   * takes that of what that one has said. False for what says nothing.
   */
  hear(value: unknown, part: number | string | undefined, from: NoticeSource): boolean {
    const said =
      typeof value === 'object' && value !== null ? (value as { done?: unknown; total?: unknown }) : { done: value };
    if (!isAmount(said.done)) return false;
    const key = part === undefined ? from.ref : `shard ${typeof part} ${part}`;
    this.#parts.set(key, { done: said.done, total: isAmount(said.total) ? said.total : 0 });
    return true;
  }

  #sum(of: keyof Part): number {
    let sum = 0;
    for (const part of this.#parts.values()) sum += part[of];
    return sum;
  }
}

function isAmount(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value) && value >= 0;
}
