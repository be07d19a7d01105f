import type { CastHandler } from '../src/casts.ts';
import { ClusterNode } from '../src/node.ts';

/** What became of one cast. */
export interface Entry {
  readonly ref: string;
  /** Ends that its handler was told. */
  readonly ends: string[];
  /** Its own coordinator has killed or cancelled it. */
  givenUp: boolean;
}

/** Writes down every cast of every coordinator in this process, and each of its ends. */
export class Ledger {
  readonly entries: Entry[] = [];
  readonly #restore: () => void;

  constructor() {
    const { cast, kill, cancel } = ClusterNode.prototype;
    const open: Map<ClusterNode, Map<number, Entry>> = new Map();
    const entriesOf = (node: ClusterNode): Map<number, Entry> => open.get(node) ?? new Map();
    const { entries } = this;
    ClusterNode.prototype.cast = function written(order, parts) {
      const mine: Entry[] = [];
      const watched = parts.map(({ shard, handler }, i) => ({
        shard,
        handler: watch(handler, (end) => mine[i]?.ends.push(end)),
      }));
      for (let i = 0; i < parts.length; i += 1) mine.push({ ref: '', ends: [], givenUp: false });
      const counters = cast.call(this, order, watched);
      const known = entriesOf(this);
      open.set(this, known);
      counters.forEach((counter, i) => {
        const entry = Object.assign(mine[i] as Entry, { ref: `${this.name}-${counter}` });
        known.set(counter, entry);
        entries.push(entry);
      });
      return counters;
    };
    ClusterNode.prototype.kill = function written(counters, grace, confirm) {
      for (const counter of counters) giveUp(entriesOf(this).get(counter));
      return kill.call(this, counters, grace, confirm);
    };
    ClusterNode.prototype.cancel = function written(counter) {
      giveUp(entriesOf(this).get(counter));
      cancel.call(this, counter);
    };
    this.#restore = () => Object.assign(ClusterNode.prototype, { cast, kill, cancel });
  }

  close(): void {
    this.#restore();
  }

  /** Casts that have not ended exactly once, nor were given up by who has cast them. */
  get wrong(): Entry[] {
    return this.entries.filter(({ ends, givenUp }) => ends.length > 1 || (ends.length === 0 && !givenUp));
  }
}

function giveUp(entry: Entry | undefined): void {
  if (entry !== undefined) entry.givenUp = true;
}

/** The same handler, with each end told to `ended` first. */
function watch(handler: CastHandler, ended: (end: string) => void): CastHandler {
  return new Proxy(handler, {
    get(target, name: keyof CastHandler) {
      const method = target[name] as ((...all: unknown[]) => void) | undefined;
      if (method === undefined) return undefined;
      return (...all: unknown[]) => {
        if (['value', 'last', 'exit', 'down'].includes(name)) ended(name);
        method.apply(target, all);
      };
    },
  });
}
