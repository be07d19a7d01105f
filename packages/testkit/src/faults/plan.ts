import type { Random } from '../simulation/random.ts';
import type { Fault, FaultKind } from './fault.ts';
import { faultWeights } from './fault.ts';

/** How a schedule of faults is drawn. */
export interface PlanOptions {
  readonly random: Random;
  readonly nodes: readonly string[];
  /** Milliseconds in which faults begin. */
  readonly duration: number;
  /** Kinds to draw from. Default: all, or for one seed in three only one or two. */
  readonly kinds?: readonly FaultKind[];
  /** Milliseconds between two faults, on average. Default: drawn from 1.5 s to 12 s. */
  readonly every?: number;
}

/** The cluster has this many milliseconds to come up before the first fault. */
const peace = 1_000;

/** A schedule that is a function of its stream of random numbers. */
export function planFaults({ random, nodes, duration, kinds, every }: PlanOptions): Fault[] {
  const few = random.chance(1 / 3);
  const all = Object.keys(faultWeights) as FaultKind[];
  const some = kinds ?? (few ? random.shuffled(all).slice(0, 1 + random.int(2)) : all);
  const weights = Object.fromEntries(some.map((kind) => [kind, faultWeights[kind]])) as Record<FaultKind, number>;
  const mean = every ?? random.pick([1_500, 4_000, 12_000]);
  const faults: Fault[] = [];
  if (some.length === 0) return faults;
  for (let at = peace + random.exponential(mean); at < duration; at += random.exponential(mean)) {
    faults.push(draw(random, random.weighed(weights), Math.round(at), nodes));
  }
  return faults;
}

function draw(random: Random, kind: FaultKind, at: number, nodes: readonly string[]): Fault {
  const node = random.pick(nodes);
  const which = random.int(1_000);
  const first = random.pick(['timers', 'sockets'] as const);
  const direction = random.pick(['near', 'far'] as const);
  const frames = random.chance(0.6) ? { frames: 1 + random.int(4) } : {};
  const down = Math.round(random.pick([1, 10, 200, 1_500, 7_000]) * random.between(0.5, 1.5));
  // Some of each below and above what a heartbeat, a lease, a write deadline and vouching last.
  const ms = Math.round(random.pick([30, 700, 3_000, 5_500, 9_000, 14_000]) * random.between(0.7, 1.3));
  switch (kind) {
    case 'kill-coordinator':
      return { at, kind, down: down + 100, ...frames };
    case 'kill-rival':
      return { at, kind, down: down + 100, ...frames };
    case 'kill-guardian':
      return { at, kind, ...frames };
    case 'kill-agent':
      return { at, kind, node, down, ...frames };
    case 'kill-reaper':
      return { at, kind, node };
    case 'kill-executor':
      return { at, kind, node, which };
    case 'lose-coordinator':
      return { at, kind, down: down + 1_000, ...(random.chance(0.4) && { held: heldBack(random) }) };
    case 'lose-node':
      return { at, kind, node, down: down + 500 };
    case 'stall-coordinator':
    case 'stall-when-down':
      return { at, kind, ms: random.chance(0.25) ? 40_000 : ms, first };
    case 'stop-guardian':
      return { at, kind, ms };
    case 'stop-coordinator-machine':
      return { at, kind, ms };
    case 'stop-agent':
      return { at, kind, node, ms, first };
    case 'drain':
      return { at, kind, node, ms: 1_000 + ms / 4 };
    case 'reset':
      return { at, kind, which, bytes: random.int(random.pick([10, 400, 4_000])), direction };
    case 'half-open':
      return { at, kind, which, ...(random.chance(0.5) && { told: direction }) };
    case 'hold':
      return { at, kind, which, direction, ms };
    case 'clog':
      return { at, kind, node, direction: random.pick(['to', 'from']), ms };
    case 'partition':
      return { at, kind, node, ms };
    case 'slow':
      return {
        at,
        kind,
        node,
        ms,
        latency: random.pick([20, 200, 800]),
        bandwidth: random.pick([20_000, 100_000, 1e6]),
      };
    case 'swizzle':
      return { at, kind, ms, which };
    case 'jump-wall-clock':
      return { at, kind, machine: random.pick(['c1', node]), by: jump(random) };
    case 'store-failing':
    case 'store-full':
    case 'store-slow':
      return { at, kind, node, ms };
    case 'store-lost':
      return { at, kind, node };
  }
}

/** From less than a heartbeat to what somebody does who gets the year wrong. */
function jump(random: Random): number {
  return Math.round(
    random.pick([-1, 1]) * random.pick([300, 4_000, 60_000, 3_600_000, 3e10]) * random.between(0.5, 1.5),
  );
}

function heldBack(random: Random): { readonly before: number; readonly after: number } {
  return { before: Math.round(random.between(100, 3_000)), after: Math.round(random.between(100, 4_500)) };
}
