import type { Random } from '../../simulation/random.ts';
import type { Direction } from './way.ts';
import type { Wire } from './wire.ts';

interface OneWay {
  /** Both where none is named. */
  readonly direction?: Direction;
}

/** What can be done to a connection, as data. Times in milliseconds, sizes in bytes. */
export type LinkFault =
  | ({ readonly kind: 'latency'; readonly delay: number; readonly jitter?: number } & OneWay)
  /** Bytes a second. */
  | ({ readonly kind: 'bandwidth'; readonly rate: number } & OneWay)
  | ({ readonly kind: 'slice'; readonly bytes: number } & OneWay)
  /** Both ends are reset when so many more bytes have passed; at once without a number. */
  | { readonly kind: 'reset'; readonly after?: number; readonly direction?: Direction }
  /** Bytes are lost, and after a time the connection is reset. */
  | { readonly kind: 'timeout'; readonly after: number }
  /** Only one end is told that the connection is over: the one that has dialled (`near`), or the node (`far`). */
  | { readonly kind: 'half-open'; readonly told: 'near' | 'far' }
  /** Bytes are lost, and nobody is told. */
  | ({ readonly kind: 'black-hole' } & OneWay)
  /** Bytes wait until the fault is healed, as TCP resends what a partition has dropped. */
  | ({ readonly kind: 'hold' } & OneWay)
  /** What passes in the next while is passed once more at its end. */
  | { readonly kind: 'replay'; readonly bytes: number; readonly after: number; readonly direction: Direction }
  /** One bit of the byte that comes after so many is changed. */
  | { readonly kind: 'corrupt'; readonly after: number; readonly direction: Direction };

export type LinkFaultKind = LinkFault['kind'];

/** Every kind there is. */
export const linkFaultKinds: readonly LinkFaultKind[] = [
  'latency',
  'bandwidth',
  'slice',
  'reset',
  'timeout',
  'half-open',
  'black-hole',
  'hold',
  'replay',
  'corrupt',
];

/** Calls something later; the proxy forgets it when it is closed. */
export type Later = (ms: number, act: () => void) => void;

/** Does to one connection what the fault says. */
export function inflict(fault: LinkFault, wire: Wire, later: Later): void {
  const { direction } = fault as OneWay;
  const ways = direction === undefined ? [] : [direction];
  switch (fault.kind) {
    case 'latency':
      return wire.delay(fault.delay, fault.jitter ?? 0, ...ways);
    case 'bandwidth':
      return wire.limit(fault.rate, ...ways);
    case 'slice':
      return wire.sliced(fault.bytes, ...ways);
    case 'reset':
      return fault.after === undefined ? wire.reset() : wire.cutAfter(fault.direction ?? 'down', fault.after);
    case 'timeout':
      wire.blackHole();
      return later(fault.after, () => wire.reset());
    case 'half-open':
      return wire.halfOpen(fault.told);
    case 'black-hole':
      return wire.blackHole(...ways);
    case 'hold':
      return wire.hold(...ways);
    case 'replay':
      wire.record(fault.direction, fault.bytes);
      return later(fault.after, () => wire.replay(fault.direction));
    case 'corrupt':
      return wire.corruptAfter(fault.direction, fault.after);
  }
}

/** A fault with its moment: milliseconds after the schedule begins, and how long it lasts where it can be healed. */
export interface TimedFault {
  readonly at: number;
  readonly fault: LinkFault;
  readonly ms?: number;
}

export interface ScheduleOptions {
  /** Milliseconds in which faults begin. */
  readonly duration: number;
  /** How many. */
  readonly count: number;
  /** Kinds to draw from; all where none are named. */
  readonly kinds?: readonly LinkFaultKind[];
}

/** Faults drawn at random, in their order: a function of the randomness given. */
export function scheduleOf(random: Random, { duration, count, kinds = linkFaultKinds }: ScheduleOptions): TimedFault[] {
  const drawn = Array.from({ length: count }, () => ({
    at: Math.round(random.between(0, duration)),
    fault: drawFault(random, random.pick(kinds)),
    ms: Math.round(random.between(50, duration / 2)),
  }));
  return drawn.sort((a, b) => a.at - b.at);
}

/** One fault of a kind, with figures that hurt without lasting for ever. */
export function drawFault(random: Random, kind: LinkFaultKind): LinkFault {
  const direction = random.pick(['up', 'down'] as const);
  switch (kind) {
    case 'latency':
      return { kind, delay: 5 + random.int(50), jitter: random.int(50) };
    case 'bandwidth':
      return { kind, rate: 20_000 + random.int(200_000) };
    case 'slice':
      return { kind, bytes: 1 + random.int(7) };
    case 'reset':
      return { kind, after: random.int(2_000), direction };
    case 'timeout':
      return { kind, after: 50 + random.int(500) };
    case 'half-open':
      return { kind, told: random.pick(['near', 'far'] as const) };
    case 'black-hole':
    case 'hold':
      return { kind, direction };
    case 'replay':
      return { kind, bytes: 1 + random.int(500), after: 50 + random.int(200), direction };
    case 'corrupt':
      return { kind, after: random.int(2_000), direction };
  }
}
