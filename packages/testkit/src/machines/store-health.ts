import type { Clock } from '@muster/rexi';
import { StoreError } from '@muster/store';

/** What can be wrong with a store for a time. */
export type Ailment = 'failing' | 'full' | 'slow';

/** Milliseconds that an answer of a slow store takes. */
const slowness = 700;

/** What is wrong with one store, and what that does to whoever asks it. */
export class StoreHealth {
  /** Each with who is told when somebody suffers of it. */
  readonly #ailments: Set<{ readonly what: Ailment; readonly felt: () => void }> = new Set();
  /** Drops everything that the store keeps, and says whether that was anything. */
  lose: () => boolean = () => false;

  /** It ails until what this returns is called. */
  ail(what: Ailment, felt: () => void): () => void {
    const ailment = { what, felt };
    this.#ailments.add(ailment);
    return () => void this.#ailments.delete(ailment);
  }

  /** @throws StoreError `lost`, or `full` for what would be kept */
  check(keeps: boolean): void {
    if (this.#has('failing')) throw new StoreError('lost', { detail: 'the store fails' });
    if (keeps && this.#has('full')) throw new StoreError('full', { detail: 'the store is full' });
  }

  /** Resolves at once, or when a slow store would have answered. */
  async answered(clock: Clock): Promise<void> {
    if (this.#has('slow')) await new Promise<void>((resolve) => clock.after(slowness, resolve));
  }

  #has(what: Ailment): boolean {
    const found = [...this.#ailments].filter((ailment) => ailment.what === what);
    for (const { felt } of found) felt();
    return found.length > 0;
  }
}
