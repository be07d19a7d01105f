import { mostListed } from '@muster/rexi';
import type { Lane } from './lane.ts';

/** One cast that was decided on. */
export interface Wanted {
  readonly lane: Lane;
  readonly copy: number;
  readonly node: string;
}

/** What a cast waits for: that the guardian knows its reference. */
export interface Registry {
  has(count: number): boolean;
  reserve(count: number): Promise<void>;
}

/** Casts that were decided on, on their way: one message a node, and none before the guardian knows the references. */
export class Casting {
  readonly #registry: Registry;
  readonly #cast: (node: string, casts: readonly Wanted[]) => void;
  readonly #wanted: Wanted[] = [];
  #flushing = false;

  constructor(registry: Registry, cast: (node: string, casts: readonly Wanted[]) => void) {
    this.#registry = registry;
    this.#cast = cast;
  }

  /** Returns whether a flush has to be arranged: the casts of one turn need one. */
  want(cast: Wanted): boolean {
    return this.#wanted.push(cast) === 1;
  }

  /**
   * Casts what is wanted by then.
   * @throws ClusterError `unavailable`, `fenced`, `closed` when the references can no longer be registered.
   */
  async flush(): Promise<void> {
    if (this.#flushing) return;
    this.#flushing = true;
    try {
      while (this.#wanted.length > 0) {
        if (this.#registry.has(this.#wanted.length)) this.#castAll();
        else await this.#registry.reserve(this.#wanted.length);
      }
    } finally {
      this.#flushing = false;
    }
  }

  #castAll(): void {
    // While a cast waited, its copy may have been given up: it would run for nobody.
    const live = this.#wanted.splice(0).filter(({ lane, copy }) => lane.part.isLive(copy));
    const byNode = new Map<string, Wanted[]>();
    for (const cast of live) {
      const casts = byNode.get(cast.node);
      if (casts === undefined) byNode.set(cast.node, [cast]);
      else casts.push(cast);
    }
    for (const [node, casts] of byNode) {
      for (let at = 0; at < casts.length; at += mostListed) this.#cast(node, casts.slice(at, at + mostListed));
    }
  }
}
