import { now } from '../process/child.ts';
import type { Line, NodeProcess } from './node-process.ts';

/** What somebody did to a lab, or saw of it. */
export interface LabEvent {
  /** Milliseconds since the epoch. */
  readonly at: number;
  /** Whom it concerns: `coordinator`, `guardian`, a node, `lab`. */
  readonly party: string;
  readonly kind: 'start' | 'kill' | 'stop' | 'fault' | 'heal' | 'end' | 'note';
  readonly what: string;
}

/** A time in which something was so. */
export interface Span {
  readonly party: string;
  readonly what: string;
  readonly from: number;
  readonly to: number;
}

export class Timeline {
  readonly events: LabEvent[] = [];
  /** When something was last done that ends jobs or links. */
  lastBlow: number = now();

  note(party: string, kind: LabEvent['kind'], what: string, at: number = now()): number {
    this.events.push({ at, party, kind, what });
    if (kind === 'kill' || kind === 'stop' || kind === 'fault') this.lastBlow = at;
    return at;
  }
}

/** When each job of a node ran, as the node tells; one that is not gone ran until its process was seen dead, or until `end`. */
export function jobSpans(node: NodeProcess, deaths: ReadonlyMap<number, number>, end: number): Span[] {
  const gone = new Map(node.lines('gone').map((line) => [line['ref'], line.at]));
  return node.lines('start').map((line: Line) => {
    const pid = Number(line['pid']);
    const to = Math.min(gone.get(line['ref']) ?? Infinity, deaths.get(pid) ?? Infinity, end);
    return {
      party: node.id,
      what: `${String(line['job'])} (process ${pid})`,
      from: line.at,
      to: Math.max(to, line.at),
    };
  });
}
