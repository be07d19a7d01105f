import type { Constants } from '@muster/rexi';
import type { HistoryEvent } from '../history/history.ts';

const nsPerMs = 1e6;

/** A job where it ran, whatever anybody knew of it. Times are virtual milliseconds. */
export interface JobStory {
  readonly ref: string;
  readonly incarnation: string;
  readonly node: string;
  readonly job: string;
  readonly begun: number[];
  over: number | undefined;
  how: string;
}

/** A fault while it lasts, and what it hits. */
export interface FaultStory {
  readonly kind: string;
  readonly at: number;
  until: number;
  readonly hits: readonly string[];
  readonly ms: number;
  /** Names it where its end is told. */
  readonly number: unknown;
}

/** One guardian: whom it guarded, and when. */
export interface GuardianStory {
  readonly incarnation: string;
  readonly number: number;
  /** The machine on which it runs. */
  readonly on: string;
  readonly up: number;
  gone: number | undefined;
}

/** A process that is killed at the frame it sends next may take a while to send one. */
const fuse = 6_000;

/** The history of a run by what it is about, for the invariants to ask. */
export class Chronicle {
  readonly events: readonly HistoryEvent[];
  readonly constants: Constants;
  readonly jobs: Map<string, JobStory> = new Map();
  readonly faults: FaultStory[] = [];
  readonly guardians: GuardianStory[] = [];
  /** When the coordinator of an incarnation spoke for it no more: dead, fenced or closed. */
  readonly silent: Map<string, number> = new Map();
  /** Of each incarnation, in which life of the coordinator's process it was. */
  readonly #lives: Map<string, number> = new Map();
  /** And on which machine. */
  readonly #homes: Map<string, string> = new Map();
  readonly #byEvent: Map<string, HistoryEvent[]> = new Map();
  /** When the run was over. */
  readonly end: number;

  constructor(events: readonly HistoryEvent[], constants: Constants) {
    this.events = events;
    this.constants = constants;
    this.end = msOf(events.at(-1));
    for (const event of events) this.#read(event);
  }

  named(name: string): readonly HistoryEvent[] {
    return this.#byEvent.get(name) ?? [];
  }

  /** Faults that hit one of these between two moments. */
  hitting(targets: readonly string[], from: number, to: number): FaultStory[] {
    return this.faults.filter(
      ({ at, until, hits }) => at <= to && until >= from && hits.some((hit) => targets.includes(hit)),
    );
  }

  calm(targets: readonly string[], from: number, to: number): boolean {
    return this.hitting(targets, from, to).length === 0;
  }

  /** The coordinator of an incarnation, and its guardian, as faults name what they hit. */
  coordinatorOf(incarnation: string | undefined): readonly [coordinator: string, guardian: string] {
    return this.#homes.get(incarnation ?? '') === 'c2' ? ['c2', 'g2'] : ['c', 'g'];
  }

  /** When nobody spoke for the incarnation any more, neither its coordinator nor a guardian; undefined: never. */
  orphaned(incarnation: string): number | undefined {
    const silent = this.silent.get(incarnation);
    if (silent === undefined) return undefined;
    const guards = this.guardians.filter((guardian) => guardian.incarnation === incarnation);
    return Math.max(silent, ...guards.map(({ gone }) => gone ?? Infinity));
  }

  /**
   * When a job must be gone whose lease cannot end after `at` + `ms`: later where its agent was stopped meanwhile, since
   * the reaper takes as long as a lease from then on.
   */
  withStops(node: string, at: number, ms: number): number {
    const { lease } = this.constants;
    let limit = at + ms;
    for (const { kind, at: from, until } of this.hitting([node], at - lease, limit)) {
      if (kind.startsWith('stop')) limit = Math.max(limit, Math.min(until, from + 1.4 * lease) + 1_000);
      if (kind === 'drain' || kind === 'kill-agent') limit = Math.max(limit, at + ms + 1_000);
    }
    return limit;
  }

  #read(event: HistoryEvent): void {
    const known = this.#byEvent.get(event.event);
    if (known === undefined) this.#byEvent.set(event.event, [event]);
    else known.push(event);
    const at = msOf(event);
    switch (event.event) {
      case 'job-begun':
        return this.#begun(event, at);
      case 'job-over':
        return this.#over(event, at);
      case 'fault':
        this.faults.push({
          kind: String(event['kind']),
          at,
          until: at + Number(event['ms']) + (event['frames'] === undefined ? 0 : fuse),
          hits: event['hits'] as string[],
          ms: Number(event['ms']),
          number: event['number'],
        });
        return;
      case 'over':
        return this.#healed(event, at);
      case 'guardian-up':
        // Of one that dies before its first session is accepted nobody else says whose it was.
        this.#homes.set(String(event.incarnation), event.on);
        this.guardians.push({
          incarnation: String(event.incarnation),
          number: Number(event['number']),
          on: event.on,
          up: at,
          gone: undefined,
        });
        return;
      case 'guardian-gone':
        for (const one of this.guardians) {
          if (one.incarnation === event.incarnation && one.number === event['number']) one.gone ??= at;
        }
        return;
      case 'session-up':
      case 'cast':
        this.#lives.set(String(event.incarnation), Number(event['life']));
        this.#homes.set(String(event.incarnation), event.on);
        return;
      case 'coordinator-gone':
        return this.#silenced(Number(event['life']), at);
      case 'fenced': {
        const guardian = this.guardians.findLast(({ on }) => on === event.on);
        if (guardian !== undefined && !this.silent.has(guardian.incarnation)) this.silent.set(guardian.incarnation, at);
        return;
      }
      case 'closed':
        return this.#silenced(Number(event['life']), at);
      default:
    }
  }

  #begun({ ref = '', on, ...event }: HistoryEvent, at: number): void {
    const known = this.jobs.get(ref);
    if (known !== undefined) return void known.begun.push(at);
    const [incarnation = ''] = ref.split('-');
    this.jobs.set(ref, {
      ref,
      incarnation,
      node: on,
      job: String(event['job']),
      begun: [at],
      over: undefined,
      how: '',
    });
  }

  #over(event: HistoryEvent, at: number): void {
    const job = this.jobs.get(event.ref ?? '');
    if (job === undefined) return;
    job.over ??= at;
    job.how ||= String(event['how']);
  }

  #healed(event: HistoryEvent, at: number): void {
    if (event.on !== 'faults') return;
    const fault = this.faults.find(({ number }) => number !== undefined && number === event['number']);
    if (fault !== undefined) fault.until = at;
  }

  #silenced(life: number, at: number): void {
    for (const [incarnation, of] of this.#lives) {
      if (of === life && !this.silent.has(incarnation)) this.silent.set(incarnation, at);
    }
  }
}

/** Virtual milliseconds of an event. */
export function msOf(event: HistoryEvent | undefined): number {
  return (event?.at ?? 0) / nsPerMs;
}
